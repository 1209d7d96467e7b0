"""The routes below /graph/v1.0, with tokens for Graph.

Every operation needs a role for a Microsoft.Authorization action at "/": who may change principals
or their secrets could become any of them, so the verb is write or delete, never action, which
leaves Contributor out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lazulite.core.errors import ArmError
from lazulite.graph.errors import refusal
from lazulite.identity.authorize import Guard
from lazulite.identity.tokens import Audience

BASE = "/graph/v1.0"
SCOPE = "/"


@dataclasses.dataclass(frozen=True)
class Operation:
    """A method of a path, the action that it needs, and what answers it."""

    method: str
    path: str
    action: str
    """Below Microsoft.Authorization, such as "applications/write"."""
    answer: Callable[[Request], Awaitable[Response]]

    @property
    def full_action(self) -> str:
        """The action with its provider."""
        return f"Microsoft.Authorization/{self.action}"


def graph_routes(guard: Guard, operations: Iterable[Operation]) -> list[Route]:
    """A route each, that asks the guard first and shows errors as Graph does."""
    return [_route(guard, operation) for operation in operations]


def _route(guard: Guard, operation: Operation) -> Route:
    async def guarded(http: Request) -> Response:
        try:
            await guard.require(http.headers, operation.full_action, SCOPE, Audience.GRAPH)
            return await operation.answer(http)
        except ArmError as error:
            return refusal(http, error)

    return Route(BASE + operation.path, guarded, methods=[operation.method])
