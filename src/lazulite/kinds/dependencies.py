"""What a workspace depends on besides storage: vaults, Application Insights, registries.

They are records: no such service runs here, and their addresses are null. They are there so that
scripts which make them first, and name them in a workspace, work. Source: spec/REST.md 11.
"""

from __future__ import annotations

import dataclasses
import re
import secrets
import uuid
from collections.abc import Awaitable, Callable

from pydantic import ConfigDict, Field

from lazulite.arm.kind import Action, Answer, Call, Kind, Properties, Proposal
from lazulite.core.errors import ArmError
from lazulite.core.ids import INSIGHTS, KEY_VAULTS, LOG_ANALYTICS, REGISTRIES
from lazulite.identity.sealing import SecretBox
from lazulite.store.resources import Json, Resource, Resources
from lazulite.workspaces.dependencies import (
    PASSWORDS,
    instrumentation_key,
    registry_credentials,
)

Show = Callable[[Resource, str], Awaitable[Json]]


class Vault(Properties):
    """A key vault's properties, kept as they come."""

    model_config = ConfigDict(extra="allow")
    tenant_id: str | None = None
    sku: dict[str, str] | None = None
    access_policies: list[Json] = Field(default_factory=list)
    enable_soft_delete: bool = True


class Insights(Properties):
    """An Application Insights component's properties, kept as they come."""

    model_config = ConfigDict(extra="allow")


class ContainerRegistry(Properties):
    """A container registry's properties, kept as they come."""

    model_config = ConfigDict(extra="allow")
    admin_user_enabled: bool = False


def key_vault(tenant_id: str) -> Kind:
    """Microsoft.KeyVault/vaults."""

    async def show(vault: Resource, base: str) -> Json:
        return {"tenantId": vault.properties["tenantId"] or tenant_id, "vaultUri": None}

    return _record(KEY_VAULTS, Vault, show=show, name=re.compile(r"[A-Za-z][A-Za-z0-9-]{2,23}"))


def application_insights(tenant_id: str) -> Kind:
    """Microsoft.Insights/components."""

    async def show(component: Resource, base: str) -> Json:
        return {
            "ApplicationId": component.name,
            "AppId": str(uuid.UUID(component.uid)),
            "InstrumentationKey": instrumentation_key(component),
            "ConnectionString": None,
            "TenantId": tenant_id,
            "CreationDate": component.created_at.isoformat(),
        }

    anything = re.compile(r"[-\w.()]{0,259}[-\w()]")
    kind = _record(INSIGHTS, Insights, show=show, name=anything)
    return dataclasses.replace(kind, created=200)


def log_analytics() -> Kind:
    """Microsoft.OperationalInsights/workspaces."""

    async def show(workspace: Resource, base: str) -> Json:
        return {"customerId": str(uuid.UUID(workspace.uid))}

    return _record(LOG_ANALYTICS, Insights, show=show, name=re.compile(r"[A-Za-z0-9-]{4,63}"))


@dataclasses.dataclass(frozen=True)
class ContainerRegistries:
    """The passwords of registries' admin users."""

    resources: Resources
    box: SecretBox

    async def prepare(self, proposal: Proposal) -> Proposal:
        """Make the passwords of a new registry."""
        made = {name: self.box.seal(secrets.token_urlsafe(32).encode()) for name in PASSWORDS}
        return dataclasses.replace(proposal, secrets={} if proposal.existing else made)

    async def list_credentials(self, call: Call) -> Answer:
        """User name and passwords. Raises ArmError 400 while the admin user is disabled."""
        return Answer(body=registry_credentials(self.box, call.resource))

    async def regenerate_credential(self, call: Call) -> Answer:
        """Replace one password."""
        name = str(call.body.get("name", "")).lower()
        if name not in PASSWORDS:
            message = f"name is {call.body.get('name')!r}: it must be password or password2."
            raise ArmError("InvalidParameter", message, target="name")
        secret = self.box.seal(secrets.token_urlsafe(32).encode())
        registry = await self.resources.reseal(call.resource.id, lambda _: {name: secret})
        return Answer(body=registry_credentials(self.box, registry))


def container_registry(registries: ContainerRegistries) -> Kind:
    """Microsoft.ContainerRegistry/registries."""

    async def show(registry: Resource, base: str) -> Json:
        return {"loginServer": None, "creationDate": registry.created_at.isoformat()}

    kind = _record(REGISTRIES, ContainerRegistry, show=show, name=re.compile(r"[A-Za-z0-9]{5,50}"))
    actions = {
        "listCredentials": Action(perform=registries.list_credentials),
        "regenerateCredential": Action(perform=registries.regenerate_credential),
    }
    return dataclasses.replace(kind, prepare=registries.prepare, actions=actions)


def _record(
    full_type: str, properties: type[Properties], *, show: Show, name: re.Pattern[str]
) -> Kind:
    provider, _, resource_type = full_type.partition("/")
    return Kind(
        resource_type=resource_type,
        provider=provider,
        since="2014-12-01",
        name=name,
        properties=properties,
        envelope=frozenset({"location", "tags", "kind", "sku", "identity"}),
        show=show,
    )
