"""Stands in for azureml-core: what a scoring script of the v1 SDK needs of it."""

from azureml.core.model import Model

__all__ = ["Model"]
