"""Online and batch endpoints as `ml endpoint` has them: how the words of 2021-05 become ours.

Source: seeds 001 and 002 (the tables of keys), spec/BATCH.md 1.1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from lazulite.cli import (
    batch_deployments,
    batch_endpoints,
    deployments,
    online_deployments,
    online_endpoints,
)
from lazulite.cli.deployments import present
from lazulite.cli.documents import Document
from lazulite.cli.errors import CommandError
from lazulite.cli.shapes import ANYTHING, INTEGER, NUMBERS, TEXT, Shape
from lazulite.cli.spelling import nearest
from lazulite.cli.workspace import API_VERSION, Workspace

_MANAGED = frozenset({"managed", "vm", "vm:managed"})
_BOTH: Mapping[str, Shape] = {"type": TEXT, "deployments": ANYTHING}
_MANUAL: Mapping[str, Shape] = {
    "scale_type": frozenset({"manual"}),
    "instance_count": INTEGER,
    "min_instances": INTEGER,
    "max_instances": INTEGER,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class EndpointType:
    """What differs between online and batch endpoints."""

    word: str
    verbs: deployments.Verbs
    shape: Mapping[str, Shape]
    """Of an endpoint's file of 2021-05."""
    deployment_shape: Mapping[str, Shape]
    shares: frozenset[int]
    """The percentages of traffic that one deployment may have."""
    version: str
    """Of the API that says all of an endpoint."""
    view: Callable[[Mapping[str, Any]], dict[str, Any]]
    put: Callable[..., dict[str, Any]]
    """put(workspace, values, waiting=...) of an endpoint."""
    modern: Callable[[dict[str, Any]], dict[str, Any]]
    """An endpoint's values in the words of version 2."""
    modern_deployment: Callable[[dict[str, Any]], dict[str, Any]]
    old: Callable[[dict[str, Any]], dict[str, Any]]
    """The inverses."""
    old_deployment: Callable[[dict[str, Any]], dict[str, Any]]
    resolved: Callable[[Workspace, Document], dict[str, Any]]
    to_body: Callable[[Mapping[str, Any], str], dict[str, Any]]

    def path(self, name: str) -> str:
        """An endpoint's path in the workspace."""
        return f"{self.verbs.endpoints}/{name}"


def _modern_online(values: dict[str, Any]) -> dict[str, Any]:
    """`target` and `infrastructure` are what became `compute`."""
    rest = {name: item for name, item in values.items() if name not in {"target", "infrastructure"}}
    place = str(values.get("target") or values.get("infrastructure") or "")
    return rest if not place or place.lower() in _MANAGED else {**rest, "compute": place}


def _modern_online_deployment(values: dict[str, Any]) -> dict[str, Any]:
    """With `manual` scale only the count counts: least and most are for other types."""
    rest = dict(values)
    scale = rest.get("scale_settings") or {}
    if not scale.get("type"):
        rest["scale_settings"] = None
        rest["instance_count"] = scale.get("instance_count") or rest.get("instance_count")
    rest["resources"] = rest.pop("resource_requirements", None) or rest.get("resources")
    return present(rest)


def _old_online_deployment(values: dict[str, Any]) -> dict[str, Any]:
    count = values.get("instance_count")
    rest = {name: item for name, item in values.items() if name not in {"instance_count", "type"}}
    return {**rest, "scale_settings": {"scale_type": "manual", "instance_count": count}}


def _modern_batch(values: dict[str, Any]) -> dict[str, Any]:
    """The deployment with all the traffic is what became the default."""
    if "traffic" not in values:
        return values
    rest = {name: item for name, item in values.items() if name not in {"traffic", "defaults"}}
    active = [name for name, share in (values["traffic"] or {}).items() if share == 100]
    return {**rest, "defaults": {"deployment_name": active[0]}} if active else rest


def _old_batch(values: dict[str, Any]) -> dict[str, Any]:
    rest = {name: item for name, item in values.items() if name != "defaults"}
    active = (values.get("defaults") or {}).get("deployment_name")
    return {**rest, "traffic": {active: 100} if active else {}}


def _old_batch_deployment(values: dict[str, Any]) -> dict[str, Any]:
    count = (values.get("resources") or {}).get("instance_count")
    rest = {name: item for name, item in values.items() if name != "resources"}
    return {**rest, "compute": present({"target": rest.get("compute"), "instance_count": count})}


ONLINE = EndpointType(
    word="online",
    verbs=online_deployments.VERBS,
    shape={**online_endpoints.SHAPE, **_BOTH, "target": TEXT, "infrastructure": TEXT},
    deployment_shape={
        **online_deployments.SHAPE,
        "scale_settings": {**online_deployments.SCALE, **_MANUAL},
        "resource_requirements": ANYTHING,
    },
    shares=frozenset(range(101)),
    version=online_endpoints.VERSION,
    view=online_endpoints.view,
    put=online_endpoints.put,
    modern=_modern_online,
    modern_deployment=_modern_online_deployment,
    old=dict,
    old_deployment=_old_online_deployment,
    resolved=online_deployments.resolved,
    to_body=online_deployments.to_body,
)
BATCH = EndpointType(
    word="batch",
    verbs=batch_deployments.VERBS,
    shape={**batch_endpoints.SHAPE, **_BOTH, "traffic": NUMBERS},
    deployment_shape=batch_deployments.SHAPE,
    shares=frozenset({0, 100}),
    version=API_VERSION,
    view=batch_endpoints.view,
    put=batch_endpoints.put,
    modern=_modern_batch,
    modern_deployment=dict,
    old=_old_batch,
    old_deployment=_old_batch_deployment,
    resolved=batch_deployments.resolved,
    to_body=batch_deployments.to_body,
)
TYPES: Mapping[str, EndpointType] = {"online": ONLINE, "batch": BATCH}


def type_of(said: str, found: Document) -> EndpointType:
    """The type that --type says, else the file; online without either. Raises CommandError."""
    written = str(found.values.get("type") or "")
    for word, where in ((said, "--type"), (written, "type")):
        if word and word.lower() not in TYPES:
            close = nearest(word.lower(), TYPES)
            message = f"{where} {word!r} is not one of batch, online{close}"
            raise CommandError("InvalidArgument", message)
    if said and written and said.lower() != written.lower():
        raise found.error(("type",), f"the file says {written}, and --type says {said}")
    return TYPES[(said or written or "online").lower()]
