"""`ml batch-deployment`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.cli import batch_endpoints, computes, deployments, operations
from lazulite.cli.arguments import Arguments
from lazulite.cli.deployments import present
from lazulite.cli.documents import Document
from lazulite.cli.shapes import ANYTHING, INTEGER, NUMBER, TEXT, TEXTS, Shape
from lazulite.cli.wire import duration, pascal, seconds, snake
from lazulite.cli.workspace import Workspace

_SETTINGS: Mapping[str, Shape] = {
    "max_concurrency_per_instance": INTEGER,
    "mini_batch_size": INTEGER,
    "output_action": frozenset({"append_row", "summary_only"}),
    "output_file_name": TEXT,
    "retry_settings": {"max_retries": INTEGER, "timeout": NUMBER},
    "error_threshold": INTEGER,
    "logging_level": frozenset({"warning", "info", "debug"}),
    "environment_variables": TEXTS,
    "instance_count": INTEGER,
}
SHAPE: Mapping[str, Shape] = {
    **deployments.SHAPE,
    **{name: shape for name, shape in _SETTINGS.items() if name != "instance_count"},
    "type": frozenset({"model"}),
    "compute": (TEXT, {"target": TEXT, "instance_count": INTEGER}),
    "resources": {
        "instance_count": INTEGER,
        "instance_type": TEXT,
        "properties": ANYTHING,
    },
    "settings": _SETTINGS,
}


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Create the deployment, or replace it; --set-default makes it the endpoint's default."""
    found = deployments.document(arguments, SHAPE)
    result = _put(workspace, found, waiting=not arguments.no_wait)
    if arguments.set_default:
        _make_default(workspace, found.values["endpoint_name"], found.values["name"])
    return result


def resolved(workspace: Workspace, found: Document) -> dict[str, Any]:
    """The flattened values with what they define in place registered: ARM ids only."""
    found = found.changed(flattened(found.values))
    compute = computes.reference(workspace, found, found.values.get("compute"))
    return {**deployments.registered(workspace, found), "compute": compute}


def flattened(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with those under `settings:` and the forms of June 2021 at the root.

    Since CLI 1.7 settings may be nested; both forms are read. Source: spec/BATCH.md 1.1.
    """
    flat = {name: value for name, value in values.items() if name != "settings"}
    flat |= present(values.get("settings") or {})
    count = flat.pop("instance_count", None)
    compute = flat.get("compute")
    if isinstance(compute, Mapping):
        flat["compute"], count = compute.get("target"), compute.get("instance_count") or count
    if count is not None:
        flat["resources"] = {"instance_count": count, **(flat.get("resources") or {})}
    return flat


def to_body(values: Mapping[str, Any], location: str) -> dict[str, Any]:
    """The body of a PUT; model, environment, code and compute are ARM ids by now."""
    model, resources = values.get("model"), values.get("resources") or {}
    action, level = values.get("output_action"), values.get("logging_level")
    properties = {
        "description": values.get("description"),
        "model": model and {"referenceType": "Id", "assetId": model},
        "environmentId": values.get("environment"),
        "codeConfiguration": deployments.code_body(values),
        "environmentVariables": values.get("environment_variables") or {},
        "compute": values.get("compute"),
        "resources": present(
            {
                "instanceCount": resources.get("instance_count") or 1,
                "instanceType": resources.get("instance_type"),
                "properties": resources.get("properties"),
            }
        ),
        "maxConcurrencyPerInstance": values.get("max_concurrency_per_instance"),
        "miniBatchSize": values.get("mini_batch_size"),
        "outputAction": action and pascal(action),
        "outputFileName": values.get("output_file_name"),
        "errorThreshold": values.get("error_threshold"),
        "loggingLevel": level and level.capitalize(),
        "retrySettings": retry_body(values.get("retry_settings")),
        "properties": values.get("properties") or {},
    }
    return {
        "location": location,
        "tags": values.get("tags") or {},
        "properties": present(properties),
    }


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A deployment as az prints it: the inverse of to_body."""
    properties = resource.get("properties") or {}
    resources = properties.get("resources")
    action, level = properties.get("outputAction"), properties.get("loggingLevel")
    shown = {
        **deployments.common_view(resource),
        "model": (properties.get("model") or {}).get("assetId"),
        "compute": properties.get("compute"),
        "resources": resources and present({snake(key): item for key, item in resources.items()}),
        "max_concurrency_per_instance": properties.get("maxConcurrencyPerInstance"),
        "mini_batch_size": properties.get("miniBatchSize"),
        "output_action": action and snake(action),
        "output_file_name": properties.get("outputFileName"),
        "error_threshold": properties.get("errorThreshold"),
        "logging_level": level and level.lower(),
        "retry_settings": _retry_view(properties.get("retrySettings")),
    }
    return present(shown)


def retry_body(retry: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The retrySettings of a deployment or an invocation; the timeout is in seconds in YAML."""
    if not retry:
        return None
    timeout = retry.get("timeout")
    return present(
        {
            "maxRetries": retry.get("max_retries"),
            "timeout": None if timeout is None else duration(timeout),
        }
    )


def _retry_view(retry: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not retry:
        return None
    timeout = retry.get("timeout")
    return present(
        {
            "max_retries": retry.get("maxRetries"),
            "timeout": seconds(timeout) if isinstance(timeout, str) else timeout,
        }
    )


def _put(workspace: Workspace, found: Document, *, waiting: bool) -> dict[str, Any]:
    values = found.values
    if workspace.find(f"{batch_endpoints.COLLECTION}/{values['endpoint_name']}") is None:
        raise found.error(
            ("endpoint_name",),
            f"there is no batch endpoint {values['endpoint_name']!r}; create it with `lazulite ml"
            f" batch-endpoint create -n {values['endpoint_name']}`",
        )
    body = to_body(resolved(workspace, found), values.get("location") or workspace.location())
    where = VERBS.path(values["endpoint_name"], values["name"])
    return view(operations.put(workspace, where, body, waiting=waiting))


def _make_default(workspace: Workspace, endpoint: str, name: str) -> None:
    current = batch_endpoints.view(workspace.get(f"{batch_endpoints.COLLECTION}/{endpoint}"))
    kept = {key: value for key, value in current.items() if key in batch_endpoints.SHAPE}
    batch_endpoints.put(workspace, {**kept, "defaults": {"deployment_name": name}})


VERBS = deployments.Verbs(batch_endpoints.COLLECTION, SHAPE, view, _put)
update, show, listing, delete = VERBS.update, VERBS.show, VERBS.listing, VERBS.delete
