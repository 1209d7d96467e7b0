"""Stands in for Azure's inference server: the parts that score.py and logging.json import."""
