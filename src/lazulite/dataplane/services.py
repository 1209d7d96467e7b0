"""The services as tables of routes: /{service}/{version}{workspace}/{path}.

Whatever a table has is authenticated, authorised and given its workspace here, and nothing else is
reachable. The literal parts of a path are read in any case, and any api-version or none is taken.
Source: spec/REST.md 1, 2.1 and 9.1.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Awaitable, Callable, Iterator

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from lazulite.arm.turns import Turns
from lazulite.core.errors import ArmError
from lazulite.core.ids import ML, WORKSPACES
from lazulite.dataplane.refusals import Refusal, user_error
from lazulite.dataplane.requests import Asked
from lazulite.identity.authorize import Guard
from lazulite.identity.tokens import Audience
from lazulite.store.resources import Resource, Resources

TOKENS = Audience.MANAGEMENT | Audience.ML
"""Clients send a token for either. Source: spec/CLIENTS.md 3.1."""

BELOW = re.compile(
    r"/+subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    rf"/providers/{re.escape(ML)}/workspaces/(?P<workspace>[^/]+)/(?P<path>.*)",
    re.IGNORECASE | re.DOTALL,
)
PLACE = re.compile(r"\{(\w+)(:path)?\}")


@dataclasses.dataclass(frozen=True)
class ServiceRoute:
    """One operation of a service."""

    method: str
    path: str
    """Below the workspace; {name} is one segment, {name:path} any number of them."""
    permission: str
    """Azure's action below Microsoft.MachineLearningServices/workspaces: "models/read"."""
    handler: Callable[[Asked], Awaitable[Response]]
    form: type[BaseModel] | None = None
    """What the body says, for documents; the handler reads it."""
    parts: tuple[str, ...] = ()
    """Names of the parts of a body that is multipart/form-data."""

    def match(self, path: str) -> dict[str, str] | None:
        """The names in a path; None if it is another one."""
        found = _compiled(self.path).fullmatch(path)
        return found.groupdict() if found else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Service:
    """A service: its routes are tried in their order."""

    name: str
    version: str
    routes: tuple[ServiceRoute, ...]
    refusal: Refusal = user_error
    """The form of its errors."""
    bare: re.Pattern[str] | None = None
    """Whole paths without the prefix that are the service's, too."""
    otherwise: Callable[[Request], Awaitable[Response]] | None = None
    """Answers paths that no route has, without the prefix; it has to ask the guard itself."""

    @property
    def prefix(self) -> str:
        """Such as "/history/v1.0"."""
        return f"/{self.name}/{self.version}"

    def below(self, path: str) -> str | None:
        """The path without the prefix; None if it is not the service's."""
        if self.bare is not None and self.bare.fullmatch(path):
            return path
        start, rest = path[: len(self.prefix)], path[len(self.prefix) :]
        is_ours = start.casefold() == self.prefix.casefold() and rest[:1] in {"", "/"}
        return rest if is_ours else None


class Services:
    """Answers everything below the services' prefixes."""

    def __init__(
        self, services: tuple[Service, ...], resources: Resources, guard: Guard, turns: Turns
    ) -> None:
        """services: no prefix twice."""
        self.services, self._turns = services, turns
        self._resources, self.guard = resources, guard

    def owns(self, path: str) -> bool:
        """Whether a path is a service's."""
        return self._service(path) is not None

    def routes(self) -> Iterator[tuple[Service, ServiceRoute]]:
        """Every route, for documents and tests."""
        return ((service, route) for service in self.services for route in service.routes)

    async def handle(self, http: Request) -> Response:
        """Answer a request to a path that a service owns; errors in that service's form."""
        service = self._service(http.scope["path"])
        if service is None:
            raise _nothing(http)
        try:
            return await self._answer(service, http)
        except ArmError as error:
            return service.refusal(error, http)

    def _service(self, path: str) -> Service | None:
        return next((one for one in self.services if one.below(path) is not None), None)

    async def _answer(self, service: Service, http: Request) -> Response:
        path = service.below(http.scope["path"]) or ""
        below = BELOW.fullmatch(path)
        known = _matching(service, below["path"].rstrip("/")) if below else []
        if not known and service.otherwise is not None:
            return await service.otherwise(_moved(http, path))
        for route, names in known:
            if below and route.method == http.method:
                asked = await self._asked(route, below, names, http)
                with self._turns.one_of(asked.caller.object_id):
                    return await route.handler(asked)
        await self.guard.authenticate(http.headers, TOKENS)
        if known:
            raise _not_allowed(http, [route.method for route, _ in known])
        raise _nothing(http)

    async def _asked(
        self, route: ServiceRoute, below: re.Match[str], names: dict[str, str], http: Request
    ) -> Asked:
        workspace_id = (
            f"/subscriptions/{below['subscription']}/resourceGroups/{below['group']}"
            f"/providers/{WORKSPACES}/{below['workspace']}"
        )
        action = f"{WORKSPACES}/{route.permission}"
        caller = await self.guard.require(http.headers, action, workspace_id, TOKENS)
        return Asked(
            http=http,
            workspace=await self._workspace(workspace_id, http.method),
            caller=caller,
            names=names,
            query={key.lower(): value for key, value in http.query_params.items()},
        )

    async def _workspace(self, workspace_id: str, method: str) -> Resource:
        found = await self._resources.find(workspace_id)
        if found is None:
            raise ArmError("ResourceNotFound", f"There is no workspace {workspace_id!r}.", 404)
        if found.deleting and method != "GET":
            message = f"{workspace_id!r} is being deleted: nothing can be written in it."
            raise ArmError("Conflict", message, 409)
        return found


def _matching(service: Service, path: str) -> list[tuple[ServiceRoute, dict[str, str]]]:
    """Routes of that path, for whatever method."""
    found = ((route, route.match(path)) for route in service.routes)
    return [(route, names) for route, names in found if names is not None]


@functools.cache
def _compiled(template: str) -> re.Pattern[str]:
    parts, end = [], 0
    for place in PLACE.finditer(template):
        parts.append(re.escape(template[end : place.start()]))
        parts.append(f"(?P<{place[1]}>{'.+' if place[2] else '[^/]+'})")
        end = place.end()
    parts.append(re.escape(template[end:]))
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _moved(http: Request, path: str) -> Request:
    """The same request for another path."""
    scope = {**http.scope, "path": path, "raw_path": path.encode()}
    return Request(scope, http.receive)


def _nothing(http: Request) -> ArmError:
    return ArmError("NotFound", f"There is nothing at {http.scope['path']!r}.", 404)


def _not_allowed(http: Request, known: list[str]) -> ArmError:
    allowed = ", ".join(sorted(set(known)))
    message = f"The http method {http.method!r} is not supported there: use {allowed}."
    return ArmError("MethodNotAllowed", message, 405, headers={"Allow": allowed})
