"""Model.get_model_path, by which scoring scripts of the v1 SDK find their model."""

import os

from lazulite_worker.model_path import model_path


class Model(object):
    """A registered model, of which only the path exists inside a deployment."""

    @staticmethod
    def get_model_path(model_name, version=None, _workspace=None):
        """Where the model lies on disk; FileNotFoundError says where it was looked for."""
        return model_path(model_name, version, os.environ.get("AZUREML_MODEL_DIR", ""))
