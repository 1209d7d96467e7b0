"""All resources of a subscription or of a group in one list, as ARM has it for every provider.

Source: spec/REST.md 4.
"""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import urlencode

from lazulite.app.catalog import SUBSCRIPTIONS, Entry, Inquiry
from lazulite.arm.envelope import ENVELOPE, timestamp
from lazulite.arm.errors import not_found
from lazulite.arm.kind import Kind, Registry
from lazulite.core.errors import ArmError
from lazulite.core.ids import RESOURCES, segment_of
from lazulite.dataplane.continuation import page
from lazulite.store.resources import Json, Resource, Resources

CLAUSE = re.compile(r"\s*(\w+)\s+(eq|ne)\s+'((?:[^']|'')*)'(?:\s+and\b|\s*$)", re.IGNORECASE)
TENANTS = f"{RESOURCES}/tenants"
FILTERS = ("name", "resourceType", "location", "resourceGroup", "tagName", "tagValue")
Clause = tuple[str, bool, str]


@dataclasses.dataclass(frozen=True)
class Inventory:
    """Lists of tracked resources: those that have a location. Each caller sees their own."""

    registry: Registry
    resources: Resources

    def entries(self) -> tuple[Entry, ...]:
        """tenants; resources, of a subscription and of a group."""
        below = "/subscriptions/{subscription}"
        return (
            Entry("GET", "/tenants", None, self.tenants),
            Entry("GET", f"{below}/resources", None, self.every),
            Entry("GET", f"{below}/resourceGroups/{{group}}/resources", None, self.every),
        )

    async def tenants(self, inquiry: Inquiry) -> Json:
        """The one tenant, which is everybody's: roles in it are not asked for."""
        kind = next(kind for kind in self.registry.kinds if kind.full_type == TENANTS)
        rows = await self.resources.of_type(TENANTS)
        return {"value": [kind.shape(row) for row in rows if kind.shape], "nextLink": None}

    async def every(self, inquiry: Inquiry) -> Json:
        """Those that pass $filter, by id. Raises ArmError 400."""
        clauses = read_filter(inquiry.query.get("$filter", ""))
        shown = page(
            [
                (kind, row)
                for kind, row in await self._visible(inquiry)
                if all(_passes(row, clause) for clause in clauses)
            ],
            lambda pair: pair[1].key,
            token=inquiry.query.get("$skiptoken"),
            size=inquiry.query.get("$top"),
        )
        wanted = {name.strip().lower() for name in inquiry.query.get("$expand", "").split(",")}
        link = None
        if shown.token is not None:
            link = f"{inquiry.url}?{urlencode({**inquiry.query, '$skiptoken': shown.token})}"
        value = [_show(kind, row, wanted) for kind, row in shown.items]
        return {"value": value, "nextLink": link}

    async def _visible(self, inquiry: Inquiry) -> list[tuple[Kind, Resource]]:
        """Raises ArmError 404 to those who may see nothing of the subscription."""
        kinds = [kind for kind in self.registry.kinds if "location" in kind.envelope]
        found = [
            (kind, row)
            for kind in kinds
            if kind.provider != RESOURCES
            for row in await self.resources.of_type(kind.full_type, under=inquiry.scope)
            if inquiry.caller.may(kind.permission("read"), row.id)
        ]
        if not found and not inquiry.caller.may(f"{SUBSCRIPTIONS}/read", inquiry.scope):
            raise not_found(SUBSCRIPTIONS, f"/subscriptions/{inquiry.names['subscription']}")
        return found


def read_filter(text: str) -> list[Clause]:
    """Clauses such as "resourceType eq 'a/b' and name ne 'x'". Raises ArmError 400."""
    clauses, rest = [], text
    while rest.strip():
        found = CLAUSE.match(rest)
        if found is None or found[1].lower() not in {name.lower() for name in FILTERS}:
            message = (
                f"The $filter is not understood from {rest!r} on: write {' or '.join(FILTERS)}, "
                "then eq or ne, then a text in single quotes; join several with and."
            )
            raise ArmError("InvalidFilterInQueryString", message, target="$filter")
        clauses.append((found[1].lower(), found[2].lower() == "eq", found[3].replace("''", "'")))
        rest = rest[found.end() :]
    return clauses


def _passes(row: Resource, clause: Clause) -> bool:
    name, is_equal, value = clause
    tags = row.envelope.get("tags") or {}
    said = {
        "name": [row.name],
        "resourcetype": [row.resource_type],
        "location": [row.envelope.get("location") or ""],
        "resourcegroup": [segment_of(row.id, "resourceGroups")],
        "tagname": list(tags),
        "tagvalue": [str(tag) for tag in tags.values()],
    }[name]
    return (value.casefold() in {one.casefold() for one in said}) == is_equal


def _show(kind: Kind, row: Resource, wanted: set[str]) -> Json:
    shown: Json = {"id": row.id, "name": row.name, "type": kind.full_type}
    shown |= {key: row.envelope[key] for key in ENVELOPE if row.envelope.get(key) is not None}
    more = {
        "createdtime": ("createdTime", timestamp(row.created_at)),
        "changedtime": ("changedTime", timestamp(row.modified_at)),
        "provisioningstate": ("provisioningState", row.provisioning_state),
    }
    return shown | dict(more[name] for name in sorted(wanted & more.keys()))
