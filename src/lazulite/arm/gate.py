"""What every request to ARM passes: who asks, whether they may, and what is there.

Nothing is told of a resource before the guard has been asked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from lazulite.arm.errors import missing_parent, not_allowed, not_found, unknown_type
from lazulite.arm.kind import Kind, Registry
from lazulite.arm.requests import ArmRequest
from lazulite.arm.versions import require_known
from lazulite.core.errors import ArmError
from lazulite.core.ids import Address, fold, parse_path
from lazulite.identity.access import Principal
from lazulite.identity.authorize import Guard
from lazulite.identity.tokens import Audience
from lazulite.store.resources import Resource, Resources

Sight = Callable[[Resource], bool]
"""Whether a row is shown."""


@dataclasses.dataclass(frozen=True)
class Gate:
    """Asks the guard, then finds rows. Everything raises ArmError."""

    registry: Registry
    resources: Resources
    guard: Guard

    async def found(self, kind: Kind, request: ArmRequest, verb: str) -> Resource:
        """The row that a request names, of a caller who may do that with it."""
        await self.permitted(kind, request, verb)
        return await self.existing(kind, request.address, verb)

    async def existing(self, kind: Kind, address: Address, verb: str) -> Resource:
        """The row, once the guard has been asked. A 404 names what is missing."""
        found = await self.resources.find(address.id)
        if found is None and verb == "read":
            found = await kind.stand_in(address)
        if found is None:
            await self.ancestors(address, kind.permission(verb))
            raise not_found(kind.full_type, address.id)
        return found

    async def ancestors(self, address: Address, action: str) -> None:
        """Whatever encloses the address must be there; containers of versions need not."""
        needed = [(above, self._enclosing_kind(above)) for above in enclosing(address)]
        needed = [(above, kind) for above, kind in needed if not kind.made_by_versions]
        there = await self.resources.find_all([above.id for above, _ in needed])
        for above, kind in needed:
            found = there.get(fold(above.id))
            if found is None:
                raise missing_parent(kind, above, action)
            if found.deleting and action.endswith("write"):
                message = f"{found.id!r} is being deleted: nothing can be written below it."
                raise ArmError("Conflict", message, 409)

    def _enclosing_kind(self, above: Address) -> Kind:
        kind = self.registry.find(above.provider, above.resource_type)
        if kind is None:
            raise unknown_type(self.registry, above)
        return kind

    async def permitted(self, kind: Kind, request: ArmRequest, verb: str) -> str:
        """The caller, who may do that; what they may not know comes after."""
        scope = request.address.id
        actor = ""
        if kind.seen_from_inside and verb == "read":
            caller = await self.caller(request.http)
            actor = caller.object_id if caller.has_role_in(scope) else ""
        actor = actor or await self.require(request.http, kind.permission(verb), scope)
        check_version(kind, request)
        return actor

    async def sight(self, kind: Kind, request: ArmRequest, scope: str) -> Sight:
        """Which rows of a list its caller is shown; scope: what the list is of, "" for the top.

        At the very top everybody is shown their own.
        """
        action, caller = kind.permission("read"), await self.caller(request.http)
        if scope and caller.may(action, scope):
            return lambda _: True
        if scope and not (kind.lists_own and caller.has_role_in(scope)):
            await self.require(request.http, action, scope)
        inside = caller.has_role_in if kind.seen_from_inside else lambda _: False
        return lambda row: caller.may(action, row.id) or inside(row.id)

    async def caller(self, http: Request) -> Principal:
        """Who asks, whatever they may do."""
        return await self.guard.authenticate(http.headers, Audience.MANAGEMENT)

    async def require(self, http: Request, action: str, scope: str) -> str:
        """The id of the caller, who may do that there."""
        caller = await self.guard.require(http.headers, action, scope, Audience.MANAGEMENT)
        return caller.object_id


def check_version(kind: Kind, request: ArmRequest) -> None:
    """Raise ArmError 400 unless the kind has the api-version."""
    require_known(request.version, kind.full_type, kind.since, kind.until)


def other_method(request: ArmRequest, what: str, known: list[str]) -> Response:
    """The answer to OPTIONS. Raises ArmError 405 for every other method."""
    if request.http.method != "OPTIONS":
        raise not_allowed(request.http.method, what, known)
    return Response(status_code=204, headers={"Allow": ", ".join([*known, "OPTIONS"])})


def enclosing(address: Address) -> list[Address]:
    """Every resource that the address lies in, outermost first."""
    inner = []
    above = address.parent
    while above.types:
        inner.append(above)
        above = above.parent
    if not address.scope:
        return inner[::-1]
    scope = parse_path(address.scope)
    return [*enclosing(scope), scope, *inner[::-1]]
