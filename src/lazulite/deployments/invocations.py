"""The body of a batch invocation, in the forms of 2021 and of 2023. Source: spec/BATCH.md 1.9."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from lazulite.arm.bodies import read_form
from lazulite.arm.kind import ASSET_NAME, Properties
from lazulite.core.durations import parse_duration
from lazulite.core.errors import ArmError
from lazulite.core.ids import name_of
from lazulite.deployments.batch_extensions import (
    OF_JOBS,
    RERUN_FAILED,
    check_extensions,
    file_name,
    merged,
)
from lazulite.deployments.unserved import Unserved, refuse_unserved
from lazulite.store.resources import Json, Resource

FOLDER, FILE = "uri_folder", "uri_file"
DEFAULT_STORE = "workspaceblobstore"
LONGEST_RUN = timedelta(seconds=259_200)
MOST, MOST_FILES = (1 << 31) - 1, (1 << 63) - 1
"""What Azure's whole numbers of 32 and 64 bits can be. Source: spec/REST.md 7.7 and 8.3."""


MOST_PROCESSES = max(64, 4 * (os.cpu_count() or 1))
"""On one node, which is this machine: each loads the model, and has a place from the start."""


def _is_concurrency(count: int) -> int:
    if count > MOST_PROCESSES:
        raise ValueError(
            f"{count} is too many: a node of this machine has at most {MOST_PROCESSES} processes, "
            "and more than it has cores seldom help. Lower it, or ask for more instances"
        )
    return count


def _is_file_name(text: str) -> str:
    if not re.fullmatch(r"[^/\\\0]{1,200}", text) or text in {".", ".."}:
        raise ValueError(f"{text!r} is no plain name of a file")
    return text


def _is_run_timeout(text: str) -> str:
    try:
        duration = parse_duration(text)
    except ArmError as error:
        raise ValueError(error.message) from error
    if not timedelta(0) < duration <= LONGEST_RUN:
        raise ValueError(f"{text} must be more than 0 and at most PT259200S")
    return text


Concurrency = Annotated[int, Field(ge=1, le=MOST), AfterValidator(_is_concurrency)]
FileName = Annotated[str, AfterValidator(_is_file_name)]
RunTimeout = Annotated[str, AfterValidator(_is_run_timeout)]
"""For one run(): Azure's range. Source: spec/BATCH.md 1.1."""


LoggingLevel = Literal["Info", "Warning", "Debug"]
InputType = Literal[
    "uri_file", "uri_folder", "mltable", "literal", "custom_model", "mlflow_model", "triton_model"
]
TABLE = "mltable"
SERVED_TYPES = (FILE, FOLDER, TABLE)
NO_PARTITIONS = Unserved(
    "partitionKeys",
    "PartitionKeysNotSupported",
    "mini-batches are made by number of files: leave it out, and set miniBatchSize",
)


SHOWN_AS_SAID = ("dataset", "inputData", "outputDataset", "outputData", "compute")


class Dataset(Properties):
    """The input of 2021: a URL, or a registered dataset by name or by id."""

    data_input_type: Literal["DataUrl", "DatasetVersion", "DatasetId"] | None = None
    path: str | None = None
    dataset_name: str | None = None
    dataset_version: str | None = None
    dataset_id: str | None = None


class JobInput(Properties):
    """An input of 2023."""

    job_input_type: InputType = "uri_folder"
    uri: str | None = None
    value: Any = None
    mode: str | None = None
    description: str | None = None


class OutputDataset(Properties):
    """The output of 2021."""

    datastore_id: str = DEFAULT_STORE
    path: str | None = None


class JobOutput(Properties):
    """The output of 2023."""

    job_output_type: InputType = "uri_folder"
    uri: str | None = None
    mode: str | None = None
    description: str | None = None


class Compute(Properties):
    """Where the job runs, and on how many nodes; clients also send isLocal, which means nothing."""

    target: str | None = None
    instance_count: int | None = Field(default=None, ge=1, le=MOST)
    instance_type: str | None = None


class Retries(Properties):
    """How often and how long a mini-batch is tried."""

    max_retries: int | None = Field(default=None, ge=0, le=MOST)
    timeout: RunTimeout | None = None


