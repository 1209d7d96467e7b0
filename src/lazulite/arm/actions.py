"""Requests for what is no resource: verbs of resources such as listKeys, and reports."""

from __future__ import annotations

import dataclasses

from starlette.responses import JSONResponse, Response

from lazulite.arm.errors import not_allowed, not_found, unknown_type
from lazulite.arm.gate import Gate, check_version, other_method
from lazulite.arm.kind import Action, Call, Kind
from lazulite.arm.reports import Asking, Report
from lazulite.arm.requests import ArmRequest
from lazulite.core.ids import RESOURCES


@dataclasses.dataclass(frozen=True)
class Actions:
    """Performs the actions of kinds, and answers reports."""

    gate: Gate

    async def act(self, kind: Kind, request: ArmRequest) -> Response:
        """Perform the action that the path ends in. Raises ArmError."""
        name = request.address.types[-1].lower()
        action = next((kind.actions[key] for key in kind.actions if key.lower() == name), None)
        target = request.address.parent
        if action is None or action.method != request.http.method:
            await self.gate.require(request.http, kind.permission("read"), target.id)
            if action is None:
                raise unknown_type(self.gate.registry, request.address)
            return other_method(request, request.address.id, [action.method])
        return await self._performed(kind, action, request)

    async def _performed(self, kind: Kind, action: Action, request: ArmRequest) -> Response:
        target = request.address.parent
        verb = f"{request.address.types[-1]}/{action.permission}"
        actor = await self.gate.require(request.http, kind.permission(verb), target.id)
        check_version(kind, request)
        body = await request.body()
        if action.comes_before:
            await self.gate.ancestors(target, kind.permission("read"))
            found = await self.gate.resources.find(target.id)
        else:
            found = await self.gate.existing(kind, target, "read")
        call = Call(
            id=target.id,
            existing=found,
            body=body,
            query=request.query,
            base=request.base,
            actor=actor,
            version=request.version,
        )
        answer = await action.perform(call)
        if answer.body is None:
            return Response(status_code=answer.status, headers=dict(answer.headers))
        return JSONResponse(answer.body, answer.status, dict(answer.headers))

    async def report(self, report: Report, names: tuple[str, ...], request: ArmRequest) -> Response:
        """Answer a report. Raises ArmError."""
        scope = request.address.scope
        await self.gate.require(request.http, report.action, scope)
        if request.http.method != report.method:
            raise not_allowed(request.http.method, request.address.id, (report.method,))
        if request.version[:10] > report.until:
            raise unknown_type(self.gate.registry, request.address)
        subscription = await self.gate.resources.find(scope)
        if subscription is None:
            raise not_found(f"{RESOURCES}/subscriptions", scope)
        asking = Asking(
            subscription=subscription.id,
            names=names,
            body=await request.body(),
            version=request.version,
        )
        return JSONResponse(await report.perform(asking))
