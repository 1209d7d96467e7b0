"""What a compute is checked for, shows and answers. Source: spec/REST.md 6 and 7.2."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError

from lazulite.arm.envelope import timestamp
from lazulite.arm.faults import faulty
from lazulite.arm.kind import Action, Answer, Call, Properties, Proposal, model_dump
from lazulite.arm.managed_identity import with_identity
from lazulite.arm.names import canonical
from lazulite.arm.secrets import unsealed, with_sealed
from lazulite.arm.sku import with_sku
from lazulite.arm.watching import COMPUTE_WATCHING
from lazulite.computes import power
from lazulite.computes.cluster_view import (
    EVICTED,
    cluster_view,
    listed_nodes,
    nodes_of,
    with_evicted,
)
from lazulite.computes.properties import Eviction, InstanceSchedules
from lazulite.computes.types import SECRETS
from lazulite.core.errors import ArmError
from lazulite.identity.sealing import SecretBox
from lazulite.store.resources import Draft, Json, Resource, Resources

HERE = frozenset({"AmlCompute", "ComputeInstance"})
SCHEDULED_UNTIL = "2021-09-30"
RESTARTED_AT_ONCE_UNTIL = "2021-04-30"


@dataclasses.dataclass(frozen=True)
class ComputeAnswers:
    """Checks and actions of all types."""

    resources: Resources
    box: SecretBox
    tenant_id: str

    async def prepare(self, proposal: Proposal) -> Proposal:
        """Seal what is secret; a new instance is to start. Raises ArmError."""
        _refuse_other_type(proposal)
        inner: Json = proposal.properties.get("properties") or {}
        if inner.get("osType") == "Windows":
            message = "osType is Windows: nodes are processes on this machine. Use Linux."
            raise ArmError("FeatureNotSupported", message, target="properties.osType")
        envelope = dict(proposal.envelope)
        held = proposal.existing.envelope if proposal.existing else {}
        if EVICTED in held:
            envelope[EVICTED] = held[EVICTED]
        if proposal.properties["computeType"] == power.INSTANCE:
            envelope[power.POWER] = held.get(power.POWER) or power.new_power(self._now())
        ready = dataclasses.replace(proposal, envelope=envelope)
        ready = with_identity(with_sku(ready), self.tenant_id)
        return with_sealed(ready, self.box, "properties", SECRETS)

    async def may_delete(self, compute: Resource, query: Mapping[str, str]) -> None:
        """underlyingResourceAction: Delete for what runs here, Detach for what is attached."""
        right = "Delete" if runs_here(compute) else "Detach"
        asked = query.get("underlyingresourceaction", "")
        if asked.lower() == right.lower():
            return
        raise ArmError(
            "BadArgument",
            f"underlyingResourceAction is {asked!r}: of the {compute.properties['computeType']} "
            f"{compute.name!r} it must be {right}.",
            target="underlyingResourceAction",
        )

    async def show(self, compute: Resource, base: str) -> Json:
        """What only the server can say."""
        inner: Json = compute.properties.get("properties") or {}
        shown = {
            "AmlCompute": cluster_view,
            power.INSTANCE: self._instance_view,
        }.get(compute.properties["computeType"])
        return {
            "computeLocation": compute.properties.get("computeLocation")
            or compute.envelope["location"],
            "isAttachedCompute": not runs_here(compute),
            "createdOn": timestamp(compute.created_at),
            "modifiedOn": timestamp(compute.modified_at),
            "provisioningErrors": [{"error": compute.error}] if compute.error else None,
            "properties": {**inner, **shown(compute)} if shown else inner,
        }

    def actions(self) -> dict[str, Action]:
        """By name."""
        return {
            "listNodes": Action(perform=self.list_nodes),
            "evictNode": Action(perform=self.evict_node, form=Eviction, shows=False),
            "listKeys": Action(perform=self.list_keys),
            "start": Action(perform=self._turning(power.START)),
            "stop": Action(perform=self._turning(power.STOP)),
            "restart": Action(perform=self._turning(power.RESTART)),
            "updateSchedules": Action(perform=self.update_schedules),
        }

    async def list_keys(self, call: Call) -> Answer:
        """The secrets that were given for an attached compute. Raises ArmError 400 if none were."""
        compute, held = call.resource, unsealed(call.resource, self.box)
        kind = compute.properties["computeType"]
        inner: Json = compute.properties.get("properties") or {}
        token = held.get("databricksAccessToken")
        if kind == "Databricks" and token:
            return Answer(body={"computeType": kind, "databricksAccessToken": token})
        account = inner.get("administratorAccount")
        if kind == "VirtualMachine" and account:
            prefix = "administratorAccount."
            secret = {key.removeprefix(prefix): held[key] for key in held if key.startswith(prefix)}
            return Answer(body={"computeType": kind, "administratorAccount": {**account, **secret}})
        raise ArmError(
            "NoCredentials",
            f"The compute {compute.name!r} has no keys: {kind} has none, or none were given. "
            "Only the token of Databricks and the account of a VirtualMachine are kept.",
        )

    async def update_schedules(self, call: Call) -> Answer:
        """Replace an instance's schedules; they are kept and do not fire."""
        _refuse_unless_instance(call.resource, "has schedules")
        if call.version[:10] > SCHEDULED_UNTIL:
            message = "updateSchedules is gone since 2021-10-01: PUT properties.schedules."
            raise ArmError("InvalidResourceType", message, 404)
        given = model_dump(_read(InstanceSchedules, call))
        inner = {**call.resource.properties["properties"], "schedules": given}
        changed = {**call.resource.properties, "properties": inner}
        await self._rewrite(call, changed, call.resource.envelope)
        return Answer()

    async def list_nodes(self, call: Call) -> Answer:
        """Every node with its state and the run that it serves. Raises ArmError for other types."""
        jobs = {node.job for node in nodes_of(call.resource) if node.job}
        found = [await self.resources.by_uid(job) for job in sorted(jobs)]
        return listed_nodes(call, {job.uid: job.name for job in found if job})

    async def evict_node(self, call: Call) -> Answer:
        """Take a node away as Azure takes one of low priority; a second call changes nothing.

        An extension, to try what an eviction does to jobs. Raises ArmError for an unknown node.
        """
        wanted = with_evicted(call.resource, _read(Eviction, call).node_id)
        await self._rewrite(call, call.resource.properties, wanted)
        return Answer(status=202)

    def _turning(self, operation: str) -> Callable[[Call], Awaitable[Answer]]:
        async def perform(call: Call) -> Answer:
            """Want it so; the operation ends when it is."""
            _refuse_unless_instance(call.resource, "can be started and stopped")
            wanted = power.turned(call.resource.envelope[power.POWER], operation, self._now())
            envelope = {**call.resource.envelope, power.POWER: wanted}
            found = await self._rewrite(call, call.resource.properties, envelope)
            if operation == power.RESTART and call.version[:10] <= RESTARTED_AT_ONCE_UNTIL:
                return Answer()
            headers = COMPUTE_WATCHING.headers(found, 202, call.base, call.version)
            return Answer(status=202, headers=headers)

        return perform

    async def _rewrite(self, call: Call, properties: Json, envelope: Json) -> Resource:
        """Write the row anew unless somebody else did meanwhile. Raises ArmError 409."""
        row = call.resource
        draft = Draft(
            resource_type=row.resource_type,
            id=row.id,
            properties=properties,
            envelope=envelope,
            uid=row.uid,
        )
        written = await self.resources.put(draft, call.actor, if_revision=row.revision)
        if written is None:
            raise ArmError("Conflict", f"{row.id!r} was changed meanwhile: repeat.", 409)
        return written[0]

    def _instance_view(self, instance: Resource) -> Json:
        inner = instance.properties["properties"]
        ssh = inner.get("sshSettings")
        maker = {"userName": instance.created_by, "userOrgId": self.tenant_id}
        return {
            "sshSettings": ssh and {**ssh, "adminUserName": None, "sshPort": None},
            "connectivityEndpoints": {"publicIpAddress": None, "privateIpAddress": "127.0.0.1"},
            "applications": [],
            "createdBy": {**maker, "userId": instance.created_by},
            "errors": [instance.error] if instance.error else [],
            "state": power.state_of(instance),
            "lastOperation": power.last_operation(instance),
            "containers": [],
            "dataDisks": [],
            "dataMounts": [],
            "versions": {"runtime": None},
            "osImageMetadata": None,
        }

    def _now(self) -> datetime:
        return self.resources.clock()


Form = TypeVar("Form", bound=Properties)


def _read(form: type[Form], call: Call) -> Form:
    try:
        return form.model_validate(canonical(form, call.body))
    except ValidationError as error:
        raise faulty(error) from error


def runs_here(compute: Resource) -> bool:
    """Whether this machine is the compute, which is elsewhere otherwise."""
    return compute.properties["computeType"] in HERE


def _refuse_unless_instance(compute: Resource, what: str) -> None:
    if power.is_instance(compute):
        return
    kind = compute.properties["computeType"]
    message = f"{compute.name!r} is {kind}: only a ComputeInstance {what}."
    raise ArmError("BadArgument", message, target="computeType")


def _refuse_other_type(proposal: Proposal) -> None:
    if proposal.existing is None:
        return
    before, asked = proposal.existing.properties["computeType"], proposal.properties["computeType"]
    if before != asked:
        raise ArmError(
            "ImmutablePropertyChanged",
            f"computeType of {proposal.existing.name!r} is {before!r} and cannot become "
            f"{asked!r}: delete the compute, or choose another name.",
            409,
            target="computeType",
        )
