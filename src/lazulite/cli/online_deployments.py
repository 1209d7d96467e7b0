"""`ml online-deployment`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lazulite.cli import deployments, online_endpoints, operations
from lazulite.cli.arguments import Arguments
from lazulite.cli.deployments import present
from lazulite.cli.documents import Document
from lazulite.cli.errors import CommandError, InterruptedCommandError
from lazulite.cli.log_following import follow
from lazulite.cli.shapes import ANYTHING, FLAG, INTEGER, NUMBER, TEXT, Shape
from lazulite.cli.wire import camel, duration, pascal, seconds, snake
from lazulite.cli.workspace import Workspace

_PROBE: Mapping[str, Shape] = {
    "failure_threshold": INTEGER,
    "success_threshold": INTEGER,
    "initial_delay": NUMBER,
    "period": NUMBER,
    "timeout": NUMBER,
}
SCALE: Mapping[str, Shape] = {
    "type": frozenset({"default", "target_utilization"}),
    "min_instances": INTEGER,
    "max_instances": INTEGER,
    "polling_interval": NUMBER,
    "target_utilization_percentage": INTEGER,
}
SHAPE: Mapping[str, Shape] = {
    **deployments.SHAPE,
    "type": frozenset({"managed", "kubernetes"}),
    "app_insights_enabled": FLAG,
    "instance_type": TEXT,
    "instance_count": INTEGER,
    "model_mount_path": TEXT,
    "request_settings": {
        "request_timeout_ms": INTEGER,
        "max_concurrent_requests_per_instance": INTEGER,
        "max_queue_wait_ms": INTEGER,
    },
    "liveness_probe": _PROBE,
    "readiness_probe": _PROBE,
    "scale_settings": SCALE,
    "egress_public_network_access": frozenset({"enabled", "disabled"}),
    "resources": ANYTHING,
    "data_collector": ANYTHING,
}
_NOT_HERE = ("resources", "data_collector", "egress_public_network_access")
_FOLLOWED = {
    "InferenceServer": "inference-server",
    "StorageInitializer": "storage-initializer",
}
_CONTAINERS = {"inferenceserver": "InferenceServer", "storageinitializer": "StorageInitializer"}


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Create or replace the deployment; --all-traffic sends it all requests once it is ready."""
    found = deployments.document(arguments, SHAPE)
    with _left_to_do(found.values if arguments.all_traffic else {}):
        result = _put(workspace, found, waiting=not arguments.no_wait)
    if arguments.all_traffic and not arguments.no_wait:
        _give_all_traffic(workspace, found.values["endpoint_name"], found.values["name"])
    elif arguments.all_traffic:
        workspace.report.note("With --no-wait, --all-traffic is left to a later update.")
    return result


@contextmanager
def _left_to_do(values: Mapping[str, Any]) -> Iterator[None]:
    """After Ctrl-C: say how the deployment gets its traffic. values: nothing if it gets none."""
    try:
        yield
    except InterruptedCommandError as error:
        if not values:
            raise
        update = "lazulite ml online-endpoint update -n {endpoint_name} --traffic {name}=100"
        told = f"{error.message} It has no traffic yet: `{update.format_map(values)}` gives it all."
        raise InterruptedCommandError(told) from error


def logs(workspace: Workspace, arguments: Arguments) -> None:
    """Print the logs of the deployment's replicas; with --follow, until the user stops it."""
    chosen = container(arguments)
    if arguments.follow:
        follow(workspace, arguments, _FOLLOWED[chosen])
    body = {"tail": arguments.lines, "containerType": chosen}
    answer = workspace.post(f"{VERBS.path(arguments.endpoint_name, arguments.name)}/getLogs", body)
    print(answer.get("content") or "")


def container(arguments: Arguments) -> str:
    """Whose logs --container asks for, as the server names it. Raises CommandError."""
    chosen = (arguments.container or "inference-server").lower().replace("-", "").replace("_", "")
    if chosen not in _CONTAINERS:
        raise CommandError(
            "InvalidArgument",
            f"--container {arguments.container!r} must be inference-server or storage-initializer.",
        )
    return _CONTAINERS[chosen]


def resolved(workspace: Workspace, found: Document) -> dict[str, Any]:
    """The values with what they define in place registered: ARM ids only."""
    for name in _NOT_HERE:
        if found.values.get(name):
            workspace.report.note(f"{name} has no effect on a self-hosted server.")
    return deployments.registered(workspace, found)


