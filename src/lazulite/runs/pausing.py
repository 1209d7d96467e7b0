"""The wish that a batch scoring job rest, and that it go on: an extension, Azure has no such thing.

The job's supervisor finishes what was begun and ends; the journal keeps what is done. The nodes go
to others, and the job asks for some again when it is resumed.
"""

from __future__ import annotations

from lazulite.core.errors import ArmError
from lazulite.runs.run_rows import Runs
from lazulite.runs.status import has_ended, status_of
from lazulite.store.resources import Json, Resource


async def request(runs: Runs, job: Resource, actor: str, *, pause: bool) -> Resource:
    """Note the wish; the job as it is then. A second call changes nothing.

    Raises ArmError 400 for a job that cannot rest, 409 for one that has ended.
    """
    _check_sort(job)

    def wished(now: Resource) -> Json:
        _check_state(now)
        return {**now.properties, "pauseRequested": pause}

    return await runs.change(job, wished, actor)


def _check_sort(job: Resource) -> None:
    if "deployment" not in job.properties:
        raise ArmError(
            "PauseNotSupported",
            f"The job {job.name!r} is no batch scoring job: only these keep what is done and can "
            "be paused. Cancel it instead, and submit it again.",
        )


def _check_state(job: Resource) -> None:
    if has_ended(job) or job.properties["cancelRequested"]:
        message = f"The job {job.name!r} is {status_of(job)}: only a job that goes on can rest."
        raise ArmError("Conflict", message, 409)
