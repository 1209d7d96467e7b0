"""The shapes of runs and experiments in run history. Source: spec/REST.md 9.2."""

from __future__ import annotations

from lazulite.arm.envelope import timestamp
from lazulite.core.ids import name_of, segment_of, workspace_of
from lazulite.deployments.job_outputs import outputs_of
from lazulite.runs.scoring_step import is_step
from lazulite.runs.status import end_time, is_clients, start_time, status_of, told
from lazulite.store.resources import Json, Resource

ORIGIN = "ExperimentRun"
"""Of the artifacts of runs."""
SCRIPT_RUN, BATCH_RUN = "azureml.scriptrun", "azureml.parallelrun"


def run_view(run: Resource, base: str, experiment_id: str | None = None) -> Json:
    """A Run."""
    properties = run.properties
    services = f"{base}/execution/v1.0{workspace_of(run.id)}/experiments"
    return {
        **details_view(run, {}),
        "runNumber": int(run.created_at.timestamp()),
        "rootRunId": told(run).get("parentRunId") or run.name,
        "runUuid": run.uid,
        "experimentId": experiment_id,
        "experimentName": properties["experimentName"],
        "createdUtc": timestamp(run.created_at),
        "createdBy": {"userObjectId": run.created_by, "userName": run.created_by},
        "userId": run.created_by,
        "lastModifiedUtc": timestamp(run.modified_at),
        "token": None,
        "tokenExpiryTimeUtc": None,
        "heartbeatEnabled": False,
        "options": {"generateDataContainerIdIfNotSpecified": True},
        "name": properties["displayName"],
        "displayName": properties["displayName"],
        "dataContainerId": container_of(run),
        "description": properties["description"],
        "hidden": bool(properties.get("isArchived")),
        "runType": run_type(run),
        "scriptName": script_of(run),
        "createdFrom": None,
        "cancelUri": f"{services}/{properties['experimentName']}/runId/{run.name}/cancel",
        "diagnosticsUri": None,
        "outputs": output_views(run),
        "inputs": properties.get("inputs") or {},
        "services": {},
    }


def details_view(run: Resource, log_files: dict[str, str]) -> Json:
    """RunDetails. log_files: URLs by name."""
    return {
        "runId": run.name,
        "target": target_of(run),
        "status": status_of(run),
        "parentRunId": told(run).get("parentRunId"),
        "startTimeUtc": start_time(run),
        "endTimeUtc": end_time(run),
        "error": error_view(run),
        "warnings": run.properties.get("warnings") or [],
        "tags": run.properties["tags"],
        "properties": run.properties["properties"],
        "runDefinition": definition_of(run),
        "logFiles": log_files,
        "revision": run.revision,
        "progress": run.observed.get("progress"),
    }


def error_view(run: Resource) -> Json | None:
    """The ErrorResponse of a failed run."""
    error = told(run).get("error")
    if not error or "error" in error:  # a client's own has the envelope
        return error or None
    return {
        "error": {
            "code": "UserError",
            "message": error.get("message"),
            "target": error.get("target"),
            "details": error.get("details") or [],
            "innerError": {"code": error.get("code"), "innerError": None},
        },
        "correlation": {"operation": None, "request": None},
        "environment": "local",
        "location": "local",
        "time": end_time(run),
    }


def experiment_view(experiment: Resource) -> Json:
    """An Experiment."""
    properties = experiment.properties
    return {
        "experimentId": experiment.uid,
        "name": experiment.name,
        "description": properties["description"],
        "createdUtc": timestamp(experiment.created_at),
        "tags": properties["tags"],
        "archivedTime": properties["archivedTime"],
        "latestCreatedRunId": properties.get("latestCreatedRunId"),
        "latestCreatedRunCreatedUtc": properties.get("latestCreatedRunCreatedUtc"),
        "artifactLocation": None,
    }


def output_views(run: Resource) -> Json:
    """Named outputs as clients download them. Source: spec/CLIENTS.md 10.2."""
    return {
        name: {"assetId": output["uri"], "type": output["jobOutputType"]}
        for name, output in outputs_of(run).items()
    }


def container_of(run: Resource) -> str:
    """The container of the run's artifacts; a step has those of its job."""
    return f"dcid.{run.observed['parentRunId'] if is_step(run) else run.name}"


def run_type(run: Resource) -> str | None:
    """What sort of run it is."""
    if is_clients(run):
        found: str | None = told(run).get("runType")
        return found
    return SCRIPT_RUN if run.properties.get("jobType") == "Command" else BATCH_RUN


def target_of(run: Resource) -> str | None:
    """The name of the compute."""
    if is_clients(run):
        found: str | None = told(run).get("target")
        return found
    return name_of(run.properties["computeId"])


def script_of(run: Resource) -> str | None:
    """The script of the run definition."""
    configuration = (run.properties.get("runDefinition") or {}).get("configuration") or {}
    return configuration.get("script") or (told(run).get("scriptName") if is_clients(run) else None)


def definition_of(run: Resource) -> Json | None:
    """The run definition as it was sent; of a job, what corresponds to it."""
    properties = run.properties
    if is_clients(run):
        found: Json | None = told(run).get("runDefinition")
        return found
    if sent := properties.get("runDefinition"):
        configuration: Json = sent["configuration"]
        return configuration
    return {
        "command": properties.get("command"),
        "target": target_of(run),
        "jobName": run.name,
        "environment": {"name": segment_or_none(str(properties.get("environmentId")))},
    }


def segment_or_none(reference: str) -> str | None:
    """The name of an environment in its id."""
    try:
        return segment_of(reference, "environments")
    except KeyError:
        return None
