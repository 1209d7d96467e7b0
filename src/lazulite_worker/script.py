"""The user's scoring script: found, loaded, its run() examined, its inputs parsed.

Source of every rule and text here: spec/ONLINE.md 5.3.
"""

import importlib
import importlib.util
import inspect
import json
import logging
import os
import sys
from types import ModuleType

from lazulite_worker.aml_request import AMLRequest, is_json, query_arguments, title_cased
from lazulite_worker.wsgi import flask_request

_RAW_HTTP_MODULES = (
    "lazulite_worker.aml_request",
    "azureml_inference_server_http.api.aml_request",
    "azureml.contrib.services.aml_request",
)

_UNDECORATED = "run() is not decorated. Server will invoke it with the input in JSON string."
_DECORATED = (
    "run() is decorated with @input_schema. Server will invoke it with the following arguments: %s."
)

logger = logging.getLogger("azmlinfsrv.user_script")


class ScriptError(Exception):
    """The script cannot be served: it lacks a function, or run() cannot be called."""


class BadInputError(Exception):
    """A request that run() cannot take. status: of the answer; its text is the message."""

    def __init__(self, message, status=400):
        super().__init__(message)
        self.status = status


class MethodNotAllowedError(Exception):
    """A method that run() is not called for."""


class UserScript(object):
    """A loaded script, to be initialised once and then run for each request.

    inputs() gives the arguments of run() for a request; BadInputError or MethodNotAllowedError
    say that it has none.
    """

    def __init__(self, module):
        """Examine a module. ScriptError if it lacks init() or run(), or run() cannot be called."""
        for name in ("init", "run"):
            if not hasattr(module, name):
                raise ScriptError(
                    "User script at %s does not have a %s() function defined."
                    % (module.__file__, name)
                )
        self.init = module.init
        self.function = _scoring_function(module)
        self._parameters = _input_parameters(self.function)
        names = list(inspect.signature(self.function).parameters)
        self._takes_headers = "request_headers" in names
        self._first = self._parameters[0].name
        self.inputs = self._chosen_inputs()

    def run(self, inputs):
        """What the user's function answers to the inputs."""
        return self.function(**inputs)

    def _chosen_inputs(self):
        schema = sys.modules.get("inference_schema.schema_util")
        decorated = schema is not None and schema.is_schema_decorated(self.function)
        raw = _raw_http_class()
        if raw is not None and decorated:
            raise ScriptError("run() cannot be decorated with both @rawhttp and @input_schema")
        if raw is not None:
            parse = self._raw_inputs(raw)
        elif decorated:
            names = ", ".join(parameter.name for parameter in self._parameters)
            logger.info(_DECORATED, names)
            parse = self._schema_inputs
        else:
            logger.info(_UNDECORATED)
            parse = self._text_inputs
        return self._with_headers(parse) if self._takes_headers else parse

    def _with_headers(self, parse):
        def inputs(request):
            found = parse(request)
            found["request_headers"] = dict(title_cased(request.headers))
            return found

        return inputs

    def _raw_inputs(self, request_class):
        logger.info(
            "run() is decorated with @rawhttp. Server will invoke it with the flask request object."
        )

        def inputs(request):
            return {self._first: request_class(request)}

        return inputs

    def _text_inputs(self, request):
        if request.method == "POST":
            try:
                return {self._first: request.body.decode("utf-8")}
            except UnicodeDecodeError as error:
                raise BadInputError("Input cannot be decoded as UTF-8: %s" % error) from None
        return {self._first: json.dumps(_query_inputs(request))}

    def _schema_inputs(self, request):
        if request.method == "POST":
            values = _json_dictionary(request)
        else:
            values = _query_inputs(request)
        found = {}
        for parameter in self._parameters:
            value = values.get(parameter.name, parameter.default)
            if value is inspect.Parameter.empty:
                raise BadInputError(
                    "A value is not provided for the %r parameter." % parameter.name
                )
            found[parameter.name] = value
        return found


def load_script(entry_script, app_root):
    """Import the entry script (a path, below app_root if relative), or `main` without one.

    Whatever its import raises is raised.
    """
    try:
        return UserScript(_imported(entry_script, app_root))
    except ScriptError:
        raise
    except BaseException:
        logger.error("Failed to import user script because it raised an unhandled exception")  # noqa: TRY400
        raise


def _imported(entry_script, app_root):
    if not entry_script:
        if importlib.util.find_spec("main") is None:
            raise ScriptError(
                "No module named 'main'. No score script found. Expected score script main.py."
                " Looked for it in: %s" % ", ".join(sys.path)
            )
        return importlib.import_module("main")
    path = os.path.join(app_root, entry_script)
    if not os.path.isfile(path):
        raise ScriptError("The entry script %s does not exist." % path)
    spec = importlib.util.spec_from_file_location("entry_module", path)
    if spec is None or spec.loader is None:
        raise ScriptError("The entry script %s is not a Python file (.py)." % path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["entry_module"] = module  # pickle and dataclasses look their classes up here
    spec.loader.exec_module(module)
    return module


def _scoring_function(module):
    """run(), or that of the script behind a driver module which the v1 SDK generated."""
    driven = getattr(module, "driver_module", None)
    if isinstance(driven, ModuleType) and hasattr(driven, "run"):
        logger.info("Found driver script at %s, score script at %s", module.__file__, driven)
        return driven.run
    logger.info("Found user script at %s", module.__file__)
    return module.run


def _input_parameters(function):
    parameters = list(inspect.signature(function).parameters.values())
    allowed = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if any(parameter.kind not in allowed for parameter in parameters):
        raise ScriptError("run() cannot accept positional-only arguments, *args, or **kwargs.")
    inputs = [parameter for parameter in parameters if parameter.name != "request_headers"]
    if not inputs and parameters:
        raise ScriptError('run() needs to accept an argument other than "request_headers".')
    if not inputs:
        raise ScriptError("run() needs to accept an argument for input data.")
    return inputs


def _raw_http_class():
    """What makes the object that run() gets if @rawhttp was used, else None.

    Azure's own packages, where the environment has them, promise a flask.Request.
    """
    for name in _RAW_HTTP_MODULES:
        module = sys.modules.get(name)
        if getattr(module, "_rawHttpRequested", False):
            return AMLRequest if module.AMLRequest is AMLRequest else flask_request
    return None


def _json_dictionary(request):
    if not is_json(request.headers.get("content-type", "")):
        raise BadInputError("Expects Content-Type to be application/json", 415)
    if not request.body:
        raise BadInputError("POST body is empty. Expecting a JSON dictionary.")
    try:
        values = json.loads(request.body.decode("utf-8"))
    except ValueError as error:
        raise BadInputError("POST body could not be decoded as JSON: %s" % error) from None
    if not isinstance(values, dict):
        raise BadInputError("POST body should be a JSON dictionary.")
    return values


def _query_inputs(request):
    """Query arguments as if they came in a body: JSON where it parses, lists where repeated."""
    if request.method != "GET":
        raise MethodNotAllowedError(request.method)
    arguments = query_arguments(request.query)
    values = {}
    for name in arguments:
        parsed = [_parsed(text) for text in arguments.getlist(name)]
        values[name] = parsed[0] if len(parsed) == 1 else parsed
    return values


def _parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return text
