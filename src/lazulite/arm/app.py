"""The one dispatch table of ARM: every request is parsed, authorised and answered here.

The verbs are the same for all kinds; what differs is in the Kind. Nothing is reachable that is
not found in the registry, and nothing is done before the guard has been asked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazulite.arm.authorization import Authorization
from lazulite.arm.envelope import operation_status, operation_url, show
from lazulite.arm.errors import missing_parent, not_allowed, not_found, unknown_type
from lazulite.arm.kind import Call, Kind, Proposal, Registry
from lazulite.arm.monitors import operation_result
from lazulite.arm.paging import page, select
from lazulite.arm.proposals import propose
from lazulite.arm.reports import Asking, Report
from lazulite.arm.requests import ArmRequest
from lazulite.arm.writing import FAILED_CONDITION, Writer
from lazulite.core.errors import ArmError
from lazulite.core.ids import RESOURCES, Address, parse_path, spelled
from lazulite.identity.authorize import Guard
from lazulite.identity.tokens import Audience
from lazulite.store.resources import Json, Resource, Resources

OPERATIONS = {"locations/mfeoperationsstatus", "locations/mfeoperationresults"}
PENDING = {"Retry-After": "1", "x-ms-async-operation-timeout": "PT1H"}


@dataclasses.dataclass(frozen=True)
class ArmApp:
    """Answers ARM requests from the resource table."""

    registry: Registry
    resources: Resources
    guard: Guard
    wake: Callable[[], None]
    """Called after a write that a reconcile step must follow."""
    authorization: Authorization
    """Roles, which stand under any resource."""

    @property
    def writer(self) -> Writer:
        """Writes rows for those who have asked the guard themselves."""
        return Writer(self.registry, self.resources, self.wake)

    async def handle(self, http: Request) -> Response:
        """Answer one request. Raises ArmError."""
        await self.guard.authenticate(http.headers, Audience.MANAGEMENT)
        if self.authorization.owns(http.url.path):
            return await self.authorization.handle(http)
        request = ArmRequest.of(http)
        address = request.address
        for report in self.registry.reports:
            if (names := report.names(address)) is not None:
                return await self._reported(report, names, request)
        kind = self.registry.find(address.provider, address.resource_type)
        if kind is not None:
            address = spelled(address, kind.provider, kind.resource_type)
            return await self._of_kind(kind, dataclasses.replace(request, address=address))
        if address.resource_type.lower() in OPERATIONS and address.is_resource:
            return await self._operation(request)
        if not address.is_resource:
            owner = self.registry.find(address.provider, address.parent.resource_type)
            if owner is not None:
                return await self._action(owner, request)
        await self._require(http, "*/read", address.scope or "/")
        raise unknown_type(self.registry, address)

    async def _of_kind(self, kind: Kind, request: ArmRequest) -> Response:
        known = kind.verbs if request.address.is_resource else frozenset({"GET"})
        method = request.http.method
        if method not in known:
            await self._require(request.http, kind.permission("read"), request.address.id)
            raise not_allowed(method, kind.full_type, sorted(known))
        verb = {
            "GET": self._get if request.address.is_resource else self._list,
            "HEAD": self._head,
            "PUT": self._put,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }[method]
        return await verb(kind, request)

    async def _get(self, kind: Kind, request: ArmRequest) -> Response:
        found = await self._found(kind, request, "read")
        return await self._shown(kind, found, request)

    async def _head(self, kind: Kind, request: ArmRequest) -> Response:
        await self._found(kind, request, "read")
        return Response(status_code=204)

    async def _list(self, kind: Kind, request: ArmRequest) -> Response:
        parent = request.address.parent
        scope = parent.id if parent.types else request.address.scope
        caller = await self.guard.authenticate(request.http.headers, Audience.MANAGEMENT)
        if scope:  # a list at the very top shows each caller their own
            await self._require(request.http, kind.permission("read"), scope)
        await self._ancestors(request.address, kind.permission("read"))
        if parent.types or kind.provider == RESOURCES:
            items = await self.resources.children(scope, kind.full_type)
        else:
            items = await self.resources.of_type(kind.full_type, request.address.scope)
        items = [item for item in items if caller.may(kind.permission("read"), item.id)]
        items = await self._marked(items, kind, request)
        shown, more = page(select(items, request.query), request.query, request.url)
        value = [await show(kind, item, request.base, request.version) for item in shown]
        return JSONResponse({"value": value, "nextLink": more})

    async def _marked(
        self, items: list[Resource], kind: Kind, request: ArmRequest
    ) -> list[Resource]:
        """Only the default datastore, if the query wants it."""
        if request.query.get("isdefault", "").lower() != "true":
            return items
        shown = [(item, await kind.show(item, request.base)) for item in items]
        return [item for item, computed in shown if computed.get("isDefault")]

    async def _put(self, kind: Kind, request: ArmRequest) -> Response:
        actor = await self._require(request.http, kind.permission("write"), request.address.id)
        await self._ancestors(request.address, kind.permission("write"))
        existing = await self.resources.find(request.address.id)
        proposal = propose(kind, request, await request.body(), existing, actor)
        return await self._write(kind, request, proposal, _conditions(request.http))

    async def _patch(self, kind: Kind, request: ArmRequest) -> Response:
        actor = await self._require(request.http, kind.permission("write"), request.address.id)
        body, asked = await request.body(), _conditions(request.http)
        while True:
            found = await self._existing(kind, request.address, "write")
            proposal = propose(kind, request, body, found, actor, merge=True)
            guarded = {"if_revision": found.revision, **asked}
            try:
                return await self._write(kind, request, proposal, guarded)
            except ArmError as error:
                if error.code != FAILED_CONDITION or "if_revision" in asked:
                    raise  # else somebody wrote meanwhile: merge into what is there now

    async def _write(
        self, kind: Kind, request: ArmRequest, proposal: Proposal, conditions: Json
    ) -> Response:
        written = await self.writer.put(kind, proposal, **conditions)
        if kind.is_accepted and _is_pending(written[0]):
            return Response(status_code=202, headers=_watching(written[0], request))
        return await self._shown(
            kind, written[0], request, status=kind.created if written[1] else 200
        )

    async def _delete(self, kind: Kind, request: ArmRequest) -> Response:
        actor = await self._require(request.http, kind.permission("delete"), request.address.id)
        await self._ancestors(request.address, kind.permission("delete"))
        found = await self.resources.find(request.address.id)
        if found is None:
            return Response(status_code=204)
        await kind.may_delete_so(found, request.query)
        marked = await self.writer.delete(kind, found, actor)
        if kind.reconcile is None:
            return Response(status_code=200)
        return Response(status_code=202, headers=_watching(marked, request))

    async def _reported(
        self, report: Report, names: tuple[str, ...], request: ArmRequest
    ) -> Response:
        scope = request.address.scope
        await self._require(request.http, report.action, scope)
        if request.http.method != report.method:
            raise not_allowed(request.http.method, request.address.id, (report.method,))
        if request.version[:10] > report.until:
            raise unknown_type(self.registry, request.address)
        subscription = await self.resources.find(scope)
        if subscription is None:
            raise not_found(f"{RESOURCES}/subscriptions", scope)
        asking = Asking(
            subscription=subscription.id,
            names=names,
            body=await request.body(),
            version=request.version,
        )
        return JSONResponse(await report.perform(asking))

    async def _action(self, kind: Kind, request: ArmRequest) -> Response:
        name = request.address.types[-1].lower()
        action = next((kind.actions[key] for key in kind.actions if key.lower() == name), None)
        target = request.address.parent
        if action is None or action.method != request.http.method:
            await self._require(request.http, kind.permission("read"), target.id)
            if action is None:
                raise unknown_type(self.registry, request.address)
            raise not_allowed(request.http.method, request.address.id, (action.method,))
        verb = f"{request.address.types[-1]}/{action.permission}"
        actor = await self._require(request.http, kind.permission(verb), target.id)
        if action.comes_before:
            await self._ancestors(target, kind.permission("read"))
            found = await self.resources.find(target.id)
        else:
            found = await self._existing(kind, target, "read")
        call = Call(
            id=target.id,
            existing=found,
            body=await request.body(),
            query=request.query,
            base=request.base,
            actor=actor,
            version=request.version,
        )
        answer = await action.perform(call)
        if answer.body is None:
            return Response(status_code=answer.status, headers=dict(answer.headers))
        return JSONResponse(answer.body, answer.status, dict(answer.headers))

    async def _operation(self, request: ArmRequest) -> Response:
        uid, _, generation = request.address.names[-1].rpartition(":")
        found = await self.resources.by_uid(uid) if generation.isdigit() else None
        scope = found.id if found else request.address.scope
        await self._require(request.http, f"{request.address.provider}/locations/read", scope)
        if found is None:
            raise not_found("Operation", request.address.id)
        if request.address.types[-1].lower() == "mfeoperationresults":
            kind = self.registry.of(found.resource_type)
            return await operation_result(kind, found, int(generation), request)
        status = operation_status(found, int(generation), request.address.id)
        retry = {"Retry-After": "1"} if status["status"] == "InProgress" else {}
        return JSONResponse(status, headers=retry)

    async def _found(self, kind: Kind, request: ArmRequest, verb: str) -> Resource:
        await self._require(request.http, kind.permission(verb), request.address.id)
        return await self._existing(kind, request.address, verb)

    async def _existing(self, kind: Kind, address: Address, verb: str) -> Resource:
        found = await self.resources.find(address.id)
        if found is None:
            await self._ancestors(address, kind.permission(verb))
            raise not_found(kind.full_type, address.id)
        return found

    async def _ancestors(self, address: Address, action: str) -> None:
        """Whatever encloses the address must be there; containers of versions need not."""
        for above in enclosing(address):
            kind = self.registry.find(above.provider, above.resource_type)
            if kind is None:
                raise unknown_type(self.registry, above)
            if kind.made_by_versions:
                continue
            found = await self.resources.find(above.id)
            if found is None:
                raise missing_parent(kind, above, action)
            if found.deleting and action.endswith("write"):
                message = f"{found.id!r} is being deleted: nothing can be written below it."
                raise ArmError("Conflict", message, 409)

    async def _require(self, http: Request, action: str, scope: str) -> str:
        caller = await self.guard.require(http.headers, action, scope, Audience.MANAGEMENT)
        return caller.object_id

    async def _shown(
        self, kind: Kind, found: Resource, request: ArmRequest, status: int = 200
    ) -> Response:
        headers = {"ETag": f'"{found.revision}"'}
        if _is_pending(found):
            headers |= PENDING
            if request.http.method in {"PUT", "PATCH"}:
                watched = operation_url(found, request.base, request.version)
                headers["Azure-AsyncOperation"] = watched
        body = await show(kind, found, request.base, request.version)
        return JSONResponse(body, status, headers)


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


def _is_pending(found: Resource) -> bool:
    return found.provisioning_state not in {"Succeeded", "Failed", "Canceled"}


def _watching(found: Resource, request: ArmRequest) -> dict[str, str]:
    """The headers of an answer whose operation goes on."""
    location = operation_url(found, request.base, request.version, "mfeOperationResults")
    watched = operation_url(found, request.base, request.version)
    return {**PENDING, "Location": location, "Azure-AsyncOperation": watched}


def _conditions(http: Request) -> Json:
    """If-Match and If-None-Match, as the resource table takes them."""
    expected = http.headers.get("if-match", "").strip().strip('"')
    conditions: Json = {"only_new": http.headers.get("if-none-match") == "*"}
    if expected and expected != "*":
        conditions["if_revision"] = int(expected) if expected.isdigit() else -1
    return conditions
