"""Stands in for `azureml.contrib`, and makes room for real packages below it."""

import pkgutil

__path__ = pkgutil.extend_path(__path__, __name__)
