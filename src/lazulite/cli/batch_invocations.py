"""`ml batch-endpoint invoke` and `list-jobs`: the jobs that a batch endpoint runs.

The options of three generations of `az ml` are read. Source: spec/BATCH.md 1.7, spec/REST.md 8.1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from lazulite.cli import assets, batch_deployments, batch_endpoints, computes
from lazulite.cli.arguments import Arguments
from lazulite.cli.batch_inputs import input_data, prefixed
from lazulite.cli.changes import edited, pairs
from lazulite.cli.deployments import present
from lazulite.cli.documents import Document
from lazulite.cli.downloads import parse
from lazulite.cli.models import is_uri
from lazulite.cli.shapes import ANYTHING, INTEGER, NUMBER, TEXT, TEXTS, Shape, checked
from lazulite.cli.tokens import BATCH_SCORING
from lazulite.cli.uploads import DEFAULT_DATASTORE
from lazulite.cli.wire import camel_keys
from lazulite.cli.workspace import Workspace

SETTINGS: Mapping[str, Shape] = {
    "output_file_name": TEXT,
    "mini_batch_size": INTEGER,
    "instance_count": INTEGER,
    "error_threshold": INTEGER,
    "max_concurrency_per_instance": INTEGER,
    "logging_level": frozenset({"warning", "info", "debug"}),
    "retry_settings": {"max_retries": INTEGER, "timeout": NUMBER},
    "max_retries": INTEGER,
    "timeout": NUMBER,
    "output_format": TEXT,
    "program_arguments": TEXT,
    "mini_batch": TEXT,
}
"""What a job may have otherwise than its deployment."""
_OUTPUT: Mapping[str, Shape] = {"type": TEXT, "path": TEXT, "mode": TEXT, "description": TEXT}
SHAPE: Mapping[str, Shape] = {
    **SETTINGS,
    "settings": SETTINGS,
    "resources": {"instance_count": INTEGER},
    "compute": (TEXT, {"target": TEXT, "instance_count": INTEGER}),
    "inputs": ANYTHING,
    "outputs": ANYTHING,
    "job_name": TEXT,
    "experiment_name": TEXT,
    "description": TEXT,
    "tags": TEXTS,
    "properties": TEXTS,
}
"""What --file and --set can say of a job."""
_EXTENSIONS = ("output_format", "program_arguments", "mini_batch")
_OUTPUT_TYPES = {"uri_folder": "UriFolder", "uri_file": "UriFile"}


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


def list_deployment_jobs(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """The jobs of the deployment of that name."""
    chosen = dataclasses.replace(
        arguments, name=arguments.endpoint_name, deployment_name=arguments.name
    )
    return list_jobs(workspace, chosen)


def to_properties(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """The properties of the job: what to score, where to, and what differs from the deployment."""
    found = _document(arguments)
    values = found.values
    body = {
        "inputData": input_data(workspace, arguments, found),
        "outputDataset": _destination(workspace, arguments),
        "outputData": _output_data(found),
        "compute": _compute(workspace, found),
        "name": values.get("job_name"),
        "properties": _properties(values, arguments),
        **settings_body(values),
    }
    return {name: item for name, item in body.items() if item not in (None, {})}


def settings_body(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of this one job."""
    retry = {
        name: values[name] for name in ("max_retries", "timeout") if values.get(name) is not None
    }
    own = frozenset({"instance_count", "retry_settings", "max_retries", "timeout", *_EXTENSIONS})
    plain = SETTINGS.keys() - own | {"description", "tags"}
    body: dict[str, Any] = camel_keys({name: values.get(name) for name in sorted(plain)})
    if settings := {**(values.get("retry_settings") or {}), **retry}:
        body["retrySettings"] = batch_deployments.retry_body(settings)
    if level := values.get("logging_level"):
        body["loggingLevel"] = level.capitalize()
    return body


def view(job: Mapping[str, Any]) -> dict[str, Any]:
    """A job as `az ml batch-endpoint invoke` prints it: the properties, and id and name."""
    properties = dict(job.get("properties") or {})
    shown = {**properties, "id": job.get("id"), "name": job.get("name") or properties.get("name")}
    shown["status"] = properties.get("status") or job.get("status")
    return {key: value for key, value in shown.items() if value is not None}


def _document(arguments: Arguments) -> Document:
    """The file with the options over it and then --set, settings and names at the root."""
    found = assets.read_file(arguments)
    given = {
        "mini_batch_size": arguments.mini_batch_size,
        "instance_count": arguments.instance_count,
        "job_name": arguments.job_name or None,
        "experiment_name": arguments.experiment_name or None,
        "inputs": pairs(arguments.inputs, "--inputs") or None,
        "outputs": pairs(arguments.outputs, "--outputs") or None,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    values = edited({**found.values, **chosen}, arguments)
    checked_values = checked(found.changed(values), SHAPE).values
    return found.changed(batch_deployments.flattened(checked_values))


def _compute(workspace: Workspace, found: Document) -> dict[str, Any] | None:
    """The nodes of this one job, and the cluster if it is another one."""
    count = (found.values.get("resources") or {}).get("instance_count")
    target = found.values.get("compute")
    body = {
        "target": computes.reference(workspace, found, target) if target else None,
        "instanceCount": count,
    }
    return present(body) or None


def _properties(values: Mapping[str, Any], arguments: Arguments) -> dict[str, Any]:
    """The experiment, and what this server does beyond Azure's."""
    own = {
        "experimentName": values.get("experiment_name"),
        **{f"lazulite.{name}": values.get(name) for name in _EXTENSIONS},
        "lazulite.rerun_failed": arguments.rerun_failed or None,
    }
    return {**(values.get("properties") or {}), **present(own)}


def _output_data(found: Document) -> dict[str, Any]:
    """The outputs by name: mappings with type and path, or paths alone."""
    return {
        name: _output(found, str(name), item)
        for name, item in (found.values.get("outputs") or {}).items()
    }


def _output(found: Document, name: str, item: Any) -> dict[str, Any]:
    values = item if isinstance(item, Mapping) else {"path": item}
    values = checked(Document(dict(values), found.path, within=("outputs", name)), _OUTPUT).values
    kind = str(values.get("type") or "uri_file").lower()
    if not values.get("path") or kind not in _OUTPUT_TYPES:
        reason = f"an output needs a path, and a type of {', '.join(_OUTPUT_TYPES)}"
        raise found.error(("outputs", name), reason)
    return {"jobOutputType": _OUTPUT_TYPES[kind], "uri": prefixed(str(values["path"]))[1]}


def _destination(workspace: Workspace, arguments: Arguments) -> dict[str, Any] | None:
    """Where --output-path and --output-datastore say the output goes; None without both."""
    _, text = prefixed(arguments.output_path)
    datastore, path = arguments.output_datastore.removeprefix("azureml:"), text or None
    if not datastore and not path:
        return None
    if path and is_uri(path):
        datastore, path = parse(path)
    datastore = datastore or DEFAULT_DATASTORE
    body = {"datastoreId": workspace.id(f"datastores/{datastore}"), "path": path}
    return present(body)
