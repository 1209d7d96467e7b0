"""execution/v1.0: starts runs from a zip of scripts and a definition. Source: spec/REST.md 9.3."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import hashlib
import json
import shutil
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse, Response

from lazulite.arm.conditions import FAILED_CONDITION
from lazulite.arm.json_reader import read_json
from lazulite.arm.kind import ASSET_NAME
from lazulite.arm.references import find_one
from lazulite.arm.writing import Writer
from lazulite.core.errors import ArmError, SpecError
from lazulite.core.ids import WORKSPACES
from lazulite.dataplane.multipart import Part, open_form
from lazulite.dataplane.refusals import not_implemented
from lazulite.dataplane.requests import Asked, read_model
from lazulite.dataplane.services import Service, ServiceRoute
from lazulite.deployments.blob_paths import Delivery
from lazulite.deployments.places import DataPlaces
from lazulite.jobs.archive import unpack
from lazulite.runs.experiments import check_name
from lazulite.runs.run_definition import (
    RunDefinition,
    environment_of,
    job_of,
    refuse_unsupported,
)
from lazulite.runs.run_rows import Runs
from lazulite.store.resources import Json, Resource

SUBMIT, WRITE = "experiments/runs/submit/action", "experiments/runs/write"
SNAPSHOTS = "azureml://datastores/workspaceblobstore/paths/snapshots"
ENVIRONMENT = "RunEnvironment"
ZIP, DEFINITION = "projectZipFile", "runDefinitionFile"


@dataclasses.dataclass(frozen=True)
class Execution:
    """Turns what clients of 2019 send into code, environment and command job."""

    writer: Writer
    runs: Runs
    data: DataPlaces
    delivery: Delivery

    def service(self) -> Service:
        """The table of routes."""
        of = "experiments/{experiment}"
        return Service(
            name="execution",
            version="v1.0",
            routes=(
                ServiceRoute("POST", f"{of}/startrun", SUBMIT, self.start, parts=(ZIP, DEFINITION)),
                ServiceRoute(
                    "POST", f"{of}/snapshotrun", SUBMIT, self.start_snapshot, RunDefinition
                ),
                ServiceRoute("POST", f"{of}/startlocalrun", SUBMIT, self.start_local),
                ServiceRoute("POST", f"{of}/runId/{{run}}/cancel", WRITE, self.cancel),
            ),
        )

    async def start(self, asked: Asked) -> Response:
        """Run a script of the zip on the compute of the definition. Nothing is kept if it fails."""
        check_name(asked.names["experiment"])
        async with open_form(asked.http) as form:
            zipped, definition = _parts(form)
            await self._check(asked, definition)
            code_id = await self._code(asked, zipped, definition.configuration.script)
        return await self._submitted(asked, definition, code_id)

    async def start_snapshot(self, asked: Asked) -> Response:
        """The same for the scripts of an earlier run, named by their snapshot."""
        check_name(asked.names["experiment"])
        definition = await asked.model(RunDefinition)
        await self._check(asked, definition)
        snapshot = definition.snapshot_id or ""
        code = await self.runs.resources.find(_code_id(asked, snapshot)) if snapshot else None
        if code is None:
            message = f"There is no snapshot {snapshot!r}: start the run with its files (startrun)."
            raise ArmError("SnapshotNotFound", message, 404, target="snapshotId")
        return await self._submitted(asked, definition, code.id)

    async def start_local(self, asked: Asked) -> Response:
        """Azure would answer with a zip of scripts for the caller's machine."""
        raise not_implemented(
            "Wrapping a run for the caller's own machine",
            "run the script there and tell run history, or use startrun with a compute.",
        )

    async def cancel(self, asked: Asked) -> Response:
        """Ask a run to end."""
        names = asked.names
        run = await self.runs.find(asked.workspace.id, names["run"], names["experiment"])
        await self.runs.cancel(run, asked.caller.object_id)
        self.writer.wake()
        return JSONResponse({"runId": run.name})

    async def _check(self, asked: Asked, definition: RunDefinition) -> None:
        """Refuse what cannot run, before anything is kept. Raises ArmError."""
        refuse_unsupported(definition.configuration)
        target = definition.configuration.target
        try:
            await find_one(self.runs.resources, asked.workspace.id, "computes", target)
        except SpecError as error:
            raise ArmError(error.code, error.message, 400, target="Target") from error
        run_id = asked.query.get("runid")
        if run_id and not ASSET_NAME.fullmatch(run_id):
            message = f"{run_id!r} is no id for a run: it must match {ASSET_NAME.pattern}."
            raise ArmError("InvalidResourceName", message, target="runId")
        if run_id and await self.runs.resources.find(f"{asked.workspace.id}/jobs/{run_id}"):
            raise _taken(run_id)

    async def _submitted(self, asked: Asked, definition: RunDefinition, code_id: str) -> Response:
        experiment = asked.names["experiment"]
        environment_id = await self._environment(asked, definition)
        snapshot = code_id.split("/")[-3]
        properties = {
            **job_of(definition, experiment, code_id, environment_id),
            "properties": {"ContentSnapshotId": snapshot},
        }
        internal = {"runDefinition": definition.model_dump(mode="json", by_alias=True)}
        given = asked.query.get("runid")
        run = await self._job(asked, experiment, given, (properties, internal))
        await self.runs.experiments.note(run)
        return JSONResponse({"runId": run.name})

    async def _job(
        self, asked: Asked, experiment: str, given: str | None, wanted: tuple[Json, Json]
    ) -> Resource:
        """The job's row; an id that was not asked for is the next free one."""
        moment = int(time.time() * 1000)
        while True:
            name = given or f"{experiment.replace(' ', '_')}_{moment}"
            try:
                return await self._put(asked, f"jobs/{name}", *wanted, only_new=True)
            except ArmError as error:
                if error.code != FAILED_CONDITION:
                    raise
                if given:
                    raise _taken(given) from error
                moment += 1

    async def _environment(self, asked: Asked, definition: RunDefinition) -> str:
        """The id of the environment asset, which is written unless it is there."""
        section = definition.configuration.environment
        made = environment_of(section)
        if made is None:
            return f"azureml:{section.name}" + (f":{section.version}" if section.version else "")
        version = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:32]
        written = await self._put(asked, f"environments/{ENVIRONMENT}/versions/{version}", made, {})
        return written.id

    async def _code(self, asked: Asked, zipped: Part, script: str) -> str:
        """The id of the code asset with the content of the zip: the same zip, the same asset."""
        writer = str(uuid.uuid4())
        root = await self.data.writable(asked.workspace.id, SNAPSHOTS, writer)
        snapshot = await asyncio.to_thread(_snapshot, zipped, root, script)
        try:
            await self.delivery.deliver(writer)
        finally:
            await self.delivery.drop(writer)
        path = f"codes/{snapshot}/versions/1"
        properties = {"codeUri": f"{SNAPSHOTS}/{snapshot}", "isAnonymous": True}
        return (await self._put(asked, path, properties, {})).id

    async def _put(
        self, asked: Asked, path: str, properties: Json, internal: Json, **conditions: Any
    ) -> Resource:
        kind = self.writer.kind(f"{WORKSPACES}/{'/'.join(path.split('/')[::2])}")
        above, _, name = f"{asked.workspace.id}/{path}".rpartition("/")
        parent = above.rpartition("/")[0]
        actor = asked.caller.object_id
        proposal = await self.writer.propose(kind, parent, name, properties, actor)
        proposal = dataclasses.replace(proposal, properties={**proposal.properties, **internal})
        written, _ = await self.writer.put(kind, proposal, **conditions)
        return written


