"""The one step of a batch scoring job, as a run of its own.

In Azure such a job is a pipeline, and what scores is its child, which has the output `score` and
the logs: clients look for the child to download results. Here it is the same row, seen otherwise.
Source: spec/CLIENTS.md 9.
"""

from __future__ import annotations

from lazulite.core.errors import ArmError
from lazulite.runs.status import is_clients
from lazulite.store.resources import Resource, Resources

STEP = "batchscoring"
"""What Azure calls it."""
_ENDING = f"_{STEP}"


def step_of(job: Resource) -> Resource:
    """The run that scores, of a batch scoring job."""
    return job._replace(
        id=job.id + _ENDING,
        properties={**job.properties, "displayName": STEP},
        observed={**job.observed, "parentRunId": job.name},
    )


def is_step(run: Resource) -> bool:
    """Whether it is no row of its own."""
    return not is_clients(run) and "parentRunId" in run.observed


def is_scoring(job: Resource) -> bool:
    """Whether it is a batch scoring job."""
    return not is_clients(job) and job.properties.get("jobType") != "Command"


async def find_run(resources: Resources, run_id: str) -> Resource | None:
    """The job or run of that ARM id, or the step of a job."""
    found = await resources.find(run_id)
    if found is not None or not run_id.endswith(_ENDING):
        return found
    job = await resources.find(run_id.removesuffix(_ENDING))
    return step_of(job) if job is not None and is_scoring(job) else None


def refuse_step(run: Resource) -> None:
    """Raise ArmError 409 for a step: what it is follows from its job."""
    if is_step(run):
        parent = run.observed["parentRunId"]
        message = f"The run {run.name!r} is the step of the job {parent!r}: change that one."
        raise ArmError("Conflict", message, 409)
