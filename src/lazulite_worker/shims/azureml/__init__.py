"""Stands in for `azureml` where no package of it is installed; makes room where one is."""

import pkgutil

# Own folder last: what azureml-core or another real package has wins over these stand-ins.
_own = list(__path__)
__path__ = [path for path in pkgutil.extend_path(__path__, __name__) if path not in _own] + _own