def _taken(run_id: str) -> ArmError:
    message = f"There is a run {run_id!r} already: choose another id."
    return ArmError("Conflict", message, 409, target="runId")


def _code_id(asked: Asked, snapshot: str) -> str:
    return f"{asked.workspace.id}/codes/{snapshot}/versions/1"


def _parts(form: dict[str, Part]) -> tuple[Part, RunDefinition]:
    """The two parts of the form, whatever their files are called. Raises ArmError 400."""
    folded = {name.casefold(): part for name, part in form.items()}
    missing = [name for name in (ZIP, DEFINITION) if name.casefold() not in folded]
    if missing:
        message = f"The form lacks {' and '.join(missing)}; it has {', '.join(form) or 'nothing'}."
        raise ArmError("BadArgument", message, target=missing[0])
    definition = read_json(folded[DEFINITION.casefold()].read())
    return folded[ZIP.casefold()], read_model(RunDefinition, definition)


def _snapshot(zipped: Part, root: Path, script: str) -> str:
    """Unpack below root; the name of the folder. Blocks. Raises ArmError."""
    root.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=root))
    try:
        zipped.save(staging / "project.zip")
        with (staging / "project.zip").open("rb") as file:
            name = str(uuid.UUID(hashlib.file_digest(file, "sha256").hexdigest()[:32]))
        unpack(staging / "project.zip", staging / "files")
        _check_script(staging / "files", script)
        try:
            (staging / "files").rename(root / name)
        except OSError as error:  # the same zip was there before
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return name


def _check_script(folder: Path, script: str) -> None:
    found = (folder / script).resolve()
    if found.is_relative_to(folder.resolve()) and found.is_file():
        return
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.py"))[:20]
    raise ArmError(
        "ScriptNotFound",
        f"There is no file {script!r} at the root of the zip; its Python files are: "
        f"{', '.join(names) or 'none'}. Correct Configuration.Script or zip the files themselves, "
        "not the folder around them.",
        target="Configuration.Script",
    )
