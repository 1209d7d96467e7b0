"""The properties of a job, in the spelling of 2023-10-01. Source: spec/REST.md 7.5."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

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
REQUIRED = {
    "Command": ("command", "environment_id", "compute_id"),
    "Sweep": ("objective", "sampling_algorithm", "search_space", "trial"),
    "AutoML": ("task_details",),
    "Spark": ("code_id", "entry"),
    "Labeling": ("labeling_job_media_properties",),
}
"""What a job of a type must have; all have a jobType."""


class JobInput(Properties):
    """Data to read, or a literal."""

    model_config = ConfigDict(coerce_numbers_to_str=True)
    job_input_type: InputType
    uri: str | None = None
    value: str | None = None
    mode: str | None = None
    description: str | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> JobInput:
        """A literal has a value, everything else a URI."""
        name = "value" if self.job_input_type == "literal" else "uri"
        if not getattr(self, name):
            raise ValueError(f"an input of type {self.job_input_type} needs {name}")
        if self.job_input_type != "literal" and self.mode is None:
            self.mode = "ReadOnlyMount"
        return self


class JobOutput(Properties):
    """Where to write."""

    job_output_type: OutputType
    uri: str | None = None
    mode: str = "ReadWriteMount"
    description: str | None = None


class Limits(Properties):
    """How long a job may take, and of a sweep how many trials."""

    job_limits_type: str = "Command"
    timeout: Duration | None = None
    trial_timeout: Duration | None = None
    max_concurrent_trials: int | None = Field(default=None, ge=1)
    max_total_trials: int | None = Field(default=None, ge=1)


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
    trial: Trial | None = Field(default=None, exclude=True)
    objective: Objective | None = Field(default=None, exclude=True)
    sampling_algorithm: Any = Field(default=None, exclude=True)
    search_space: Any = Field(default=None, exclude=True)
    task_details: Any = Field(default=None, exclude=True)
    entry: Any = Field(default=None, exclude=True)
    labeling_job_media_properties: Any = Field(default=None, exclude=True)

    @model_validator(mode="after")
    def _is_complete(self) -> Job:
        """Each type needs its own properties."""
        needed = REQUIRED.get(self.job_type, ())
        missing = [to_camel(name) for name in needed if getattr(self, name) in (None, "")]
        if missing:
            raise ValueError(f"a job of type {self.job_type} needs {', '.join(missing)}")
        return self
