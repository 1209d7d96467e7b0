"""What the server's resource providers have: their types, versions and operations.

Source: spec/REST.md 4 and 6 (Operations_List).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from lazulite.app.catalog import SUBSCRIPTIONS, Entry, Inquiry
from lazulite.arm.kind import Kind, Registry
from lazulite.arm.versions import NAMED
from lazulite.core.errors import ArmError
from lazulite.core.ids import ML, RESOURCES, name_of
from lazulite.store.resources import Json, Resources

LOCATIONS = f"{SUBSCRIPTIONS}/locations"
VERBS = {"GET": "read", "PUT": "write", "DELETE": "delete"}
DONE = {"read": "Gets", "write": "Creates or updates", "delete": "Deletes", "action": "Acts on"}


@dataclasses.dataclass(frozen=True)
class Providers:
    """Documents about providers. All are registered with every subscription, always."""

    registry: Registry
    resources: Resources
    permissions: tuple[str, ...]
    """Those of the services, below Microsoft.MachineLearningServices/workspaces."""

    def entries(self) -> tuple[Entry, ...]:
        """providers, of the tenant and of a subscription, and the operations of one."""
        below, read = "/subscriptions/{subscription}/providers", f"{SUBSCRIPTIONS}/providers/read"
        return (
            Entry("GET", "/providers", None, self.all),
            Entry("GET", "/providers/{namespace}", None, self.one),
            Entry("GET", f"/providers/{ML}/operations", None, self.operations),
            Entry("GET", below, read, self.all),
            Entry("GET", f"{below}/{{namespace}}", read, self.one),
            Entry(
                "POST", f"{below}/{{namespace}}/register", "{namespace}/register/action", self.one
            ),
        )

    async def all(self, inquiry: Inquiry) -> Json:
        """Every provider."""
        names = sorted({kind.provider for kind in self.registry.kinds})
        return {"value": [await self._shown(inquiry, name) for name in names], "nextLink": None}

    async def one(self, inquiry: Inquiry) -> Json:
        """One provider; to register it changes nothing. Raises ArmError 404."""
        asked = inquiry.names["namespace"]
        for kind in self.registry.kinds:
            if kind.provider.casefold() == asked.casefold():
                return await self._shown(inquiry, kind.provider)
        message = f"The resource namespace {asked!r} is invalid."
        raise ArmError("InvalidResourceNamespace", message, 404)

    async def operations(self, inquiry: Inquiry) -> Json:
        """Every action that a role can grant here."""
        found = {kind.full_type: _actions(kind) for kind in self.registry.kinds}
        known = [action for name, all_ in found.items() if name.startswith(ML) for action in all_]
        known += [f"{ML}/workspaces/{permission}" for permission in self.permissions]
        unique = {action.casefold(): action for action in known}
        return {"value": [_operation(unique[key]) for key in sorted(unique)]}

    async def _shown(self, inquiry: Inquiry, namespace: str) -> Json:
        locations = [row.name for row in await self.resources.of_type(LOCATIONS)]
        kinds = [kind for kind in self.registry.kinds if kind.provider == namespace]
        return {
            "id": f"{inquiry.scope}/providers/{namespace}",
            "namespace": namespace,
            "registrationPolicy": "RegistrationRequired",
            "registrationState": "Registered",
            "resourceTypes": [_resource_type(kind, locations) for kind in kinds],
        }


def _resource_type(kind: Kind, locations: list[str]) -> Json:
    versions = [name for name in reversed(NAMED) if kind.since <= name[:10] <= kind.until]
    is_tracked = "location" in kind.envelope
    return {
        "resourceType": kind.resource_type,
        "locations": [] if kind.provider == RESOURCES else locations,
        "apiVersions": versions,
        "defaultApiVersion": next((name for name in versions if "preview" not in name), None),
        "capabilities": "SupportsTags, SupportsLocation" if is_tracked else "None",
    }


def _actions(kind: Kind) -> Iterable[str]:
    yield from (kind.permission(VERBS[verb]) for verb in VERBS if verb in kind.verbs)
    for name, action in kind.actions.items():
        yield kind.permission(f"{name}/{action.permission}")


def _operation(action: str) -> Json:
    resource, _, verb = action.rpartition("/")
    what = resource.partition("/")[2]
    return {
        "name": action,
        "display": {
            "provider": "Microsoft Machine Learning Services",
            "resource": what,
            "operation": f"{DONE.get(verb, verb)} {name_of(what)}",
            "description": f"{DONE.get(verb, verb)} {what}",
        },
    }
