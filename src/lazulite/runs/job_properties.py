"""The properties of a job, in the spelling of 2023-10-01. Source: spec/REST.md 7.5."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from lazulite.arm.kind import Duration, Properties

JobType = Literal[
    "Command", "Sweep", "Pipeline", "AutoML", "Spark", "Labeling", "FineTuning", "Base"
]
InputType = Literal[
    "literal", "uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model"
]
OutputType = Literal[
    "uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model"
]
OTHERS = {
    "Sweep": ("objective", "samplingAlgorithm", "searchSpace", "trial"),
    "AutoML": ("taskDetails",),
    "Spark": ("codeId", "entry"),
    "Labeling": ("labelingJobMediaProperties",),
}
"""What jobs of types that are only checked must have."""
NOT_OF_COMMANDS = (
    *("objective", "samplingAlgorithm", "searchSpace", "trial", "taskDetails", "entry"),
    "labelingJobMediaProperties",
)


InputMode = Literal[
    "ReadOnlyMount", "ReadWriteMount", "Download", "Direct", "EvalMount", "EvalDownload"
]
OutputMode = Literal["ReadWriteMount", "Upload", "Direct"]


class JobInput(Properties):
    """Data to read, or a literal."""

    model_config = ConfigDict(coerce_numbers_to_str=True)
    job_input_type: InputType
    uri: str | None = None
    value: str | None = None
    mode: InputMode | None = None
    description: str | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> JobInput:
        """A literal has a value, everything else a URI."""
        name = "value" if self.job_input_type == "literal" else "uri"
        if not getattr(self, name):
            raise ValueError(f"an input of type {self.job_input_type} needs {name}")
        if self.job_input_type == "literal":
            self.uri = self.mode = None
        else:
            self.value, self.mode = None, self.mode or "ReadOnlyMount"
        return self


class JobOutput(Properties):
    """Where to write."""

    job_output_type: OutputType
    uri: str | None = None
    mode: OutputMode = "ReadWriteMount"
    description: str | None = None

    @model_validator(mode="after")
    def _has_uri_or_none(self) -> JobOutput:
        """An empty URI is none."""
        self.uri = self.uri or None
        return self


class Limits(Properties):
    """How long a job may take."""

    job_limits_type: Literal["Command", "Sweep"] = "Command"
    timeout: Duration | None = None


class JobResources(Properties):
    """What a job runs on."""

    instance_count: int = Field(default=1, ge=1)
    instance_type: str | None = None
    properties: dict[str, Any] = Field(default_factory=dict)
    docker_args: str | None = None
    shm_size: str = "2g"


class Distribution(Properties):
    """How processes of one job work together."""

    distribution_type: Literal["PyTorch", "TensorFlow", "Mpi"]
    process_count_per_instance: int | None = Field(default=None, ge=1)
    worker_count: int | None = Field(default=None, ge=1)
    parameter_server_count: int | None = Field(default=None, ge=0)


class Trial(Properties):
    """What a sweep runs."""

    model_config = ConfigDict(extra="allow")
    command: str = Field(min_length=1)
    environment_id: str = Field(min_length=1)
    code_id: str | None = None


class Objective(Properties):
    """What a sweep is for."""

    goal: Literal["Minimize", "Maximize"]
    primary_metric: str = Field(min_length=1)


class JobBase(Properties):
    """What jobs of all types have."""

    job_type: JobType
    display_name: str | None = None
    description: str | None = None
    experiment_name: str = Field(default="Default", min_length=1)
    tags: dict[str, str | None] = Field(default_factory=dict)
    properties: dict[str, Any] = Field(default_factory=dict)
    compute_id: str | None = None
    component_id: str | None = None
    identity: dict[str, Any] | None = None
    services: dict[str, Any] | None = None
    is_archived: bool = False


class Job(JobBase):
    """A command job; the properties of other types are only checked."""

    command: str | None = None
    code_id: str | None = None
    environment_id: str | None = None
    environment_variables: dict[str, str | None] | None = None
    inputs: dict[str, JobInput | None] | None = None
    outputs: dict[str, JobOutput] | None = None
    limits: Limits | None = None
    resources: JobResources = Field(default_factory=JobResources)
    distribution: Distribution | None = None
    queue_settings: dict[str, Any] | None = None
    trial: Trial | None = None
    objective: Objective | None = None
    sampling_algorithm: Any = None
    search_space: Any = None
    task_details: Any = None
    entry: Any = None
    labeling_job_media_properties: Any = None

    @model_validator(mode="after")
    def _is_complete(self) -> Job:
        """A command job needs a command, an environment and a compute."""
        if self.limits is not None and self.limits.timeout is None:
            self.limits = None
        if self.job_type != "Command":
            return self
        given = {
            "command": self.command,
            "environmentId": self.environment_id,
            "computeId": self.compute_id,
        }
        if missing := [name for name, value in given.items() if not value]:
            raise ValueError(f"a job of type Command needs {', '.join(missing)}")
        return self
