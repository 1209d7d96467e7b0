"""The import path that score.py uses for the request API."""

from lazulite_worker.aml_request import AMLRequest, rawhttp

__all__ = ["AMLRequest", "rawhttp"]
