"""Workspaces: the folder that everything else is in. Source: spec/REST.md 7.1 and 11."""

from __future__ import annotations

import dataclasses
import re
import uuid

from lazulite.arm.kind import Kind, Properties, Proposal
from lazulite.arm.managed_identity import with_identity
from lazulite.arm.sku import with_sku
from lazulite.arm.watching import WORKSPACE_WATCHING
from lazulite.core.errors import ArmError
from lazulite.core.ids import fold, segment_of
from lazulite.store.resources import Json, Resource, Resources
from lazulite.workspaces.answers import WorkspaceAnswers
from lazulite.workspaces.dependencies import refuse_absent, refuse_missing, with_plain_ids
from lazulite.workspaces.properties import DEFAULTS, WORKSPACE_WIRE, Workspace
from lazulite.workspaces.provisioning import Provisioning, account_id

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,32}")
FIXED = ("storageAccount", "keyVault")


@dataclasses.dataclass(frozen=True)
class Workspaces:
    """What workspaces are checked with."""

    resources: Resources
    tenant_id: str

    async def prepare(self, proposal: Proposal) -> Proposal:
        """Complete what is asked for; refuse what is not there and what cannot change."""
        properties = with_plain_ids(proposal.properties)
        if proposal.existing is not None and proposal.existing.observed.get("account"):
            properties = _kept(properties, proposal.existing)
        else:
            refuse_missing(properties)
        await refuse_absent(self.resources, properties)
        envelope = {**DEFAULTS, **proposal.envelope}
        ready = dataclasses.replace(proposal, properties=properties, envelope=envelope)
        return with_identity(with_sku(ready), self.tenant_id)

    async def show(self, workspace: Resource, base: str) -> Json:
        """What only the server can say. Nulls are for services that are not there."""
        origin = base.partition("://")[2]
        subscription = segment_of(workspace.id, "subscriptions")
        return {
            "storageAccount": account_id(workspace),
            "workspaceId": str(uuid.UUID(workspace.uid)),
            "tenantId": self.tenant_id,
            "creationTime": workspace.created_at.isoformat(),
            "subscriptionState": None,
            "subscriptionStatusChangeTimeStampUtc": None,
            "discoveryUrl": f"{base}/discovery",
            "mlFlowTrackingUri": f"azureml://{origin}/mlflow/v1.0{workspace.id}",
            "studioEndpoint": f"{base}/?subscription={subscription}&workspace={workspace.name}",
            "serviceProvisionedResourceGroup": None,
            "privateLinkCount": 0,
            "privateEndpointConnections": [],
            "notebookInfo": None,
            "storageHnsEnabled": False,
            "associatedWorkspaces": None,
        }


def workspace(
    workspaces: Workspaces, provisioning: Provisioning, answers: WorkspaceAnswers
) -> Kind:
    """workspaces: PUT is answered 202; its Location tells how it goes, and what went wrong."""
    return Kind(
        resource_type="workspaces",
        name=NAME,
        properties=Workspace,
        wire=WORKSPACE_WIRE,
        envelope=frozenset({"location", "tags", "kind", "sku", "identity"}),
        watching=WORKSPACE_WATCHING,
        etag_until="2019-12-31",
        prepare=workspaces.prepare,
        reconcile=provisioning.reconcile,
        show=workspaces.show,
        actions=answers.actions(),
    )


class PrivateLink(Properties):
    """Never written."""


def private_endpoint_connection() -> Kind:
    """workspaces/privateEndpointConnections: there are none, and none can be made."""

    async def prepare(proposal: Proposal) -> Proposal:
        raise ArmError(
            "FeatureNotSupported",
            "This server has no private endpoints: bind it to the address that clients may use, "
            "see `lazulite up --host`.",
        )

    return Kind(
        resource_type="workspaces/privateEndpointConnections",
        properties=PrivateLink,
        prepare=prepare,
        verbs=frozenset({"GET", "HEAD", "PUT", "DELETE"}),
    )


def _kept(properties: Json, existing: Resource) -> Json:
    """What cannot change stays when it is not given. Raises ArmError 409 if it is given anew."""
    before = {**existing.properties, "storageAccount": account_id(existing)}
    for name in FIXED:
        held, asked = before.get(name), properties.get(name)
        if held and asked and fold(held) != fold(asked):
            raise ArmError(
                "ImmutablePropertyChanged",
                f"{name} of the workspace {existing.name!r} is {held!r} and cannot become "
                f"{asked!r}: make another workspace.",
                409,
                target=name,
            )
    stored = existing.properties
    return {**properties, **{name: stored.get(name) or properties.get(name) for name in FIXED}}
