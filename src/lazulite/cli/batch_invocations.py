"""`ml batch-endpoint invoke` and `list-jobs`: the jobs that a batch endpoint runs.

The options of three generations of `az ml` are read. Source: spec/BATCH.md 1.7, spec/REST.md 8.1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from lazulite.cli import assets, batch_deployments, batch_endpoints
from lazulite.cli.arguments import Arguments
from lazulite.cli.changes import apply
from lazulite.cli.documents import Document
from lazulite.cli.downloads import parse
from lazulite.cli.errors import CommandError
from lazulite.cli.models import is_uri
from lazulite.cli.shapes import INTEGER, NUMBER, TEXT, TEXTS, Shape, checked
from lazulite.cli.tokens import BATCH_SCORING
from lazulite.cli.uploads import DEFAULT_DATASTORE, upload
from lazulite.cli.wire import camel_keys
from lazulite.cli.workspace import DATA_API_VERSION, Workspace

_OVERRIDES: Mapping[str, Shape] = {
    "output_file_name": TEXT,
    "mini_batch_size": INTEGER,
    "instance_count": INTEGER,
    "error_threshold": INTEGER,
    "max_concurrency_per_instance": INTEGER,
    "logging_level": frozenset({"warning", "info", "debug"}),
    "retry_settings": {"max_retries": INTEGER, "timeout": NUMBER},
    "max_retries": INTEGER,
    "timeout": NUMBER,
    "description": TEXT,
    "tags": TEXTS,
}
_TYPES = {"uri_folder": "UriFolder", "uri_file": "UriFile", "mltable": "MLTable"}


@dataclasses.dataclass(frozen=True)
class Source:
    """What to score: a URI or the ARM id of a data version, and whether that is a folder."""

    uri: str
    input_type: str
    """uri_folder, uri_file or mltable."""


def invoke(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Start a job. Nothing is started twice, even if the connection breaks: the id tells."""
    endpoint = batch_endpoints.show(workspace, arguments)
    body = {"properties": to_properties(workspace, arguments)}
    headers = {"repeatability-request-id": workspace.make_id()}
    if arguments.deployment_name:
        headers["azureml-model-deployment"] = arguments.deployment_name
    answer = workspace.call(
        "POST", str(endpoint["scoring_uri"]), body, headers=headers, scope=BATCH_SCORING
    )
    job = view(answer.value())
    workspace.report.note(f"Follow it: lazulite ml job stream -n {job.get('name')}")
    return job


