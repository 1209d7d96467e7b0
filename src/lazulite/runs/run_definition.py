"""The run definition of 2019, and what it comes to: a command job with code and an environment.

Source: spec/REST.md 9.1 and 9.3.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field

from lazulite.arm.kind import Properties
from lazulite.core.errors import ArmError
from lazulite.store.resources import Json

_REFERENCE = re.compile(r"\$AZUREML_DATAREFERENCE_(\w+)")


class DataReference(Properties):
    """Data of a datastore, under a name."""

    data_store_name: str = "workspaceblobstore"
    mode: str | None = None
    path_on_data_store: str | None = None


class PythonSection(Properties):
    """The packages of an environment."""

    interpreter_path: str | None = None
    user_managed_dependencies: bool = False
    conda_dependencies: dict[str, Any] | None = None


class DockerSection(Properties):
    """The image of an environment."""

    base_image: str | None = None
    base_dockerfile: str | None = None


class EnvironmentSection(Properties):
    """An environment: defined here, or a registered one by name and version."""

    name: str | None = None
    version: str | None = None
    python: PythonSection | None = None
    environment_variables: dict[str, Any] = Field(default_factory=dict)
    docker: DockerSection | None = None


class RunConfiguration(Properties):
    """What to run, with what, where."""

    model_config = ConfigDict(coerce_numbers_to_str=True, extra="allow")
    script: str = Field(min_length=1)
    arguments: list[str] = Field(default_factory=list)
    framework: str = "Python"
    communicator: str = "None"
    target: str = Field(min_length=1)
    data_references: dict[str, DataReference] = Field(default_factory=dict)
    max_run_duration_seconds: int | None = Field(default=None, ge=1)
    node_count: int = Field(default=1, ge=1)
    environment: EnvironmentSection = Field(default_factory=EnvironmentSection)


class RunDefinition(Properties):
    """What a client sends to start a run."""

    configuration: RunConfiguration
    snapshot_id: str | None = None
    parent_run_id: str | None = None
    run_type: str | None = None


def refuse_unsupported(configuration: RunConfiguration) -> None:
    """Raise ArmError 501 for what runs otherwise than one Python script on one node."""
    asked = {
        "Framework": (configuration.framework, "Python"),
        "Communicator": (configuration.communicator, "None"),
        "NodeCount": (str(configuration.node_count), "1"),
    }
    for name, (value, known) in asked.items():
        if value.casefold() != known.casefold():
            message = f"{name} {value!r} is not run by this server: use {known!r}."
            raise ArmError("NotImplemented", message, 501, target=name)


def job_of(definition: RunDefinition, experiment: str, code_id: str, environment_id: str) -> Json:
    """The command job's properties, in the form of a PUT."""
    configuration = definition.configuration
    limit = configuration.max_run_duration_seconds
    return {
        "jobType": "Command",
        "experimentName": experiment,
        "command": command_of(configuration),
        "codeId": code_id,
        "environmentId": environment_id,
        "computeId": configuration.target,
        "environmentVariables": {
            name: str(value)
            for name, value in configuration.environment.environment_variables.items()
        },
        "inputs": {
            name: {"jobInputType": "uri_folder", "uri": _uri(reference)}
            for name, reference in configuration.data_references.items()
        },
        "limits": {"jobLimitsType": "Command", "timeout": f"PT{limit}S"} if limit else None,
    }


def command_of(configuration: RunConfiguration) -> str:
    """The shell command; references to data in arguments become the paths of inputs."""
    arguments = [_REFERENCE.sub(r"${{inputs.\1}}", text) for text in configuration.arguments]
    return shlex.join(["python", configuration.script, *arguments])


def environment_of(section: EnvironmentSection) -> Json | None:
    """The environment asset that the section defines; None if it names a registered one."""
    python, docker = section.python or PythonSection(), section.docker or DockerSection()
    if section.python is None and section.docker is None and section.name:
        return None
    if docker.base_dockerfile:
        raise ArmError(
            "NotImplemented",
            "Environment.Docker.BaseDockerfile is not built by this server: give "
            "Python.CondaDependencies instead.",
            501,
            target="Environment.Docker.BaseDockerfile",
        )
    conda: Mapping[str, Any] | None = python.conda_dependencies
    if python.user_managed_dependencies:
        conda = None  # the image has them, says the caller
    return {
        "condaFile": json.dumps(conda, indent=1) if conda else None,
        "image": docker.base_image,
        "isAnonymous": True,
    }


def _uri(reference: DataReference) -> str:
    path = (reference.path_on_data_store or "").strip("/")
    return f"azureml://datastores/{reference.data_store_name}/paths/{path}"
