"""Stands for Azure's package of this name, which exists inside batch jobs only."""
