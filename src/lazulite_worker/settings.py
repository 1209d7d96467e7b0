"""Variables of a replica, and the config file that stands below them. Source: spec/ONLINE.md 5.2.

The file is the one that AZUREML_CONFIG_FILE names, else config.json in the root of the application
or beside the entry script. Of its names only those that are Azure's settings count.
"""

import json
import os

NAMES = (
    "APP_INSIGHTS_LOG_RESPONSE_ENABLED",
    "AZUREML_DEBUG_PORT",
    "AZUREML_ENTRY_SCRIPT",
    "AZUREML_LOG_LEVEL",
    "AZUREML_MODEL_DIR",
    "AZUREML_SOURCE_DIRECTORY",
    "HOSTNAME",
    "SCORING_TIMEOUT_MS",
    "SERVICE_NAME",
    "SERVICE_PATH_PREFIX",
    "SERVICE_VERSION",
    "WORKSPACE_NAME",
)
DEFAULT_TIMEOUT_MS = 3600 * 1000
MOST_PORT = 65535


def with_config_file(environ):
    """The variables over those of the config file. ValueError if the file is none."""
    path = _config_file(environ)
    if path is None:
        return dict(environ)
    try:
        with open(path, encoding="utf-8-sig") as file:
            values = json.load(file)
    except (OSError, ValueError) as error:
        raise ValueError("Invalid config file! %s cannot be read: %s" % (path, error)) from error
    if not isinstance(values, dict):
        raise ValueError("Invalid config file! %s must be a JSON object." % path)  # noqa: TRY004 - the file's value
    found = {name: values[name] for name in NAMES if values.get(name) is not None}
    texts = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in found.items()
    }
    return dict(texts, **environ)


def timeout_ms(environ):
    """SCORING_TIMEOUT_MS, an hour by default. ValueError if it is no number above 0."""
    return _whole(environ, "SCORING_TIMEOUT_MS", DEFAULT_TIMEOUT_MS, None)


def debug_port(environ):
    """AZUREML_DEBUG_PORT, or 0 if there is none. ValueError if it is no port."""
    return _whole(environ, "AZUREML_DEBUG_PORT", 0, MOST_PORT)


def _whole(environ, name, default, most):
    text = environ.get(name)
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value <= 0 or (most is not None and value > most):
        limit = "above 0" if most is None else "from 1 to %d" % most
        raise ValueError("%s must be a whole number %s, not %r." % (name, limit, text))
    return value


def _config_file(environ):
    root = environ.get("AML_APP_ROOT") or os.getcwd()
    script = os.path.join(root, environ.get("AZUREML_ENTRY_SCRIPT", ""))
    places = (
        environ.get("AZUREML_CONFIG_FILE"),
        os.path.join(root, "config.json"),
        os.path.join(os.path.dirname(script), "config.json"),
    )
    for path in places:
        if path and os.path.isfile(path) and os.path.getsize(path):
            return path
    return None
