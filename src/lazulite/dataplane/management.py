"""ARM under the prefixes that clients ask on the regional host, and the jobs of batch endpoints.

Source: spec/REST.md 10, spec/CLIENTS.md 9 and 13.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from lazulite.dataplane.batch_scoring import IN_ARM, BatchScoring
from lazulite.dataplane.refusals import arm_error
from lazulite.dataplane.services import Service

Handler = Callable[[Request], Awaitable[Response]]


def management(arm: Handler, scoring: BatchScoring) -> Service:
    """mferp/managementfrontend: any ARM path, and the jobs of batch endpoints."""
    return Service(
        name="mferp",
        version="managementfrontend",
        routes=scoring.routes(),
        refusal=arm_error,
        bare=IN_ARM,
        otherwise=arm,
    )


def resource_provider(arm: Handler) -> Service:
    """rp/workspaces: ARM, as azureml-core asks for computes."""
    return Service(name="rp", version="workspaces", routes=(), refusal=arm_error, otherwise=arm)
