"""The operations of the routes that stand alone: tokens, documents, scoring."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from lazulite.deployments.invocations import Invocation
from lazulite.identity.oauth import GRANTS
from lazulite.openapi.errors import Form
from lazulite.openapi.operations import Answer, Json, Operation, json_body, query
from lazulite.openapi.schemas import Schemas
from lazulite.openapi.security import BEARER, ENDPOINT

TEXT: Json = {"type": "string"}
OBJECT: Json = {"type": "object"}
REFUSED = frozenset({400, 401, 403, 404, 405, 429})
JOBS = "/inference/{endpoint}/jobs"
INVOCATION = {
    "properties": {
        "dataset": {"dataInputType": "DataUrl", "path": "azureml://datastores/images/paths/new/"},
        "outputDataset": {"datastoreId": "workspaceblobstore", "path": "scores"},
        "miniBatchSize": 20,
    }
}
FRONT_DOOR = "scoring"
"""The tag of what the front door answers: replicas do, the control plane has no part in it."""


def operations(schemas: Schemas) -> Iterator[Operation]:
    """All of them."""
    yield from _documents()
    yield from _tokens()
    yield from _batch_jobs(schemas)
    yield from _scoring()
    yield from _monitoring()


def _documents() -> Iterator[Operation]:
    version = query("api-version", TEXT, "Newer ones get one object, older ones a list of it.")
    cloud = {"type": ["object", "array"]}
    wanted = query("api-version", TEXT, "The version to describe; without it the newest stable.")
    yield _open("health", "/healthz", OBJECT, "Whether the control plane answers.")
    yield _open("cloud", "/metadata/endpoints", cloud, "The addresses of this cloud.", version)
    yield _open("discovery", "/discovery", OBJECT, "Where the services of a workspace are.")
    yield _open("openapi", "/openapi.json", OBJECT, "This document.", wanted)


def _tokens() -> Iterator[Operation]:
    authority = query("authorization_endpoint", TEXT, "Whose metadata is asked.")
    instance = "/common/discovery/instance"
    yield _open("instance", instance, OBJECT, "Where an authority is.", authority, form=Form.TOKEN)
    yield _token("v1", "/{tenant}/oauth2/token", "resource")
    yield _token("v2", "/{tenant}/oauth2/v2.0/token", "scope")
    yield _device_code()
    page = _open("device_page", "/devicelogin", TEXT, "What to do with a code.", form=Form.TOKEN)
    text = Answer(schema=TEXT, media="text/plain")
    yield dataclasses.replace(page, answers={200: text})
    for name, version in (("v1", ""), ("v2", "/v2.0")):
        configuration = f"/{{tenant}}{version}/.well-known/openid-configuration"
        told = "OpenID metadata."
        yield _open(f"configuration_{name}", configuration, OBJECT, told, form=Form.TOKEN)
        keys = f"/{{tenant}}/discovery{version}/keys"
        yield _open(f"keys_{name}", keys, OBJECT, "What tokens are signed with.", form=Form.TOKEN)


def _token(name: str, path: str, wanted: str) -> Operation:
    fields = ("grant_type", "client_id", "client_secret", "device_code", "refresh_token", wanted)
    form: Json = {
        "type": "object",
        "properties": {**dict.fromkeys(fields, TEXT), "grant_type": {"enum": GRANTS}},
        "required": ["grant_type", wanted],
    }
    answer = {"type": "object", "properties": {"access_token": TEXT, "token_type": TEXT}}
    answer["required"] = ["access_token", "token_type", "expires_in"]
    return Operation(
        id=f"token_{name}",
        method="POST",
        path=path,
        tag="tokens",
        summary="A token for a client's id and secret, an approved device code or a refresh token.",
        body={"required": True, "content": {FORM_TYPE: {"schema": form}}},
        answers={200: Answer(schema=answer)},
        refusals=frozenset({400, 401, 413, 429}),
        form=Form.TOKEN,
    )


def _device_code() -> Operation:
    form: Json = {
        "type": "object",
        "properties": {"client_id": TEXT, "scope": TEXT},
        "required": ["client_id", "scope"],
    }
    told = ("user_code", "device_code", "verification_uri", "message")
    answer: Json = {"type": "object", "properties": dict.fromkeys(told, TEXT)}
    answer["required"] = [*told, "expires_in", "interval"]
    return Operation(
        id="device_code",
        method="POST",
        path="/{tenant}/oauth2/v2.0/devicecode",
        tag="tokens",
        summary="A code for a sign-in without a secret, which an administrator approves.",
        body={"required": True, "content": {FORM_TYPE: {"schema": form}}},
        answers={200: Answer(schema=answer)},
        refusals=frozenset({400, 401, 413, 429}),
        form=Form.TOKEN,
    )


FORM_TYPE = "application/x-www-form-urlencoded"


def _batch_jobs(schemas: Schemas) -> Iterator[Operation]:
    asked = schemas.add("Invocation", schemas.of_model(Invocation, "Invocation"))
    body = {"type": "object", "properties": {"properties": asked}, "required": ["properties"]}
    answer = Answer(schema=OBJECT)
    refusals = REFUSED | {409, 413, 415}
    shared: Json = {"tag": "batchScoring", "security": BEARER}
    yield Operation(
        id="batchScoring_invoke",
        method="POST",
        path=JOBS,
        summary="Start a job. The same request id again starts no second one.",
        body=json_body(body, INVOCATION),
        answers={201: answer, 200: answer},
        refusals=refusals,
        **shared,
    )
    for name, path in (("list", JOBS), ("get", f"{JOBS}/{{job}}")):
        yield Operation(
            id=f"batchScoring_{name}",
            method="GET",
            path=path,
            summary="Jobs of a batch endpoint.",
            answers={200: answer},
            refusals=REFUSED,
            **shared,
        )


def _scoring() -> Iterator[Operation]:
    yield Operation(
        id="scoring_score",
        method="POST",
        path="/inference/{endpoint}/score",
        tag=FRONT_DOOR,
        summary="One request to the deployment that the traffic chooses: what run() returns.",
        body=json_body({}),
        answers={200: Answer(schema={})},
        refusals=frozenset({401, 404, 413, 429}),
        security=ENDPOINT,
    )


def _monitoring() -> Iterator[Operation]:
    shared: Json = {"tag": "monitoring", "security": BEARER, "refusals": REFUSED | {413, 504}}
    answer = {200: Answer(schema=OBJECT)}
    yield Operation(
        id="metrics",
        method="GET",
        path="/metrics",
        summary="What is counted and measured, in Prometheus' text format.",
        answers={200: Answer(schema=TEXT, media="text/plain")},
        **shared,
    )
    asked: Json = {"type": "object", "properties": {"query": TEXT, "timespan": TEXT}}
    path = "/v1/workspaces/{workspace}/query"
    summary = "Rows of the log tables of online endpoints, by a query in Kusto's language."
    yield Operation(
        id="logs_query", method="POST", path=path, summary=summary, answers=answer,
        body=json_body({**asked, "required": ["query"]}), **shared,
    )  # fmt: skip
    parameters = (query("query", TEXT, "The query."), query("timespan", TEXT, "Such as PT1H."))
    yield Operation(
        id="logs_get", method="GET", path=path, summary=summary, answers=answer,
        parameters=parameters, **shared,
    )  # fmt: skip


def _open(
    name: str, path: str, schema: Json, summary: str, *parameters: Json, form: Form = Form.ARM
) -> Operation:
    """A document that anyone may read."""
    return Operation(
        id=name,
        method="GET",
        path=path,
        tag="open",
        summary=summary,
        parameters=parameters,
        answers={200: Answer(schema=schema)},
        refusals=frozenset({400, 405}),
        form=form,
    )
