"""Where a job stands, whoever brings it about: a supervisor, or a client of run history."""

from __future__ import annotations

from datetime import UTC, datetime

from lazulite.arm.envelope import timestamp
from lazulite.store.resources import Json, Resource

ENDED = {"completed": "Completed", "failed": "Failed", "canceled": "Canceled"}
"""Azure's words for the last states of a supervisor."""
PAUSED = "Paused"
"""A job that keeps what it has done, and no node."""


def is_clients(job: Resource) -> bool:
    """Whether a client runs it and tells how it goes; nothing here starts or stops it."""
    return job.properties.get("jobType") == "Base"


def status_of(job: Resource) -> str:
    """Azure's JobStatus."""
    status = str(told(job).get("status") or "NotStarted")
    is_to_end = job.properties.get("cancelRequested") and status not in ENDED.values()
    return "CancelRequested" if is_to_end else status


def has_ended(job: Resource) -> bool:
    """Whether the job is in its last state."""
    return status_of(job) in ENDED.values()


def is_paused(job: Resource) -> bool:
    """Whether the job is to rest until it is resumed; a cancellation comes first."""
    wishes = job.properties
    return bool(wishes.get("pauseRequested")) and not wishes["cancelRequested"]


def start_time(job: Resource) -> str | None:
    """When the work began; None before."""
    if is_clients(job):
        return told(job).get("startTimeUtc")
    started = (job.observed.get("progress") or {}).get("started")
    return timestamp(datetime.fromtimestamp(started, UTC)) if started else None


def end_time(job: Resource) -> str | None:
    """When it ended; None before."""
    return told(job).get("endTimeUtc" if is_clients(job) else "endTime")


def told(job: Resource) -> Json:
    """What the job's client has told, or what its supervisor was seen to do."""
    return job.properties["clientState"] if is_clients(job) else job.observed
