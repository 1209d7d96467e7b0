"""Starting deployments of a local endpoint: all of them are looked at before one is touched."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from lazulite.cli.documents import Document
from lazulite.cli.errors import CommandError
from lazulite.environments.service import Built
from lazulite.local.endpoints import LocalEndpoints, address
from lazulite.local.plan import LocalPlan, ignored, read_plan
from lazulite.local.records import LocalDeployment, LocalEndpoint
from lazulite.local.starting import Starter

_UNUSED = {"auth_mode": "key", "mirror_traffic": None, "compute": None, "identity": None}
"""Fields of an endpoint that have no effect here, with what goes without saying."""


def deploy(
    local: LocalEndpoints, name: str, found: Sequence[Document], debug_port: int | None = None
) -> LocalEndpoint:
    """Start deployments of an endpoint, or start them anew with what they are to be now.

    All of them are read and their environments built before one is stopped, so that a fault in a
    file leaves everything as it was. Raises CommandError, also for one that does not start: it
    stays with its logs.
    """
    with local.records.changing(name):
        endpoint = local.records.get(name)
        plans = [read_plan(each) for each in found]
        _say_ignored(local, endpoint, plans)
        starter = Starter.of(local.replicas, local.settings, local.environ, local.report)
        built = [starter.built(plan.definition) for plan in plans]
        for plan, environment in zip(plans, built, strict=True):
            new = _next(endpoint, plan, environment, debug_port)
            if (old := endpoint.find(plan.name)) is not None:
                local.replicas.stop(old.task)
            endpoint = endpoint.having(new)
            local.records.write(endpoint)
            _start(starter, plan, environment, (endpoint, new))
            said = f"{new.name} answers at {address(new)}/score, without a key."
            local.report.note(said)
    return endpoint


def free_port() -> int:
    """A port of the loopback that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _start(
    starter: Starter,
    plan: LocalPlan,
    environment: Built,
    place: tuple[LocalEndpoint, LocalDeployment],
) -> None:
    endpoint, new = place
    try:
        starter.started(plan, environment, new.task, (new.port, new.debug_port))
    except CommandError as error:
        look = f"lazulite ml online-deployment get-logs --local -n {new.name} -e {endpoint.name}"
        said = f"{error.message.rstrip()}\nIts log: {look}"
        raise CommandError(error.code, said, exit_code=error.exit_code) from error


def _say_ignored(
    local: LocalEndpoints, endpoint: LocalEndpoint, plans: Sequence[LocalPlan]
) -> None:
    """Once for all deployments: nobody shall think that a limit or a key holds here."""
    values = endpoint.values
    of_endpoint = [name for name, plain in _UNUSED.items() if values.get(name) not in (None, plain)]
    names = [*of_endpoint, *(name for plan in plans for name in ignored(plan.values))]
    if names:
        listed = ", ".join(dict.fromkeys(names))
        local.report.note(f"Without effect on a local endpoint: {listed}.")


def _next(
    endpoint: LocalEndpoint, plan: LocalPlan, environment: Built, debug_port: int | None
) -> LocalDeployment:
    """The deployment with another task and the port that it had, if it was there."""
    old = endpoint.find(plan.name)
    number = int(old.task.rpartition("-")[2]) + 1 if old else 1
    return LocalDeployment(
        values=plan.values,
        task=f"{endpoint.name}.{plan.name}-{number}".lower(),
        port=old.port if old else free_port(),
        environment=environment.hash,
        debug_port=debug_port,
    )
