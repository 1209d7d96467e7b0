"""ARM paths that are documents rather than resources: providers, operations, lists of everything.

Source: spec/REST.md 4 and 6.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazulite.arm.errors import not_allowed, not_found
from lazulite.arm.requests import base_url
from lazulite.arm.versions import negotiate
from lazulite.core.ids import RESOURCES
from lazulite.identity.access import Principal
from lazulite.identity.authorize import Guard
from lazulite.identity.tokens import Audience
from lazulite.store.resources import Json, Resources

SUBSCRIPTIONS = f"{RESOURCES}/subscriptions"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inquiry:
    """A request for a document, by somebody who may read it."""

    http: Request
    caller: Principal
    names: Mapping[str, str]
    query: Mapping[str, str]
    """By lower-case name."""

    @property
    def scope(self) -> str:
        """The id of the group or subscription asked about; "" for the tenant."""
        names = self.names
        scope = f"/subscriptions/{names['subscription']}" if "subscription" in names else ""
        return f"{scope}/resourceGroups/{names['group']}" if "group" in names else scope

    @property
    def url(self) -> str:
        """The caller's URL without its query."""
        return base_url(self.http) + self.http.url.path


@dataclasses.dataclass(frozen=True)
class Entry:
    """One document: its path in any case, and the permission for it at its scope."""

    method: str
    path: str
    permission: str | None
    """None: every caller may read it, as it shows nothing, or only what they may read."""
    answer: Callable[[Inquiry], Awaitable[Json]]

    def match(self, path: str) -> dict[str, str] | None:
        """The names in a path; None if it is another one."""
        found = _compiled(self.path).fullmatch(path)
        return found.groupdict() if found else None


class Catalog:
    """Answers requests for documents, and passes all others on to ARM."""

    def __init__(
        self,
        entries: tuple[Entry, ...],
        resources: Resources,
        guard: Guard,
        arm: Callable[[Request], Awaitable[Response]],
    ) -> None:
        """entries: tried in their order."""
        self.entries, self._arm = entries, arm
        self._resources, self._guard = resources, guard

    async def handle(self, http: Request) -> Response:
        """Answer one request. Raises ArmError."""
        path = http.url.path.rstrip("/")
        known = [(one, names) for one in self.entries if (names := one.match(path)) is not None]
        if not known:
            return await self._arm(http)
        caller = await self._guard.authenticate(http.headers, Audience.MANAGEMENT)
        for entry, names in known:
            if entry.method == http.method:
                query = {key.lower(): value for key, value in http.query_params.items()}
                inquiry = Inquiry(http=http, caller=caller, names=names, query=query)
                return await self._answer(entry, inquiry)
        raise not_allowed(http.method, path, sorted({one.method for one, _ in known}))

    async def _answer(self, entry: Entry, inquiry: Inquiry) -> Response:
        negotiate(inquiry.query.get("api-version"))
        if entry.permission is not None:
            permission = entry.permission.format(**inquiry.names)
            headers, scope = inquiry.http.headers, inquiry.scope or "/"
            await self._guard.require(headers, permission, scope, Audience.MANAGEMENT)
        await self._check_scope(inquiry)
        return JSONResponse(await entry.answer(inquiry))

    async def _check_scope(self, inquiry: Inquiry) -> None:
        """Raise ArmError 404 unless the subscription and the group are there."""
        if not inquiry.scope:
            return
        subscription = f"/subscriptions/{inquiry.names['subscription']}"
        if await self._resources.find(subscription) is None:
            raise not_found(SUBSCRIPTIONS, subscription)
        if "group" in inquiry.names and await self._resources.find(inquiry.scope) is None:
            raise not_found(f"{SUBSCRIPTIONS}/resourceGroups", inquiry.scope)


@functools.cache
def _compiled(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    names = [f"(?P<{part}>[^/]+)" if at % 2 else re.escape(part) for at, part in enumerate(parts)]
    return re.compile("".join(names), re.IGNORECASE)
