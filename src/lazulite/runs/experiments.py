"""Experiments: names that hold runs. A record each, made when it is first named.

Source: spec/REST.md 9.2.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection

from lazulite.arm.envelope import timestamp
from lazulite.core.errors import ArmError
from lazulite.core.ids import WORKSPACES, fold, workspace_of
from lazulite.store.resources import Draft, Json, Resource, Resources

EXPERIMENTS = f"{WORKSPACES}/experiments"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,254}")


def check_name(name: str) -> None:
    """Raise ArmError 400 unless an experiment can have the name."""
    if not NAME.fullmatch(name):
        message = f"{name!r} is no name for an experiment: it must match {NAME.pattern}."
        raise ArmError("InvalidResourceName", message, target="experimentName")


@dataclasses.dataclass(frozen=True)
class Experiments:
    """Reads and writes of experiments."""

    resources: Resources

    async def ensure(self, workspace: str, name: str, actor: str) -> Resource:
        """The experiment of that name, made unless it is there.

        Raises ArmError 400 for the name, and 409 if the workspace is leaving.
        """
        check_name(name)
        found = await self.find(workspace, name)
        if found is not None:
            return found
        draft = Draft(
            resource_type=EXPERIMENTS,
            id=f"{workspace}/experiments/{name}",
            properties={"description": None, "tags": {}, "archivedTime": None},
            under=workspace,
            reconciled=False,
        )
        written = await self.resources.put(draft, actor, only_new=True)
        return written[0] if written else await self.ensure(workspace, name, actor)

    async def find(self, workspace: str, name: str) -> Resource | None:
        """The experiment of that name."""
        return await self.resources.find(f"{workspace}/experiments/{name}")

    async def uids(self, workspace: str, names: Collection[str]) -> dict[str, str]:
        """The ids of those of the names that are there, by name."""
        ids = {name: f"{workspace}/experiments/{name}" for name in names}
        found = await self.resources.find_all(list(ids.values()))
        return {name: found[fold(ids[name])].uid for name in names if fold(ids[name]) in found}

    async def note(self, job: Resource) -> None:
        """Remember a new job as the latest run of its experiment, which is made if need be."""
        name = job.properties["experimentName"]
        if not NAME.fullmatch(name):
            return  # an invocation may name any
        experiment = await self.ensure(workspace_of(job.id), name, job.created_by)
        latest = {
            "latestCreatedRunId": job.name,
            "latestCreatedRunCreatedUtc": timestamp(job.created_at),
        }
        await self.change(experiment, latest, job.created_by)

    async def change(self, experiment: Resource, change: Json, actor: str) -> Resource:
        """Set some of the experiment's properties; of one that is gone, none."""
        found: Resource | None = experiment
        while found is not None:
            draft = Draft(
                resource_type=EXPERIMENTS,
                id=found.id,
                properties={**found.properties, **change},
                reconciled=False,
            )
            written = await self.resources.put(draft, actor, if_revision=found.revision)
            if written is not None:
                return written[0]
            found = await self.resources.find(experiment.id)
        return experiment
