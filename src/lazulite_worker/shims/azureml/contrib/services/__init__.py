"""Stands in for the package azureml-contrib-services."""

from lazulite_worker.aml_request import rawhttp

__all__ = ["rawhttp"]