class Invocation(Properties):
    """What an invocation can say; what it leaves out comes from the deployment."""

    name: str | None = None
    dataset: Dataset | None = None
    input_data: dict[str, JobInput] = Field(default_factory=dict)
    output_dataset: OutputDataset | None = None
    output_data: dict[str, JobOutput] = Field(default_factory=dict)
    output_file_name: FileName | None = None
    mini_batch_size: int | None = Field(default=None, ge=1, le=MOST_FILES)
    max_concurrency_per_instance: Concurrency | None = None
    error_threshold: int | None = Field(default=None, ge=-1, le=MOST)
    logging_level: LoggingLevel | None = None
    retry_settings: Retries | None = None
    compute: Compute | None = None
    partition_keys: list[str] | None = None
    properties: dict[str, Any] = Field(default_factory=dict)
    tags: dict[str, str | None] = Field(default_factory=dict)
    description: str | None = None

    @property
    def extensions(self) -> dict[str, str]:
        """The properties as texts; without those that are null."""
        return {name: str(value) for name, value in self.properties.items() if value is not None}

    @property
    def rerun_of(self) -> str | None:
        """The name of the job of which only what failed is to be run."""
        return self.extensions.get(RERUN_FAILED)

    def said(self) -> Json:
        """In Azure's words, without what was left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def read_invocation(body: Any) -> Invocation:
    """The invocation in a body; names in any case. Raises ArmError 400."""
    if not isinstance(body, Mapping):
        raise ArmError("InvalidRequestContent", "The body of an invocation is a JSON object.")
    folded = {key.lower(): value for key, value in body.items()}
    given = folded.get("properties")
    if not isinstance(given, dict):
        raise ArmError("InvalidRequestContent", "The body lacks the object 'properties'.")
    invocation = read_form(Invocation, given)
    refuse_unserved(invocation.said(), (NO_PARTITIONS,))
    check_extensions(invocation.extensions, OF_JOBS)
    return invocation


def input_of(invocation: Invocation) -> tuple[str, Json]:
    """The one data input: its name and {jobInputType, uri}. Raises ArmError 400."""
    if invocation.dataset is not None:
        return "input", {"jobInputType": FOLDER, "uri": _dataset_uri(invocation.dataset)}
    named = {key: item for key, item in invocation.input_data.items() if item.uri}
    if len(named) != 1 or len(named) != len(invocation.input_data):
        raise ArmError(
            "BadArgument",
            f"The invocation has {len(invocation.input_data)} inputs: give exactly one, with a "
            "uri. LiteralJobInput is not supported: literal inputs are for pipeline deployments.",
            target="inputData",
        )
    name, item = next(iter(named.items()))
    if item.job_input_type not in SERVED_TYPES:
        raise ArmError(
            "BadArgument",
            f"The input {name!r} is of type {item.job_input_type}: a deployment of a model reads "
            "UriFile, UriFolder or MLTable.",
            target=f"inputData.{name}.jobInputType",
        )
    return name, {"jobInputType": item.job_input_type, "uri": item.uri}


def output_of(invocation: Invocation, job: str) -> str:
    """The URI of the folder that the output goes to."""
    folder, _ = _output_file(invocation)
    if folder:
        return folder
    if invocation.output_dataset is not None:
        store = name_of(invocation.output_dataset.datastore_id).removeprefix("azureml:")
        path = (invocation.output_dataset.path or f"azureml/{job}/score").strip("/")
        return f"azureml://datastores/{store}/paths/{path}"
    for output in invocation.output_data.values():
        if output.uri:
            return output.uri.rstrip("/")
    return f"azureml://datastores/{DEFAULT_STORE}/paths/azureml/{job}/score"


def _output_file(invocation: Invocation) -> tuple[str, str]:
    """Folder and name where the output is a UriFile that names a file, not a folder.

    Clients call both so; a file has a dot in its name, or the name that is asked for besides.
    Source: spec/BATCH.md 1.9, CLIENTS.md 9.
    """
    for output in invocation.output_data.values():
        folder, _, name = (output.uri or "").rpartition("/")
        asked = invocation.output_file_name
        if output.job_output_type == FILE and (name == asked if asked else "." in name):
            return folder, name
    return "", ""


def job_properties(
    invocation: Invocation, job: str, deployment: Resource, compute_id: str, data: dict[str, Json]
) -> Json:
    """What the job is to do: the deployment as it is now, with the invocation's own settings.

    data: its inputs by name.
    """
    own = invocation.said()
    kept = ("model", "codeConfiguration", "environmentId", "environmentVariables", "outputAction")
    given = ("miniBatchSize", "maxConcurrencyPerInstance", "errorThreshold", "loggingLevel")
    settings = deployment.properties
    extensions = merged(settings.get("properties") or {}, invocation.extensions)
    asked = own.get("outputFileName") or _output_file(invocation)[1]
    nodes = invocation.compute.instance_count if invocation.compute else None
    return {
        **{key: settings[key] for key in kept},
        **{key: own.get(key, settings[key]) for key in given},
        "outputFileName": asked or file_name(settings["outputFileName"], extensions),
        "retrySettings": {**settings["retrySettings"], **own.get("retrySettings", {})},
        "computeId": compute_id,
        "instanceCount": nodes or settings["resources"]["instanceCount"],
        "inputs": data,
        "output": output_of(invocation, job),
        "deployment": deployment.id,
        "displayName": job,
        "experimentName": str(own["properties"].get("experimentName") or _endpoint(deployment)),
        "description": invocation.description,
        "tags": invocation.tags,
        "properties": own["properties"],
        "said": {name: own[name] for name in SHOWN_AS_SAID if own.get(name)},
        "extensions": extensions,
        "requestId": None,
        "cancelRequested": False,
    }


def job_name(invocation: Invocation, endpoint: Resource, request: str | None) -> str:
    """The name asked for; else one that the same request leads to again."""
    if invocation.name:
        if not ASSET_NAME.fullmatch(invocation.name):
            message = (
                f"{invocation.name!r} is no name for a job: it must match {ASSET_NAME.pattern}."
            )
            raise ArmError("InvalidResourceName", message, target="name")
        return invocation.name
    if request:
        return str(uuid.uuid5(uuid.UUID(endpoint.uid), request))
    return str(uuid.uuid4())


def _dataset_uri(dataset: Dataset) -> str:
    """The data that a dataset stands for; without a version, the latest one."""
    version = f":{dataset.dataset_version}" if dataset.dataset_version else "@latest"
    name = dataset.dataset_name
    uris = {
        "DataUrl": dataset.path,
        "DatasetVersion": f"azureml:{name}{version}" if name else None,
        "DatasetId": dataset.dataset_id,
    }
    kinds = [dataset.data_input_type] if dataset.data_input_type else list(uris)
    found = next((uris[kind] for kind in kinds if uris[kind]), None)
    if found is None:
        message = (
            f"dataset of type {dataset.data_input_type} names nothing: give path for DataUrl, "
            "datasetName and datasetVersion for DatasetVersion, datasetId for DatasetId."
        )
        raise ArmError("BadArgument", message, target="dataset")
    return found


def _endpoint(deployment: Resource) -> str:
    return deployment.id.split("/")[-3]
