"""Requests for operations: how far a write is, and what it came to. Source: spec/REST.md 2.4."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta

from starlette.responses import JSONResponse, Response

from lazulite.arm.envelope import operation_status, outcome, show
from lazulite.arm.errors import not_found
from lazulite.arm.gate import Gate, other_method
from lazulite.arm.requests import ArmRequest
from lazulite.arm.watching import RETRY
from lazulite.arm.writing import Writer
from lazulite.store.pages import as_number
from lazulite.store.resources import Resource

MOMENT_S = 0.9
"""What an answer waits for an operation that may be about to end."""
LOOK_S = 0.03
"""Until the first look; each later one comes after twice as long."""
YOUNG = timedelta(seconds=5)
"""Older operations are not about to end: they are answered for at once."""


@dataclasses.dataclass(frozen=True)
class Operations:
    """Answers for operations from the rows that they write: they have no state of their own."""

    gate: Gate
    writer: Writer

    async def answer(self, request: ArmRequest) -> Response:
        """A status, or what an operation came to: the row, or its error."""
        uid, generation = _operation_of(request.address.names[-1])
        found = await self.gate.resources.by_uid(uid) if generation else None
        scope = found.id if found else request.address.scope
        await self.gate.require(request.http, f"{request.address.provider}/locations/read", scope)
        if request.http.method != "GET":
            return other_method(request, request.address.id, ["GET"])
        if found is None:
            raise not_found("Operation", request.address.id)
        found = await self._awaited(found, generation)
        status = operation_status(found, generation, request.address.id)
        running = status["status"] == "InProgress"
        if _wants_results(request):
            return await self._results(found, generation, request)
        return JSONResponse(status, headers=RETRY if running else {})

    async def _awaited(self, found: Resource, generation: int) -> Resource:
        """The row once a young operation has ended, but after a moment as it is then.

        Clients look at once and then every second: so they learn of what is fast at the first look.
        """
        left, pause = MOMENT_S, LOOK_S
        if self.gate.resources.clock() - found.modified_at > YOUNG:
            return found
        while outcome(found, generation)[0] == "InProgress" and left > 0:
            await asyncio.sleep(min(pause, left))
            left, pause = left - pause, 2 * pause
            found = await self.gate.resources.by_uid(found.uid) or found
        return found

    async def _results(self, found: Resource, generation: int, request: ArmRequest) -> Response:
        status, error = outcome(found, generation)
        if status == "InProgress":
            body = operation_status(found, generation, request.address.id)
            return JSONResponse(body, 202, {**RETRY, "Location": _itself(request)})
        if error is not None:
            return JSONResponse({"error": error}, 409)
        if found.deleting:
            return Response(status_code=204)
        kind = self.writer.kind(found.resource_type)
        return JSONResponse(await show(kind, found, request.base, request.version))


def _operation_of(name: str) -> tuple[str, int]:
    """The uid and the generation in "prefix:uid:generation"; generation 0 for anything else."""
    head, _, generation = name.rpartition(":")
    return head.rpartition(":")[2], as_number(generation) or 0


def _wants_results(request: ArmRequest) -> bool:
    by_type = request.address.types[-1].lower().endswith("results")
    return by_type or request.query.get("type", "").lower() == "location"


def _itself(request: ArmRequest) -> str:
    return f"{request.url}?{request.http.url.query}"
