"""Jobs as clients know them: what the row says, with status, services and outputs.

Source: spec/CLIENTS.md 9 and 10.1.
"""

from __future__ import annotations

from lazulite.core.ids import segment_of, workspace_of
from lazulite.deployments.job_outputs import outputs_of
from lazulite.deployments.signed_uris import unsigned
from lazulite.runs.scoring_step import is_step
from lazulite.runs.status import end_time, start_time, status_of, told
from lazulite.store.resources import Json, Resource

SIGNED = ("inputs", "outputs", "output", "said")
"""Where URIs of the caller's are kept."""


async def show(job: Resource, base: str) -> Json:
    """The read-only properties of a job of any sort."""
    sort = SORTS.get(str(job.properties.get("jobType")), _batch)
    studio = f"{base}/runs/{job.name}?wsid={workspace_of(job.id)}"
    workspace = segment_of(job.id, "workspaces")
    signed = {name: job.properties[name] for name in SIGNED if name in job.properties}
    return {
        **unsigned({**signed, **sort(job)}),
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
        "endTime": end_time(job),
        "progress": job.observed.get("progress") or {},
        "error": told(job).get("error"),
    }


def _clients(job: Resource) -> Json:
    return {"outputs": {}, "inputs": {}, "parameters": {}}


def _command(job: Resource) -> Json:
    literals = {
        name: item["value"]
        for name, item in (job.properties["inputs"] or {}).items()
        if item is not None and item["jobInputType"] == "literal"
    }
    return {
        "outputs": outputs_of(job),
        "inputs": job.properties["inputs"] or {},
        "parameters": literals,
    }


def _batch(job: Resource) -> Json:
    """A pipeline with the tag of batch runs, which tells clients to look for its step."""
    mark = {} if is_step(job) else {"azureml.batchrun": "true"}
    return {
        "jobType": "Pipeline",
        "tags": {**job.properties["tags"], **mark},
        "outputs": outputs_of(job),
    }


SORTS = {"Command": _command, "Base": _clients}
