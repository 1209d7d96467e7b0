"""Where the outputs of jobs go: for the jobs themselves, and for whoever reads from them."""

from __future__ import annotations

from lazulite.store.resources import Json, Resource

DEFAULT = "azureml://datastores/workspaceblobstore/paths/azureml/{job}/{name}"
ARTIFACT_CONTAINER, RUN_FOLDERS = "azureml", "ExperimentRun"
"""Where the folders of all runs are: the container of workspaceartifactstore, and a folder."""
ARTIFACTS = f"azureml://datastores/workspaceartifactstore/paths/{RUN_FOLDERS}/dcid.{{job}}"
"""The folder of a run's logs and outputs/. Source: spec/REST.md 9.1."""


def outputs_of(job: Resource) -> dict[str, Json]:
    """The named outputs of a job of any sort, each with its URI."""
    if "output" in job.properties:  # of batch scoring
        return {"score": {"jobOutputType": "uri_folder", "uri": job.properties["output"]}}
    return {
        name: {**output, "uri": output.get("uri") or DEFAULT.format(job=job.name, name=name)}
        for name, output in (job.properties.get("outputs") or {}).items()
    }
