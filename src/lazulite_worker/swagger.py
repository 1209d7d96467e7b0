"""GET /swagger.json: the user's own documents, or ones made from the schema of run().

Source: spec/ONLINE.md 5.4; the shape is that of azureml-inference-server-http 1.5.
"""

import json
import logging
import os

from lazulite_worker.aml_request import query_arguments

_VERSIONS = {"2": "2", "2.0": "2", "3": "3", "3.0": "3", "3.1": "3.1"}
_FILES = (
    ("2", "swagger.json"),
    ("2", "swagger2.json"),
    ("3", "swagger3.json"),
    ("3.1", "swagger3.1.json"),
)
_ANY_OBJECT = {"type": "object", "example": {}}

logger = logging.getLogger("azmlinfsrv.swagger")


class UnknownVersionError(Exception):
    """A version that does not exist, or that the script does not support."""


class Schema(object):
    """What run() takes and returns, as JSON schemas, and the Swagger versions they fit."""

    def __init__(self, takes=None, returns=None, versions=("2", "3", "3.1")):
        self.takes = takes or _ANY_OBJECT
        self.returns = returns or _ANY_OBJECT
        self.versions = frozenset(versions)


class Documents(object):
    """The API documents of one deployment, by version."""

    def __init__(self, by_version):
        """by_version: documents for any of "2", "3", "3.1"."""
        self._by_version = by_version

    def document(self, query):
        """The document that a query string asks for; version 2 by default. UnknownVersionError."""
        asked = query_arguments(query).get("version", "2")
        supported = ", ".join(sorted(self._by_version))
        version = _VERSIONS.get(asked)
        if version is None:
            text = "Swagger version [%s] is not valid. Supported versions: [%s]."
            raise UnknownVersionError(text % (asked, supported))
        if version not in self._by_version:
            text = (
                "Swagger version [%s] is not supported for the scoring script."
                " Supported swagger versions: [%s]."
            )
            raise UnknownVersionError(text % (asked, supported))
        return self._by_version[version]


def documents(folder, service, schema):
    """Documents from the files in a folder where it has them, else from the schema.

    service: name, version and path prefix. ValueError if a file is not JSON.
    """
    found = {version: _document(version, service, schema) for version in schema.versions}
    own = set()
    for version, name in _FILES:
        path = os.path.join(folder, name)
        if version not in own and os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                found[version] = json.load(file)
            logger.info("Loaded user's swagger file for version [%s] from %s", version, path)
            own.add(version)
    _tell(found)
    return Documents(found)


def _tell(found):
    prepared = ", ".join(sorted(found))
    skipped = ", ".join(sorted(set(_VERSIONS.values()) - set(found)))
    if not found:
        logger.info("No swagger is prepared.")
    elif skipped:
        logger.info(
            "Swaggers are prepared for versions [%s] and skipped for versions [%s].",
            *(prepared, skipped),
        )
    else:
        logger.info("Swaggers are prepared for the following versions: [%s].", prepared)


def script_schema(function, schema_util):
    """Schema of a run(). schema_util: inference_schema.schema_util, or None if it is not in use."""
    if schema_util is None:
        return Schema()
    aliases = schema_util.get_supported_versions(function)
    versions = {_VERSIONS[alias] for alias in aliases if alias in _VERSIONS}
    if not schema_util.is_schema_decorated(function):
        return Schema(versions=versions)
    takes, returns = schema_util.get_input_schema, schema_util.get_output_schema
    return Schema(takes(function), returns(function), versions)


def _document(version, service, schema):
    name, release, prefix = service
    prefix = "/" + prefix.strip("/") if prefix.strip("/") else ""
    old = version == "2"
    info = {
        "title": name,
        "description": "API specification for the Azure Machine Learning service " + name,
        "version": release,
    }
    schemas = {
        "ServiceInput": schema.takes,
        "ServiceOutput": schema.returns,
        "ErrorResponse": {"type": "object", "properties": {"message": {"type": "string"}}},
    }
    bearer = {
        "Bearer": {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "description": "For example: Bearer abc123",
        }
    }
    head = {
        "2": {"swagger": "2.0", "schemes": ["https"]},
        "3": {"openapi": "3.0.3"},
        "3.1": {"openapi": "3.1.0"},
    }[version]
    document = dict(head, info=info, paths=_paths(prefix, old))
    if old:
        document.update(consumes=["application/json"], produces=["application/json"])
        document.update(securityDefinitions=bearer, definitions=schemas)
    else:
        document.update(security=[{"Bearer": []}])
        document.update(components={"schemas": schemas, "securitySchemes": bearer})
    return document


def _paths(prefix, old):
    text = {"type": "string"}
    health = _operation("ServiceHealthCheck", "Health of the service.", text, "text/plain", old)
    document = _operation("GetSwaggerSpec", "This document.", {"type": "object"}, None, old)
    version = {"name": "version", "in": "query", "required": False}
    kinds = {"type": "string", "enum": sorted(_VERSIONS)}
    document["parameters"] = [dict(version, **kinds) if old else dict(version, schema=kinds)]
    score = _operation(
        "RunMLService", "Score the input.", _reference("ServiceOutput", old), None, old
    )
    score["security"] = [{"Bearer": []}]
    payload = _reference("ServiceInput", old)
    if old:
        score["parameters"] = [{"name": "serviceInputPayload", "in": "body", "schema": payload}]
    else:
        score["requestBody"] = {"content": {"application/json": {"schema": payload}}}
    return {
        prefix + "/": {"get": health},
        prefix + "/score": {"post": score},
        prefix + "/swagger.json": {"get": document},
    }


def _operation(name, description, schema, media, old):
    """One operation that answers 200 with the schema, or ErrorResponse. media: None for JSON."""
    good = _response("The answer.", schema, media or "application/json", old)
    bad = _response("An error.", _reference("ErrorResponse", old), "application/json", old)
    return {
        "operationId": name,
        "description": description,
        "responses": {"200": good, "default": bad},
    }


def _response(description, schema, media, old):
    body = {"schema": schema} if old else {"content": {media: {"schema": schema}}}
    return dict(body, description=description)


def _reference(name, old):
    return {"$ref": ("#/definitions/" if old else "#/components/schemas/") + name}
