"""workspaces/jobs: command jobs are written here, batch scoring jobs come from invocations.

Source: spec/REST.md 7.5, spec/BATCH.md 1.9, spec/CLIENTS.md 9 and 10.1.
"""

from __future__ import annotations

import dataclasses

from lazulite.arm.kind import ASSET_NAME, Action, Answer, Call, Kind, Proposal
from lazulite.arm.listing import Listing, pairs, same
from lazulite.arm.references import find_one
from lazulite.core.errors import ArmError, SpecError
from lazulite.core.ids import Address, workspace_of
from lazulite.operations.reconciler import Step
from lazulite.runs import pausing
from lazulite.runs.batch_jobs import BatchJobs
from lazulite.runs.command_jobs import CommandJobs
from lazulite.runs.experiments import check_name
from lazulite.runs.job_properties import NOT_OF_COMMANDS, OTHERS, Job
from lazulite.runs.job_wire import JOB_WIRE
from lazulite.runs.metrics import Metrics
from lazulite.runs.run_rows import Runs
from lazulite.runs.scoring_step import find_run
from lazulite.runs.shown import show
from lazulite.runs.status import has_ended, is_clients
from lazulite.store.resources import Json, Resource

INSTEAD = {
    "Sweep": "the search for parameters: submit each trial as a command job",
    "Pipeline": "the order of steps: submit each step as a command job, one after the other",
    "AutoML": "the search for models: submit your training script as a command job",
    "Spark": "a Spark cluster: submit a command job that starts Spark itself",
    "Labeling": "the labeling of data",
    "FineTuning": "the tuning of models: submit your training script as a command job",
    "Base": "a command",
}
"""What a job of a type would need that is not here."""
FIXED = frozenset(
    {
        *("jobType", "command", "codeId", "environmentId", "computeId", "inputs", "outputs"),
        *("environmentVariables", "experimentName", "limits", "resources", "distribution"),
        *("identity", "queueSettings", "componentId"),
    }
)
LISTING = Listing(
    filters={
        "jobtype": same("jobType", "Pipeline"),
        "tag": pairs("tags"),
        "properties": pairs("properties"),
    }
)


@dataclasses.dataclass(frozen=True)
class Jobs:
    """Every sort of job, each with what brings it about."""

    runs: Runs
    commands: CommandJobs
    batches: BatchJobs
    metrics: Metrics

    async def reconcile(self, job: Resource) -> Step:
        """One step of a job, by what the job is."""
        if job.deleting:
            await self.metrics.forget(job.uid)
        elif is_clients(job):
            return Step(observed=job.observed, converged=True)
        elif not job.observed:
            await self.runs.experiments.note(job)
        sort = self.commands if job.properties.get("jobType") == "Command" else self.batches
        return await sort.reconcile(job)

    async def step(self, address: Address) -> Resource | None:
        """The step of a batch scoring job."""
        return await find_run(self.runs.resources, address.id)

    async def cancel(self, call: Call) -> Answer:
        """Ask the job to end; one that has ended stays as it is. A second call changes nothing."""
        await self.runs.cancel(call.resource, call.actor)
        return Answer(status=200)

    async def pause(self, call: Call) -> Answer:
        """Ask a batch scoring job to rest and to give its nodes back. Not in Azure."""
        await pausing.request(self.runs, call.resource, call.actor, pause=True)
        return Answer(status=200)

    async def resume(self, call: Call) -> Answer:
        """Have a paused job go on; one that is not paused stays as it is. Not in Azure."""
        await pausing.request(self.runs, call.resource, call.actor, pause=False)
        return Answer(status=200)

    async def prepare(self, proposal: Proposal) -> Proposal:
        """Check a PUT and fill in what only the server knows. Raises ArmError."""
        given = proposal.properties
        refuse_unsupported(given)
        check_name(given["experimentName"])
        try:
            workspace = workspace_of(proposal.id)
            compute = await find_one(self.runs.resources, workspace, "computes", given["computeId"])
        except SpecError as error:
            raise ArmError(error.code, str(error), 400, target="computeId") from error
        before: Json = proposal.existing.properties if proposal.existing else {}
        internal = {
            "cancelRequested": before.get("cancelRequested", False),
            "runDefinition": given.get("runDefinition") or before.get("runDefinition"),
            "warnings": before.get("warnings"),
            "computeId": compute.id,
            "displayName": given["displayName"] or proposal.id.rpartition("/")[2],
        }
        own = {name: item for name, item in given.items() if name not in NOT_OF_COMMANDS}
        return dataclasses.replace(proposal, properties={**own, **internal})


def job(jobs: Jobs) -> Kind:
    """workspaces/jobs."""
    return Kind(
        resource_type="workspaces/jobs",
        properties=Job,
        name=ASSET_NAME,
        since="2021-03-01",
        reconcile=jobs.reconcile,
        prepare=jobs.prepare,
        stand_in=jobs.step,
        fixed=FIXED,
        may_delete=_has_ended,
        show=show,
        has_state=False,
        wire=JOB_WIRE,
        listing=LISTING,
        actions={
            "cancel": Action(perform=jobs.cancel, shows=False),
            "pause": Action(perform=jobs.pause, shows=False),
            "resume": Action(perform=jobs.resume, shows=False),
        },
    )


def refuse_unsupported(given: Json) -> None:
    """Raise ArmError 501 for a job that nothing here can run."""
    if given["jobType"] != "Command":
        _check_shape(given)
        missing = INSTEAD[given["jobType"]]
        raise _not_implemented(
            f"Jobs of type {given['jobType']!r} are not run by this server: what is missing is "
            f"{missing}.",
            "jobType",
        )
    spread = given["distribution"] or {}
    processes = max((spread.get(key) or 1 for key in COUNTS), default=1)
    if given["resources"]["instanceCount"] > 1 or processes > 1:
        raise _not_implemented(
            f"The job asks for {given['resources']['instanceCount']} instances with {processes} "
            "processes each; command jobs run as one process on one node here. Set both to 1.",
            "resources.instanceCount",
        )


def _check_shape(given: Json) -> None:
    """What jobs of that type must have comes first: a bad request is not taken for a good one."""
    missing = [name for name in OTHERS.get(given["jobType"], ()) if not given[name]]
    if missing:
        message = f"A job of type {given['jobType']} needs {', '.join(missing)}."
        raise ArmError("ValidationError", message, target=missing[0])


COUNTS = ("processCountPerInstance", "workerCount", "parameterServerCount")


def _not_implemented(message: str, target: str) -> ArmError:
    return ArmError("NotImplemented", message, 501, target=target)


async def _has_ended(job: Resource) -> None:
    if not has_ended(job):
        message = f"The job {job.name!r} has not ended: cancel it before you delete it."
        raise ArmError("Conflict", message, 409)
