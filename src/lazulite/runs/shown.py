"""Jobs as clients know them: what the row says, with status, services and outputs.

Source: spec/CLIENTS.md 9 and 10.1.
"""

from __future__ import annotations

from datetime import UTC, datetime

from lazulite.arm.envelope import timestamp
from lazulite.core.ids import segment_of, workspace_of
from lazulite.runs.bindings import outputs
from lazulite.store.resources import Json, Resource


async def show(job: Resource, base: str) -> Json:
    """The read-only properties of a job of any sort."""
    sort = _command if job.properties.get("jobType") == "Command" else _batch
    studio = f"{base}/runs/{job.name}?wsid={workspace_of(job.id)}"
    workspace = segment_of(job.id, "workspaces")
    return {
        **sort(job),
        "status": status_of(job),
        "services": {
            "Studio": {"jobServiceType": "Studio", "endpoint": studio},
            "Tracking": {"jobServiceType": "Tracking", "endpoint": f"{base}/mlflow/{workspace}"},
        },
        "interactionEndpoints": {
            "Studio": {"jobEndpointType": "Studio", "endpoint": studio, "port": None}
        },
        "isArchived": bool(job.properties.get("isArchived")),
        "startTime": start_time(job),
        "endTime": job.observed.get("endTime"),
        "progress": job.observed.get("progress") or {},
        "error": job.observed.get("error"),
    }


def status_of(job: Resource) -> str:
    """Azure's JobStatus."""
    return str(job.observed.get("status", "NotStarted"))


def start_time(job: Resource) -> str | None:
    """When the work began; None before."""
    started = (job.observed.get("progress") or {}).get("started")
    return timestamp(datetime.fromtimestamp(started, UTC)) if started else None


def _command(job: Resource) -> Json:
    literals = {
        name: item["value"]
        for name, item in (job.properties["inputs"] or {}).items()
        if item is not None and item["jobInputType"] == "literal"
    }
    return {
        "outputs": outputs(job),
        "inputs": job.properties["inputs"] or {},
        "parameters": literals,
    }


def _batch(job: Resource) -> Json:
    """A pipeline with the tag of batch runs."""
    return {
        "jobType": "Pipeline",
        "tags": {**job.properties["tags"], "azureml.batchrun": "true"},
        "outputs": {"score": {"jobOutputType": "uri_folder", "uri": job.properties["output"]}},
    }
