"""Stands in for Azure's inference server: the parts that score.py and logging.json import."""

__version__ = "1.5.1"  # whose contract is kept
