"""hyperdrive/v1.0: sweeps. A configuration is checked, and refused: nothing runs them here yet.

Source: spec/REST.md 9.1 and 9.7, spec/CLIENTS.md 13.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from lazulite.arm.json_reader import read_json
from lazulite.core.errors import ArmError
from lazulite.dataplane.multipart import open_form
from lazulite.dataplane.refusals import hyperdrive_error, not_implemented
from lazulite.dataplane.requests import Asked, read_model
from lazulite.dataplane.services import Service, ServiceRoute

LARGEST_CONFIG = 4 * 1024 * 1024  # bytes
RUNS = "experiments/{experiment}/runs"


class Policy(BaseModel):
    """When to end runs early."""

    name: Literal["Default", "Bandit", "MedianStopping", "TruncationSelection"]
    properties: dict[str, Any] | None = None


class Sweep(BaseModel):
    """What the part named config holds; names are in snake_case in this service."""

    model_config = ConfigDict(extra="ignore")

    name: str = Field(min_length=1)
    platform: Literal["AML"]
    user: str
    platform_config: dict[str, Any]
    generator_config: dict[str, Any]
    policy_config: Policy
    primary_metric_config: dict[str, Any]
    description: str | None = None
    max_total_jobs: int | None = Field(default=None, ge=1)
    max_concurrent_jobs: int | None = Field(default=None, ge=1)
    max_duration_minutes: int | None = Field(default=None, ge=1)
    study_id: int | None = None


def hyperdrive() -> Service:
    """Runs of an experiment: create, get, cancel."""
    write, read = "experiments/runs/submit/action", "experiments/runs/read"
    return Service(
        name="hyperdrive",
        version="v1.0",
        routes=(
            ServiceRoute("POST", RUNS, write, create, parts=("config",)),
            ServiceRoute("GET", f"{RUNS}/{{run}}", read, missing),
            ServiceRoute("GET", "experiments/{experiment}/hdruns/{run}", read, missing),
            ServiceRoute("POST", f"{RUNS}/{{run}}/cancel", write, missing),
        ),
        refusal=hyperdrive_error,
    )


async def create(asked: Asked) -> Response:
    """Check the configuration. Raises ArmError: 400 for a bad one, 501 for a good one."""
    async with open_form(asked.http, LARGEST_CONFIG) as form:
        if "config" not in form:
            message = "The form has no part named 'config' with the configuration as JSON."
            raise ArmError("ValidationError", message, target="config")
        sweep = read_model(Sweep, read_json(form["config"].read()))
    raise not_implemented(
        f"Running the sweep {sweep.name!r}, which generates and compares runs,",
        "start its runs one by one with execution/v1.0 startrun, or as command jobs.",
    )


async def missing(asked: Asked) -> Response:
    """No sweep was ever run. Raises ArmError 404."""
    message = f"There is no hyperdrive run {asked.names['run']!r}."
    raise ArmError("RunNotFound", message, 404)
