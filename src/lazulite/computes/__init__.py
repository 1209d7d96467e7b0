"""Computes: the types, how clusters and instances run, what this machine has."""
