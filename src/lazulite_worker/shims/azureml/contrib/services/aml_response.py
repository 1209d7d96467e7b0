"""The import path that score.py uses for the answer API."""

from lazulite_worker.aml_response import AMLResponse

__all__ = ["AMLResponse"]
