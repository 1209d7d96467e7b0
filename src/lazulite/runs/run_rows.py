"""Runs as rows: jobs are runs, and what clients run themselves is a row of the same type.

Source: spec/REST.md 9.2.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from lazulite.arm.envelope import timestamp
from lazulite.arm.kind import ASSET_NAME
from lazulite.core.errors import ArmError
from lazulite.core.ids import JOBS
from lazulite.runs.experiments import Experiments
from lazulite.runs.scoring_step import find_run, refuse_step
from lazulite.runs.status import has_ended, is_clients
from lazulite.runs.supervision import Supervision
from lazulite.store.resources import Draft, Json, Resource, Resources

KEPT = ("displayName", "description")
TOLD = (
    *("status", "startTimeUtc", "endTimeUtc", "parentRunId", "runType", "scriptName", "target"),
    *("runDefinition", "error"),
)
"""What clients say of runs of their own."""
EVENTS = {
    "start": {"status": "Running"},
    "completed": {"status": "Completed"},
    "failed": {"status": "Failed"},
    "canceled": {"status": "Canceled"},
}


@dataclasses.dataclass(frozen=True)
class Runs:
    """Finds and changes runs of workspaces."""

    resources: Resources
    experiments: Experiments
    supervision: Supervision

    async def find(self, workspace: str, run_id: str, experiment: str | None = None) -> Resource:
        """The run. Raises ArmError 404 if there is none, or if it is of another experiment."""
        found = await find_run(self.resources, f"{workspace}/jobs/{run_id}")
        if found is None or (experiment and not is_of(found, experiment)):
            where = f" in the experiment {experiment!r}" if experiment else ""
            raise ArmError("RunNotFound", f"There is no run {run_id!r}{where}.", 404)
        return found

    async def all(self, workspace: str, experiment: str | None = None) -> list[Resource]:
        """The runs of a workspace, or of one of its experiments, the oldest first."""
        found = await self.resources.children(workspace, JOBS)
        return [job for job in found if experiment is None or is_of(job, experiment)]

    async def modify(
        self, workspace: str, experiment: str, run_id: str, change: Json, actor: str
    ) -> Resource:
        """Change a run, or begin one that the client runs itself. Raises ArmError."""
        found = await find_run(self.resources, f"{workspace}/jobs/{run_id}")
        if found is None:
            return await self._begin(workspace, experiment, run_id, change, actor)
        if not is_of(found, experiment):
            raise ArmError(
                "Conflict",
                f"The run {run_id!r} is in the experiment {found.properties['experimentName']!r}, "
                f"not in {experiment!r}.",
                409,
            )
        return await self.change(found, lambda now: _changed(now, change), actor)

    async def change(self, run: Resource, how: Callable[[Resource], Json], actor: str) -> Resource:
        """Write what how() makes of the run's properties, whoever else writes meanwhile.

        Raises ArmError for the step of a job, which has no row of its own.
        """
        refuse_step(run)
        found: Resource | None = run
        while found is not None:
            draft = Draft(
                resource_type=JOBS,
                id=found.id,
                properties=how(found),
                envelope=found.envelope,
                uid=run.uid,
                reconciled=not is_clients(found),
            )
            written = await self.resources.put(draft, actor, if_revision=found.revision)
            if written is not None:
                return written[0]
            found = await self.resources.find(run.id)
        raise ArmError("RunNotFound", f"The run {run.name!r} was deleted meanwhile.", 404)

    async def cancel(self, run: Resource, actor: str) -> Resource:
        """Ask a run to end. A second call, and one of an ended run, changes nothing."""
        refuse_step(run)
        if has_ended(run):
            return run
        if is_clients(run):
            return await self.event(run, "Canceled", {}, actor)
        return await self.supervision.request_cancel(run, actor)

    async def event(self, run: Resource, name: str, data: Json, actor: str) -> Resource:
        """Take in an event of a run. Errors and warnings are kept; states only of clients' runs.

        Events may come late and in any order: none takes a run back from its last state.
        """
        kind = name.rpartition(".")[2].lower()
        if kind == "warning":
            warning = {"source": data.get("source"), "message": str(data.get("message", ""))}
            return await self.change(run, lambda now: _warned(now, warning), actor)
        if not is_clients(run):
            return run
        change = {"error": data.get("errorResponse"), **EVENTS.get(kind, {})}
        return await self.change(run, lambda now: _changed(now, self._timed(change, now)), actor)

    def _timed(self, change: Json, run: Resource) -> Json:
        """With the time of the change; without the state of a run that has ended."""
        if has_ended(run):
            return {name: value for name, value in change.items() if name != "status"}
        now = timestamp(self.resources.clock())
        if change.get("status") == "Running":
            return {**change, "startTimeUtc": run.properties["clientState"]["startTimeUtc"] or now}
        return {**change, "endTimeUtc": now} if "status" in change else change

    async def _begin(
        self, workspace: str, experiment: str, run_id: str, change: Json, actor: str
    ) -> Resource:
        if not ASSET_NAME.fullmatch(run_id):
            message = f"{run_id!r} is no id for a run: it must match {ASSET_NAME.pattern}."
            raise ArmError("InvalidResourceName", message, target="runId")
        await self.experiments.ensure(workspace, experiment, actor)
        properties = clients_properties(experiment, run_id, change)
        draft = Draft(
            resource_type=JOBS,
            id=f"{workspace}/jobs/{run_id}",
            properties=properties,
            under=workspace,
            reconciled=False,
        )
        written = await self.resources.put(draft, actor, only_new=True)
        if written is None:
            return await self.modify(workspace, experiment, run_id, change, actor)
        await self.experiments.note(written[0])
        return written[0]


def is_of(run: Resource, experiment: str) -> bool:
    """Whether the run is of the experiment; names compare without case."""
    return str(run.properties["experimentName"]).casefold() == experiment.casefold()


def clients_properties(experiment: str, run_id: str, change: Json) -> Json:
    """The properties of a run that a client runs itself."""
    plain: Json = {
        "jobType": "Base",
        "experimentName": experiment,
        "displayName": run_id,
        "description": None,
        "tags": {},
        "properties": {},
        "isArchived": False,
        "cancelRequested": False,
        "computeId": None,
        "clientState": dict.fromkeys(TOLD),
    }
    return changed(plain, {"status": "NotStarted", **change}, clients=True)


def changed(properties: Json, change: Json, *, clients: bool) -> Json:
    """Properties with what a CreateRun says; None and absent names stay as they are."""
    given = {name: value for name, value in change.items() if value is not None}
    result = {**properties, **{name: given[name] for name in KEPT if name in given}}
    if "hidden" in given:
        result["isArchived"] = given["hidden"]
    for name in ("tags", "properties"):
        if name in given:
            result[name] = {**properties[name], **given[name]}
    if clients:
        told = {name: given[name] for name in TOLD if name in given}
        result["clientState"] = {**properties["clientState"], **told}
    return result


def _changed(run: Resource, change: Json) -> Json:
    return changed(run.properties, change, clients=is_clients(run))


def _warned(run: Resource, warning: dict[str, Any]) -> Json:
    return {**run.properties, "warnings": [*(run.properties.get("warnings") or ()), warning]}
