"""Where the files of a registered model lie under AZUREML_MODEL_DIR.

Azure lays them out as azureml-models/<name>/<version>/<the file or folder that was registered>;
AZUREML_MODEL_DIR is that root, or the version's folder if the deployment has one model.
"""

import os


def model_path(name, version=None, model_dir=""):
    """The path of a model. version: None for the latest; FileNotFoundError if it is not there.

    Source: Model.get_model_path of azureml-core, which also accepts ./<name>.
    """
    if version is not None and not isinstance(version, int):
        raise TypeError("The version of a model is an int, not %r." % (version,))
    for folder in _version_folders(name, version, model_dir):
        if os.path.isdir(folder):
            return _registered(folder)
    if model_dir and os.path.exists(os.path.join(model_dir, name)):
        return os.path.join(model_dir, name)
    if os.path.exists(name):
        return name
    raise FileNotFoundError(
        "The model %r (version %s) is in none of: %s. AZUREML_MODEL_DIR holds %s."
        % (name, version or "latest", _places(name, model_dir), _listing(model_dir))
    )


def _version_folders(name, version, model_dir):
    if model_dir:
        parent, last = os.path.split(os.path.normpath(model_dir))
        if os.path.basename(parent) == name and version in (None, _number(last)):
            yield model_dir
    for root in (model_dir, "azureml-models"):
        named = os.path.join(root, name)
        if root and os.path.isdir(named):
            wanted = _latest(named) if version is None else version
            if wanted is not None:
                yield os.path.join(named, str(wanted))


def _latest(folder):
    numbers = [_number(entry) for entry in os.listdir(folder)]
    return max((number for number in numbers if number is not None), default=None)


def _number(text):
    return int(text) if text.isdigit() else None


def _registered(folder):
    """Azure's answer for a version's folder: its single entry, else the folder."""
    entries = os.listdir(folder)
    return os.path.join(folder, entries[0]) if len(entries) == 1 else folder


def _places(name, model_dir):
    return ", ".join(
        os.path.join(root, name) for root in (model_dir, "azureml-models", ".") if root
    )


def _listing(folder):
    if not folder or not os.path.isdir(folder):
        return "nothing (%r is not a folder)" % folder
    return ", ".join(sorted(os.listdir(folder))) or "nothing"
