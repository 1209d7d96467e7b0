"""From the references in a deployment to the paths that its processes start from."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from lazulite.arm.references import find_asset
from lazulite.core.errors import SpecError
from lazulite.core.ids import ONLINE_DEPLOYMENTS, segment_of, workspace_of
from lazulite.deployments.asset_references import names_files, reference_text
from lazulite.deployments.snapshots import existing, snapshot
from lazulite.environments.curated import curated_name, find_curated
from lazulite.environments.definition import Definition, curated_definition, from_properties
from lazulite.environments.mlflow_model import from_mlflow_model
from lazulite.environments.service import Built, Environments, Failed
from lazulite.executors.container import CONTAINER
from lazulite.executors.launch import Mount, Sandbox
from lazulite.remote.background import StillFetching
from lazulite.store.resources import Json, Resource, Resources

AZURE_ROOT = "/var/azureml-app"
AZURE_MODELS = f"{AZURE_ROOT}/azureml-models"
"""Where Azure's containers have code and models."""

Locate = Callable[[str, str], Awaitable[Path]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Materials:
    """Everything a replica or a batch worker is started with."""

    python: str
    environment: str
    """The hash of the environment: its build log goes by this name."""
    code_dir: str | None
    script: str | None
    model_dir: str | None
    """AZUREML_MODEL_DIR: the folder that holds the model's own file or folder."""
    mlflow_model: str | None
    """The folder with MLmodel, when no script is given."""
    sandbox: Sandbox
    """What they run in: shows the environment, the code and the model."""
    server: Mapping[str, Any] | None = None
    """The routes of an image that brings its own server, for online deployments."""

    def shown(self) -> Materials:
        """The same, with code and model where they are on this machine."""
        shown = self.sandbox.showing(self.code_dir, self.model_dir)
        return dataclasses.replace(self, sandbox=shown)

    def placed(self, root: str | None, model: str) -> Materials:
        """The same, with code and model where they are in Azure's containers.

        root: modelMountPath, if given; model: its name and version, as a path.
        Source: Azure documentation, "Deploy a custom container", locating the model.
        """
        code = model_dir = None
        mounts = list(self.sandbox.mounts)
        if self.code_dir is not None:
            code = f"{AZURE_ROOT}/code"
            mounts.append(Mount(path=self.code_dir, at=code))
        if self.model_dir is not None:
            model_dir = f"{(root or AZURE_MODELS).rstrip('/')}/{model}"
            mounts.append(Mount(path=self.model_dir, at=model_dir))
        return dataclasses.replace(
            self,
            code_dir=code,
            script=_moved(self.script, self.code_dir, code),
            model_dir=model_dir,
            mlflow_model=_moved(self.mlflow_model, self.model_dir, model_dir),
            sandbox=dataclasses.replace(self.sandbox, mounts=tuple(mounts)),
        )

    def variables(self) -> dict[str, str]:
        """The environment variables that scripts read. Source: spec/ONLINE.md 5.2, BATCH.md 1.5."""
        named = {
            "AZUREML_MODEL_DIR": self.model_dir,
            "AZUREML_ENTRY_SCRIPT": self.script,
            "AML_APP_ROOT": self.code_dir,
            "LAZULITE_MLFLOW_MODEL": self.mlflow_model,
        }
        return {name: value for name, value in named.items() if value is not None}


@dataclasses.dataclass(frozen=True)
class Preparing:
    """The environment is being built, or data are being fetched; look again soon."""

    noted: Json

    @classmethod
    def building(cls, environment: str, generation: int) -> Preparing:
        """Noted so that a build that fails is not tried twice for one generation."""
        return cls({"phase": "environment", "environment": environment, "tried": generation})

    def observed(self) -> Json:
        """What to note in the row."""
        return self.noted


@dataclasses.dataclass(frozen=True)
class Workshop:
    """Brings what deployments refer to onto this machine."""

    resources: Resources
    environments: Environments
    locate: Locate
    """From a workspace's id and a data URI to the path of the data."""
    folder: Path
    """Where snapshots of assets are kept."""

    async def materials(self, deployment: Resource) -> Materials | Preparing:
        """What the deployment needs, once it is all there. Returns at once; safe to repeat.

        Raises SpecError for a reference that leads nowhere and for an environment that does not
        build.
        """
        try:
            return await self._materials(deployment)
        except StillFetching as waiting:
            return Preparing(waiting.observed())

    async def _materials(self, deployment: Resource) -> Materials | Preparing:
        workspace = workspace_of(deployment.id)
        model = await self._model(workspace, deployment)
        code_dir, script = await self._code(workspace, deployment.properties)
        mlflow = model if script is None else None
        definition = await self._definition(workspace, deployment.properties, mlflow)
        if deployment.resource_type != ONLINE_DEPLOYMENTS:
            definition = dataclasses.replace(definition, server=None)
        built = await self.environment(deployment, definition)
        if isinstance(built, Preparing):
            return built
        model_dir = None if model is None else str(model.parent)
        made = Materials(
            python=str(built.python),
            environment=built.hash,
            code_dir=code_dir,
            script=script,
            model_dir=model_dir,
            mlflow_model=None if mlflow is None or definition.server else str(mlflow),
            sandbox=built.sandbox,
            server=definition.server,
        )
        if made.sandbox.kind != CONTAINER:
            return made.shown()
        place = await self._model_place(workspace, deployment)
        return made.placed(deployment.properties.get("modelMountPath"), place)

    async def environment(self, user: Resource, definition: Definition) -> Built | Preparing:
        """The environment for a resource that uses it, once it is built. Returns at once.

        Raises SpecError if it does not build: each generation of the resource tries once.
        """
        built = await self.environments.ensure(definition)
        if isinstance(built, Failed):
            if user.observed.get("tried") == user.generation:
                raise built.error
            await self.environments.retry(built.hash)  # it failed for an earlier generation
        return (
            built if isinstance(built, Built) else Preparing.building(built.hash, user.generation)
        )

    async def registered(self, workspace: str, reference: str) -> Definition:
        """The definition of an environment asset or of a curated one. Raises SpecError."""
        if (name := curated_name(reference)) is not None:
            return curated_definition(find_curated(name), reference)
        found = await find_asset(self.resources, workspace, "environments", reference)
        definition = from_properties(found.properties)
        if definition.context is None:
            return definition
        context = await self._snapshot(found, definition.context, link=False)
        return dataclasses.replace(definition, context=str(context))

    async def code(self, workspace: str, reference: str) -> Path:
        """The folder with the files of a code asset. Raises SpecError and StillFetching."""
        code = await find_asset(self.resources, workspace, "codes", reference)
        folder = await self._snapshot(code, code.properties["codeUri"], link=False)
        return folder if folder.is_dir() else folder.parent

    async def _model_place(self, workspace: str, user: Resource) -> str:
        """The name and version of the model, as the path that Azure gives it."""
        reference = reference_text(user.properties.get("model"))
        if reference is None or names_files(reference):
            return f"{user.name}-model/1"
        model = await find_asset(self.resources, workspace, "models", reference)
        return f"{segment_of(model.id, 'models')}/{model.name}"

    async def _model(self, workspace: str, user: Resource) -> Path | None:
        reference = reference_text(user.properties.get("model"))
        if reference is None:
            return None
        if names_files(reference):
            target = self.folder / f"{user.task_name}-model"
            return await self._copied(workspace, reference, target, link=True)
        model = await find_asset(self.resources, workspace, "models", reference)
        return await self._snapshot(model, model.properties["modelUri"], link=True)

    async def _code(self, workspace: str, properties: Json) -> tuple[str | None, str | None]:
        configuration: Mapping[str, Any] = properties.get("codeConfiguration") or {}
        if not configuration.get("scoringScript"):
            return None, None
        if not configuration.get("codeId"):
            raise SpecError(
                "CodeMissing",
                "codeConfiguration has a scoringScript but no codeId: name its code asset.",
                target="codeConfiguration",
            )
        folder = await self.code(workspace, configuration["codeId"])
        script = folder / configuration["scoringScript"]
        if not script.resolve().is_relative_to(folder.resolve()) or not script.is_file():
            raise SpecError(
                "ScoringScriptNotFound",
                f"There is no file {configuration['scoringScript']!r} in the code asset "
                f"{configuration['codeId']!r}: scoringScript is a path inside the code's folder.",
                target="codeConfiguration.scoringScript",
            )
        return str(folder), str(script)

    async def _definition(
        self, workspace: str, properties: Json, mlflow: Path | None
    ) -> Definition:
        reference = properties.get("environmentId") or properties.get("environment")
        if reference:
            return await self.registered(workspace, reference)
        if mlflow is None:
            raise SpecError(
                "EnvironmentMissing",
                "The deployment has no environmentId: only MLflow models bring their own.",
                target="environmentId",
            )
        return await asyncio.to_thread(from_mlflow_model, mlflow)

    async def _snapshot(self, asset: Resource, uri: str, *, link: bool) -> Path:
        target = self.folder / f"{asset.uid}-{asset.generation}"
        return await self._copied(workspace_of(asset.id), uri, target, link=link)

    async def _copied(self, workspace: str, uri: str, target: Path, *, link: bool) -> Path:
        """The snapshot of what a URI names; where it came from is not asked again."""
        if (made := await asyncio.to_thread(existing, target)) is not None:
            return made
        source = await self.locate(workspace, uri)
        return await asyncio.to_thread(snapshot, source, target, link=link)


def _moved(path: str | None, old: str | None, new: str | None) -> str | None:
    """A path below the old folder, below the new one."""
    if path is None or old is None or new is None:
        return None
    return str(Path(new, Path(path).relative_to(old)))