def list_jobs(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """The endpoint's jobs, or those of one deployment of it."""
    endpoint = batch_endpoints.show(workspace, arguments)
    url: str | None = str(endpoint["scoring_uri"])
    if arguments.deployment_name:
        url = f"{url}?{urlencode({'deployment': arguments.deployment_name})}"
    found: list[dict[str, Any]] = []
    while url:
        page = workspace.call("GET", workspace.absolute(url), scope=BATCH_SCORING).value()
        found += [view(item) for item in page.get("value") or ()]
        url = page.get("nextLink")
    return found


def to_properties(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """The properties of the job: what to score, where to, and what differs from the deployment."""
    source = find_source(workspace, arguments)
    kind = _TYPES[source.input_type]
    overrides = checked(Document(apply(_options(arguments), arguments.set_values)), _OVERRIDES)
    properties: dict[str, Any] = {
        "inputData": {kind: {"jobInputType": kind, "uri": source.uri}},
        **overrides_body(overrides.values),
    }
    if destination := _destination(workspace, arguments):
        properties["outputDataset"] = destination
    if arguments.job_name:
        properties["name"] = arguments.job_name
    if arguments.experiment_name:
        properties["properties"] = {"experimentName": arguments.experiment_name}
    return properties


def overrides_body(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of this one job."""
    retry = {
        name: values[name] for name in ("max_retries", "timeout") if values.get(name) is not None
    }
    nested = frozenset({"instance_count", "retry_settings", "max_retries", "timeout"})
    body: dict[str, Any] = camel_keys(values, without=nested)
    if settings := {**(values.get("retry_settings") or {}), **retry}:
        body["retrySettings"] = batch_deployments.retry_body(settings)
    if values.get("instance_count") is not None:
        body["compute"] = {"instanceCount": values["instance_count"]}
    if level := values.get("logging_level"):
        body["loggingLevel"] = level.capitalize()
    return body


def find_source(workspace: Workspace, arguments: Arguments) -> Source:
    """What the options ask to score; local files are uploaded, data assets looked up."""
    given = [
        (option, text)
        for option, text in (
            ("--input", arguments.input_uri),
            ("--input-path", arguments.input_path),
            ("--input-local-path", arguments.input_local_path),
            ("--input-dataset", arguments.input_dataset),
        )
        if text
    ]
    if len(given) != 1:
        raise CommandError(
            "InvalidArgument",
            "Say once what to score: --input with a local path, a URI or azureml:<data>:<version>.",
        )
    option, text = given[0]
    kind, text = prefixed(text)
    wanted = arguments.input_type.lower() or kind
    if wanted and wanted not in _TYPES:
        raise CommandError(
            "InvalidArgument", f"--input-type {wanted!r} is not uri_folder|uri_file."
        )
    if option == "--input-path" and arguments.input_datastore:
        datastore = arguments.input_datastore.removeprefix("azureml:")
        text = f"azureml://datastores/{datastore}/paths/{text.lstrip('/')}"
    return _source(workspace, text, wanted)


def prefixed(text: str) -> tuple[str, str]:
    """("uri_folder", uri) of folder:<uri>, ("uri_file", uri) of file:<uri>, else ("", text)."""
    for prefix, kind in (("folder:", "uri_folder"), ("file:", "uri_file")):
        if text.startswith(prefix) and not text.startswith("file://"):
            return kind, text.removeprefix(prefix)
    return "", text


def guess(uri: str) -> str:
    """uri_file for a URI whose last part has a suffix, else uri_folder."""
    last = uri.split("?")[0].rsplit("/", 1)[-1]
    return "uri_file" if "." in last else "uri_folder"


def view(job: Mapping[str, Any]) -> dict[str, Any]:
    """A job as `az ml batch-endpoint invoke` prints it: the properties, and id and name."""
    properties = dict(job.get("properties") or {})
    shown = {**properties, "id": job.get("id"), "name": job.get("name") or properties.get("name")}
    shown["status"] = properties.get("status") or job.get("status")
    return {key: value for key, value in shown.items() if value is not None}


def _source(workspace: Workspace, text: str, wanted: str) -> Source:
    if is_uri(text):
        return Source(text, wanted or guess(text))
    if text.startswith(("azureml:", "/subscriptions/")):
        arm_id = assets.reference(workspace, "data", Document({}), (), text)
        path = arm_id[len(workspace.connection.workspace_id) + 1 :]
        data = workspace.get(path, DATA_API_VERSION)["properties"]
        return Source(arm_id, wanted or str(data.get("dataType") or "uri_folder"))
    local = Path(text).expanduser()
    if not local.exists():
        raise CommandError(
            "InvalidArgument",
            f"There is nothing to score at {text!r}: give an existing local path, a URI"
            " (azureml://datastores/<name>/paths/<path>, https://...) or azureml:<data>:<version>.",
        )
    return Source(upload(workspace, local).uri, "uri_file" if local.is_file() else "uri_folder")


def _options(arguments: Arguments) -> dict[str, Any]:
    given = {
        "mini_batch_size": arguments.mini_batch_size,
        "instance_count": arguments.instance_count,
    }
    return {name: value for name, value in given.items() if value is not None}


def _destination(workspace: Workspace, arguments: Arguments) -> dict[str, Any] | None:
    if not arguments.output_path:
        return None
    _, text = prefixed(arguments.output_path)
    datastore, path = arguments.output_datastore.removeprefix("azureml:"), text
    if is_uri(text):
        datastore, path = parse(text)
    datastore = datastore or DEFAULT_DATASTORE
    return {"datastoreId": workspace.id(f"datastores/{datastore}"), "path": path}
