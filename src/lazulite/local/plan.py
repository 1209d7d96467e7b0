"""From a deployment's file to what it needs of this machine; nothing is started or written."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.arm.bodies import read_form
from lazulite.cli import codes, environment_files, environments, models, online_deployments
from lazulite.cli.documents import Document, Key
from lazulite.cli.errors import CommandError
from lazulite.cli.shapes import checked
from lazulite.deployments.online_properties import OnlineDeployment
from lazulite.deployments.worker_count import check_worker_count, worker_count
from lazulite.environments.curated import curated_name, find_curated
from lazulite.environments.definition import Definition, curated_definition, from_properties
from lazulite.environments.mlflow_model import from_mlflow_model
from lazulite.local.records import check_name

IGNORED = (
    *("instance_count", "scale_settings", "liveness_probe", "readiness_probe"),
    *("egress_public_network_access", "data_collector", "resources", "app_insights_enabled"),
)
"""Fields that mean nothing without a server. Source: seed 002, limits of local endpoints."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LocalPlan:
    """What one deployment is started from. Paths are absolute, and lead through no links."""

    values: Mapping[str, Any]
    """Its fields, for the record."""
    properties: Mapping[str, Any]
    """The same as the server would have them, checked."""
    code_dir: Path | None
    script: Path | None
    model: Path | None
    mlflow_model: Path | None
    """The folder with MLmodel, when no script is given."""
    definition: Definition

    @property
    def name(self) -> str:
        """The deployment's."""
        return str(self.values["name"])

    @property
    def processes(self) -> int:
        """One instance of WORKER_COUNT processes."""
        return worker_count(dict(self.properties))


def read_plan(found: Document) -> LocalPlan:
    """The plan for a checked document. Raises CommandError, at its line, for what cannot be."""
    check_name(str(found.values["name"]))
    code_dir, script = _code(found)
    model = _model(found)
    is_mlflow = script is None and model is not None and (model / "MLmodel").is_file()
    mlflow = model if is_mlflow else None
    definition = _definition(found, mlflow)
    if definition.server is not None:
        raise found.error(
            ("environment", "inference_config"),
            "an image with its own server is not run by --local: deploy it to a server",
        )
    if script is None and mlflow is None:
        raise found.error(
            (), "a deployment needs a code_configuration: only MLflow models are served without"
        )
    return LocalPlan(
        values=absolute(found),
        properties=_properties(found),
        code_dir=code_dir,
        script=script,
        model=model,
        mlflow_model=mlflow,
        definition=definition,
    )


def ignored(values: Mapping[str, Any]) -> list[str]:
    """The fields that have no effect, and say something else than what is so anyway."""
    return [name for name in IGNORED if values.get(name) not in (None, 1, False, {})]


def absolute(found: Document) -> dict[str, Any]:
    """The values with every path absolute, so that they mean the same without their file."""
    values = copy.deepcopy(found.values)
    for key in _PATHS:
        _make_absolute(found, values, key)
    return values


_PATHS: tuple[Key, ...] = (
    ("model",),
    ("model", "path"),
    ("model", "local_path"),
    ("code_configuration", "code"),
    ("code_configuration", "code", "path"),
    ("code_configuration", "code", "local_path"),
    ("environment", "path"),
    ("environment", "conda_file"),
    ("environment", "build", "path"),
    ("environment", "build", "local_path"),
    ("environment", "docker", "build", "dockerfile"),
)


def _make_absolute(found: Document, values: dict[str, Any], key: Key) -> None:
    inner: Any = values
    for step in key[:-1]:
        inner = inner.get(step) if isinstance(inner, Mapping) else None
    text = inner.get(key[-1]) if isinstance(inner, dict) else None
    if isinstance(text, str) and "\n" not in text and not codes.is_reference(text):
        plain = text.removeprefix("file:").removeprefix("azureml:")
        folder = found.path.parent if found.path else Path()
        mark = "file:" if text.startswith("file:") or key == ("model",) else ""
        inner[key[-1]] = mark + str((folder / plain).absolute())


def _code(found: Document) -> tuple[Path | None, Path | None]:
    configuration = found.values.get("code_configuration")
    if not configuration:
        return None, None
    script = codes.script_of(found)
    key, text = codes.written(found, configuration.get("code"))
    if codes.is_reference(text):
        raise _registered(found, key, text)
    place = codes.local_folder(found, key, text, script).resolve()
    folder = place if place.is_dir() else place.parent
    path = (folder / script).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        rule = f"{script!r} is not a file in {folder}"
        raise found.error(("code_configuration", "scoring_script"), rule)
    return folder, path


def _model(found: Document) -> Path | None:
    value = found.values.get("model")
    if value is None:
        return None
    inner = models.defined_in_place(found)
    if inner is None:
        raise _registered(found, ("model",), value)
    field, text = models.written(inner)
    if models.is_uri(text):
        raise _registered(found, ("model", field), text)
    if models.type_of(inner) == "triton_model":
        rule = "Triton is not here; serve the model with a scoring script"
        raise found.error(("model", "type"), rule)
    return inner.file((field,), text).resolve()


def _definition(found: Document, mlflow: Path | None) -> Definition:
    value = found.values.get("environment")
    if value is None and mlflow is not None:
        return from_mlflow_model(mlflow)
    if value is None:
        raise found.error((), "an `environment` is needed: only MLflow models bring their own")
    if isinstance(value, str):
        if (name := curated_name(value)) is None:
            raise _registered(found, ("environment",), value)
        return curated_definition(find_curated(name), value)
    inner = checked(found.part(("environment",)), environments.SHAPE)
    content = environment_files.content(inner, str)
    return from_properties({**content, "tags": inner.values.get("tags") or {}})


def _properties(found: Document) -> dict[str, Any]:
    """What the server would make of the fields. Raises ArmError where it would refuse them."""
    plain = {name: item for name, item in found.values.items() if name not in IGNORED}
    named = {"model": None, "environment": None, "code_configuration": None}
    body = online_deployments.to_body({**plain, **named}, "local")
    properties = read_form(OnlineDeployment, body["properties"]).model_dump(by_alias=True)
    check_worker_count(properties)
    return properties


def _registered(found: Document, key: Key, text: Any) -> CommandError:
    """Source: seed 002, limits of local endpoints."""
    return found.error(
        key,
        f"{text!r} is not on this machine: a local endpoint takes files of this machine, defined in"
        " place with a path, and curated environments",
    )
