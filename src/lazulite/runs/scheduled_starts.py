"""What schedules start: a command job, or a job of a batch endpoint.

Azure does not say what endpointInvocationDefinition holds; here it is {"endpoint": its name or id,
"deployment": a name or nothing for the default, "properties": those of an invocation}.
"""

from __future__ import annotations

import dataclasses

from pydantic import ConfigDict, Field

from lazulite.arm.bodies import read_form
from lazulite.arm.conditions import FAILED_CONDITION
from lazulite.arm.kind import Kind, Properties
from lazulite.arm.names import canonical
from lazulite.arm.proposals import validated
from lazulite.arm.references import missing
from lazulite.arm.writing import Writer
from lazulite.core.errors import ArmError
from lazulite.core.ids import ML, name_of, workspace_of
from lazulite.deployments.invoking import Invoker, Order
from lazulite.deployments.repeats import Repeat
from lazulite.identity.access import Access
from lazulite.store.resources import Json, Resource


class Invocation(Properties):
    """Which batch endpoint to invoke, and with what."""

    model_config = ConfigDict(extra="forbid")
    endpoint: str
    deployment: str | None = None
    properties: Json = Field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class ScheduledStarts:
    """Starts jobs as who wrote the schedule last, if they may. jobs: the kind of jobs."""

    jobs: Kind
    writer: Writer
    invoker: Invoker
    access: Access

    def check(self, action: Json) -> None:
        """Raise ArmError for an action that could never start anything."""
        if action["actionType"] == "CreateJob":
            self._job(action)
        elif action["actionType"] == "InvokeBatchEndpoint":
            _invocation(action)

    async def create_job(self, schedule: Resource, action: Json, name: str) -> str:
        """Write the job of that name, unless it is there; its id. Raises ArmError or SpecError."""
        workspace = workspace_of(schedule.id)
        await self.access.require(schedule.modified_by, f"{ML}/workspaces/jobs/write", workspace)
        given, actor = self._job(action), schedule.modified_by
        proposal = await self.writer.propose(self.jobs, workspace, name, given, actor)
        try:
            written, _ = await self.writer.put(self.jobs, proposal, only_new=True)
        except ArmError as error:
            if error.code != FAILED_CONDITION:
                raise
            return proposal.id
        return written.id

    async def invoke(self, schedule: Resource, action: Json, name: str) -> str:
        """The same for a job of a batch endpoint."""
        asked, workspace = _invocation(action), workspace_of(schedule.id)
        plain = name_of(asked.endpoint.removeprefix("azureml:"))
        endpoint = await self.writer.resources.find(f"{workspace}/batchEndpoints/{plain}")
        if endpoint is None:
            raise missing("batchEndpoints", asked.endpoint, workspace)
        right = f"{ML}/workspaces/batchEndpoints/jobs/write"
        await self.access.require(schedule.modified_by, right, endpoint.id)
        order = Order(
            body={"properties": {**asked.properties, "name": name}},
            deployment=asked.deployment,
            repeat=Repeat(id=f"{schedule.uid}-{name}", client_id=None, digest=name),
            actor=schedule.modified_by,
        )
        job, _ = await self.invoker.start(endpoint, order)
        return job.id

    def _job(self, action: Json) -> Json:
        """The definition in its internal form, complete."""
        given = action["jobDefinition"]
        given = canonical(self.jobs.properties.chosen(given), given)
        if str(given.get("jobType", "")).casefold() != "command":
            raise ArmError(
                "NotImplemented",
                f"The schedule would create a job of type {given.get('jobType')!r}; schedules "
                "start Command jobs and batch endpoints here.",
                501,
                target="action.jobDefinition.jobType",
            )
        return validated(self.jobs, given)


def _invocation(action: Json) -> Invocation:
    return read_form(Invocation, action["endpointInvocationDefinition"])
