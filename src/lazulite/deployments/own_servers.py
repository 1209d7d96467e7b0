"""Online deployments whose image brings its own server. Source: spec/REST.md, inferenceConfig."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lazulite
from lazulite.core.durations import parse_duration
from lazulite.core.errors import SpecError
from lazulite.deployments.materials import Materials
from lazulite.deployments.probes import probe_of
from lazulite.executors.container import OWN_CONTAINER
from lazulite.executors.launch import Sandbox
from lazulite.serving.own_server import MODULE, VARIABLE, OwnServer, Route
from lazulite.serving.replica_sets import ReplicaSpec
from lazulite.store.resources import Resource


def own_replicas(
    deployment: Resource, materials: Materials, instances: int, init_timeout_s: float
) -> ReplicaSpec:
    """What its replicas are started with: containers of the image as it is.

    Raises SpecError if the image does not say where it scores.
    """
    given = deployment.properties["environmentVariables"]
    own = {name: str(value) for name, value in given.items() if value is not None}
    timeout = deployment.properties["requestSettings"]["requestTimeout"]
    server = own_server(deployment.properties, materials, {**own, **materials.variables()})
    return ReplicaSpec(
        python="",
        module=MODULE,
        sandbox=Sandbox(kind=OWN_CONTAINER).to_json(),
        processes=instances,
        env={
            VARIABLE: server.to_text(),
            "PYTHONPATH": str(Path(lazulite.__file__).parents[1]),
        },
        code_dir=None,
        init_timeout_s=init_timeout_s,
        request_timeout_ms=int(parse_duration(timeout).total_seconds() * 1000),
    )


def own_server(
    properties: Mapping[str, Any], materials: Materials, env: Mapping[str, str]
) -> OwnServer:
    """The container of one replica. Raises SpecError without a scoring route."""
    routes = {name: _route(materials.server or {}, f"{name}Route") for name in _ROUTES}
    scoring = routes["scoring"]
    if scoring is None:
        raise SpecError(
            "ScoringRouteMissing",
            "The environment's inferenceConfig has no scoringRoute: say the path and the port that "
            "the image scores at.",
            target="inferenceConfig.scoringRoute",
        )
    return OwnServer(
        sandbox=materials.sandbox,
        scoring=scoring,
        readiness=routes["readiness"],
        liveness=routes["liveness"],
        readiness_probe=probe_of(properties, "readinessProbe"),
        liveness_probe=probe_of(properties, "livenessProbe"),
        env=env,
    )


_ROUTES = ("scoring", "readiness", "liveness")


def _route(server: Mapping[str, Any], name: str) -> Route | None:
    found = server.get(name)
    return Route(path=str(found["path"]), port=int(found["port"])) if found else None