def to_body(values: Mapping[str, Any], location: str) -> dict[str, Any]:
    """The body of a PUT; model, environment and code are ARM ids by now."""
    kubernetes = values.get("type") == "kubernetes"
    properties = {
        "endpointComputeType": "Kubernetes" if kubernetes else "Managed",
        "description": values.get("description"),
        "model": values.get("model"),
        "environmentId": values.get("environment"),
        "codeConfiguration": deployments.code_body(values),
        "environmentVariables": values.get("environment_variables") or {},
        "appInsightsEnabled": values.get("app_insights_enabled") or False,
        "instanceType": values.get("instance_type"),
        "modelMountPath": values.get("model_mount_path"),
        "requestSettings": _requests_body(values.get("request_settings")),
        "livenessProbe": _probe_body(values.get("liveness_probe")),
        "readinessProbe": _probe_body(values.get("readiness_probe")),
        "scaleSettings": _scale_body(values.get("scale_settings")),
        "properties": values.get("properties") or {},
    }
    return {
        "location": location,
        "tags": values.get("tags") or {},
        "sku": {"name": "Default", "capacity": values.get("instance_count") or 1},
        "properties": present(properties),
    }


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A deployment as az prints it: the inverse of to_body."""
    properties = resource.get("properties") or {}
    shown = {
        **deployments.common_view(resource),
        "type": str(properties.get("endpointComputeType") or "managed").lower(),
        "model": properties.get("model"),
        "app_insights_enabled": properties.get("appInsightsEnabled"),
        "instance_type": properties.get("instanceType"),
        "instance_count": (resource.get("sku") or {}).get("capacity"),
        "model_mount_path": properties.get("modelMountPath"),
        "request_settings": _requests_view(properties.get("requestSettings")),
        "liveness_probe": _probe_view(properties.get("livenessProbe")),
        "readiness_probe": _probe_view(properties.get("readinessProbe")),
        "scale_settings": _scale_view(properties.get("scaleSettings")),
        "running_instances": properties.get("runningInstances"),
        "replicas": [present(replica) for replica in properties.get("replicas") or []],
    }
    return present(shown)


def _put(workspace: Workspace, found: Document, *, waiting: bool) -> dict[str, Any]:
    values = found.values
    # Refused here, before anything is uploaded, with the remedy at hand.
    if workspace.find(f"{online_endpoints.COLLECTION}/{values['endpoint_name']}") is None:
        raise found.error(
            ("endpoint_name",),
            f"there is no online endpoint {values['endpoint_name']!r}; create it with `lazulite ml"
            f" online-endpoint create -n {values['endpoint_name']}`",
        )
    body = to_body(resolved(workspace, found), values.get("location") or workspace.location())
    where = VERBS.path(values["endpoint_name"], values["name"])
    made = operations.put(workspace, where, body, waiting=waiting)
    if notice := made["properties"].get("capacityNotice"):
        workspace.report.note(notice)
    return view(made)


def _give_all_traffic(workspace: Workspace, endpoint: str, name: str) -> None:
    current = online_endpoints.view(workspace.get(f"{online_endpoints.COLLECTION}/{endpoint}"))
    kept = {key: value for key, value in current.items() if key in online_endpoints.SHAPE}
    online_endpoints.put(workspace, {**kept, "traffic": {name: 100}})


def _requests_body(settings: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not settings:
        return None
    timeout, wait = settings.get("request_timeout_ms"), settings.get("max_queue_wait_ms")
    return present(
        {
            "requestTimeout": None if timeout is None else duration(timeout / 1000),
            "maxQueueWait": None if wait is None else duration(wait / 1000),
            "maxConcurrentRequestsPerInstance": settings.get(
                "max_concurrent_requests_per_instance"
            ),
        }
    )


def _requests_view(settings: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not settings:
        return None
    timeout, wait = settings.get("requestTimeout"), settings.get("maxQueueWait")
    return present(
        {
            "request_timeout_ms": timeout and round(seconds(timeout) * 1000),
            "max_queue_wait_ms": wait and round(seconds(wait) * 1000),
            "max_concurrent_requests_per_instance": settings.get(
                "maxConcurrentRequestsPerInstance"
            ),
        }
    )


def _probe_body(probe: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not probe:
        return None
    return {
        camel(name): value if name.endswith("threshold") else duration(value)
        for name, value in probe.items()
        if value is not None
    }


def _probe_view(probe: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not probe:
        return None
    return {
        snake(name): seconds(value) if isinstance(value, str) else value
        for name, value in probe.items()
        if value is not None
    }


def _scale_body(scale: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not scale:
        return None
    body = {camel(name): value for name, value in scale.items() if name != "type"}
    if body.get("pollingInterval") is not None:
        body["pollingInterval"] = duration(body["pollingInterval"])
    return present({"scaleType": pascal(scale.get("type") or "default"), **body})


def _scale_view(scale: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not scale:
        return None
    shown = {snake(name): value for name, value in scale.items() if name != "scaleType"}
    if isinstance(shown.get("polling_interval"), str):
        shown["polling_interval"] = seconds(shown["polling_interval"])
    return present({"type": snake(str(scale.get("scaleType") or "Default")), **shown})


VERBS = deployments.Verbs(online_endpoints.COLLECTION, SHAPE, view, _put)
update, show, listing, delete = VERBS.update, VERBS.show, VERBS.listing, VERBS.delete
