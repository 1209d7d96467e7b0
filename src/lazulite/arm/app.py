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
from lazulite.arm.conditions import FAILED_CONDITION, Conditions, etag
from lazulite.arm.envelope import operation_status, outcome, show, show_all
from lazulite.arm.errors import missing_parent, not_allowed, not_found, unknown_type
from lazulite.arm.kind import Action, Call, Kind, Registry
from lazulite.arm.paging import Asked, next_link
from lazulite.arm.proposals import propose
from lazulite.arm.reports import Asking, Report
from lazulite.arm.requests import ArmRequest
from lazulite.arm.turns import Turns
from lazulite.arm.versions import require_known
from lazulite.arm.watching import ENDED, OPERATIONS, POLL_S
from lazulite.arm.writing import Writer
from lazulite.core.errors import ArmError
from lazulite.core.ids import RESOURCES, Address, fold, parse_path, spelled, workspace_of
from lazulite.identity.authorize import Guard
from lazulite.identity.tokens import Audience
from lazulite.store.pages import Condition, anywhere_below, as_number, right_under
from lazulite.store.resources import Resource, Resources

RETRY = {"Retry-After": POLL_S}


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
    turns: Turns

    @property
    def writer(self) -> Writer:
        """Writes rows for those who have asked the guard themselves."""
        return Writer(self.registry, self.resources, self.wake)

    async def handle(self, http: Request) -> Response:
        """Answer one request. Raises ArmError."""
        caller = await self.guard.authenticate(http.headers, Audience.MANAGEMENT)
        with self.turns.one_of(caller.object_id):
            if self.authorization.owns(http.scope["path"]):
                return await self.authorization.handle(http)
            return await self._answer(ArmRequest.of(http))

    async def _answer(self, request: ArmRequest) -> Response:
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
        await self._require(request.http, "*/read", address.scope or "/")
        raise unknown_type(self.registry, address)

    async def _of_kind(self, kind: Kind, request: ArmRequest) -> Response:
        known = kind.verbs if request.address.is_resource else frozenset({"GET"})
        method = request.http.method
        if method not in known:
            await self._require(request.http, kind.permission("read"), request.address.id)
            return _methods(request, kind.full_type, sorted(known))
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
        scope = _scope_of(request.address)
        caller = await self.guard.authenticate(request.http.headers, Audience.MANAGEMENT)
        if scope:  # a list at the very top shows each caller their own
            await self._require(request.http, kind.permission("read"), scope)
        _check_version(kind, request)
        await self._ancestors(request.address, kind.permission("read"))
        conditions = [*_listed(kind, request, scope), *kind.listing.conditions(request.query)]
        shown, token = await Asked.of(request.query, kind.listing).read(
            self.resources,
            conditions,
            lambda row: bool(scope) or caller.may(kind.permission("read"), row.id),
        )
        value = await show_all(kind, shown, request.base, request.version)
        query = request.http.query_params.multi_items()
        more = next_link(request.url, query, token) if token else None
        return JSONResponse({"value": value, "nextLink": more})

    async def _put(self, kind: Kind, request: ArmRequest) -> Response:
        return await self._write(kind, request, merge=False)

    async def _patch(self, kind: Kind, request: ArmRequest) -> Response:
        return await self._write(kind, request, merge=True)

    async def _write(self, kind: Kind, request: ArmRequest, *, merge: bool) -> Response:
        """Decide on what is there, and write only if that is still so; else decide again.

        The body comes first: its sender must not choose how old the decision is.
        """
        actor = await self._permitted(kind, request, "write")
        body, conditions = await request.body(), Conditions.of(request.http.headers)
        while True:
            found = await self._to_write(kind, request.address, merge=merge)
            conditions.check(request.address.id, found)
            proposal = propose(kind, request, body, found, actor, merge=merge)
            revision = found.revision if found else None
            try:
                row, created = await self.writer.put(
                    kind, proposal, only_new=found is None, if_revision=revision
                )
            except ArmError as error:
                if error.code != FAILED_CONDITION:
                    raise
                continue
            status = _status(kind, request.http.method, row, created=created)
            return await self._shown(kind, row, request, status)

    async def _to_write(self, kind: Kind, address: Address, *, merge: bool) -> Resource | None:
        """What a write starts from. Raises ArmError 404 if there is nothing to merge into."""
        if merge:
            return await self._existing(kind, address, "write")
        await self._ancestors(address, kind.permission("write"))
        return await self.resources.find(address.id)

    async def _delete(self, kind: Kind, request: ArmRequest) -> Response:
        actor = await self._permitted(kind, request, "delete")
        await self._ancestors(request.address, kind.permission("delete"))
        found = await self.resources.find(request.address.id)
        conditions = Conditions.of(request.http.headers)
        conditions.check(request.address.id, found)
        if found is None:
            return Response(status_code=204)
        await kind.may_delete_so(found, request.query)
        if_revision = conditions.guards(found)["if_revision"]
        marked = await self.writer.delete(kind, found, actor, if_revision=if_revision)
        if kind.reconcile is None:
            return Response(status_code=200)
        headers = kind.watching.headers(marked, 202, request.base, request.version)
        return Response(status_code=202, headers=headers)

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
            return _methods(request, request.address.id, [action.method])
        return await self._performed(kind, action, request)

    async def _performed(self, kind: Kind, action: Action, request: ArmRequest) -> Response:
        target = request.address.parent
        verb = f"{request.address.types[-1]}/{action.permission}"
        actor = await self._require(request.http, kind.permission(verb), target.id)
        _check_version(kind, request)
        body = await request.body()
        if action.comes_before:
            await self._ancestors(target, kind.permission("read"))
            found = await self.resources.find(target.id)
        else:
            found = await self._existing(kind, target, "read")
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

    async def _operation(self, request: ArmRequest) -> Response:
        """A status, or what an operation came to: the row, or its error."""
        uid, generation = _operation_of(request.address.names[-1])
        found = await self.resources.by_uid(uid) if generation else None
        scope = found.id if found else request.address.scope
        await self._require(request.http, f"{request.address.provider}/locations/read", scope)
        if request.http.method != "GET":
            return _methods(request, request.address.id, ["GET"])
        if found is None:
            raise not_found("Operation", request.address.id)
        status = operation_status(found, generation, request.address.id)
        running = status["status"] == "InProgress"
        if _wants_results(request):
            return await self._results(found, generation, request)
        return JSONResponse(status, headers=RETRY if running else {})

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

    async def _found(self, kind: Kind, request: ArmRequest, verb: str) -> Resource:
        await self._permitted(kind, request, verb)
        return await self._existing(kind, request.address, verb)

    async def _existing(self, kind: Kind, address: Address, verb: str) -> Resource:
        found = await self.resources.find(address.id)
        if found is None:
            await self._ancestors(address, kind.permission(verb))
            raise not_found(kind.full_type, address.id)
        return found

    async def _ancestors(self, address: Address, action: str) -> None:
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

    async def _permitted(self, kind: Kind, request: ArmRequest, verb: str) -> str:
        """The caller, who may do that; what they may not know comes after."""
        actor = await self._require(request.http, kind.permission(verb), request.address.id)
        _check_version(kind, request)
        return actor

    async def _require(self, http: Request, action: str, scope: str) -> str:
        caller = await self.guard.require(http.headers, action, scope, Audience.MANAGEMENT)
        return caller.object_id

    async def _shown(
        self, kind: Kind, found: Resource, request: ArmRequest, status: int = 200
    ) -> Response:
        if request.http.method == "GET":
            headers = {} if found.provisioning_state in ENDED else RETRY
        else:
            headers = kind.watching.headers(found, status, request.base, request.version)
        if status == 202 and request.http.method == "PUT":
            return Response(status_code=202, headers=headers)
        answer = JSONResponse(await show(kind, found, request.base, request.version), status)
        tag = etag(found, bytes(answer.body))
        if request.http.method == "GET" and Conditions.of(request.http.headers).is_known(tag):
            return Response(status_code=304, headers={**headers, "ETag": tag})
        answer.headers.update({**headers, "ETag": tag})
        return answer


def _check_version(kind: Kind, request: ArmRequest) -> None:
    require_known(request.version, kind.full_type, kind.since, kind.until)


def _scope_of(address: Address) -> str:
    """What a collection is in; "" for one at the very top."""
    return address.parent.id if address.parent.types else address.scope


def _listed(kind: Kind, request: ArmRequest, scope: str) -> tuple[Condition, ...]:
    """Where the rows of a list are."""
    if kind.listing.is_across(request.query):
        return anywhere_below(workspace_of(scope), kind.full_type)
    if request.address.parent.types or kind.provider == RESOURCES:
        return right_under(scope, kind.full_type)
    return anywhere_below(scope, kind.full_type)


def _status(kind: Kind, method: str, row: Resource, *, created: bool) -> int:
    """The status of a PUT or PATCH. Source: spec/REST.md 2.3."""
    ended = row.provisioning_state in ENDED
    if method == "PATCH":
        return 200 if ended else kind.watching.patched
    if kind.watching.accepts:
        return 200 if ended else 202
    return kind.created if created else 200


def _methods(request: ArmRequest, what: str, known: list[str]) -> Response:
    """The answer to OPTIONS. Raises ArmError 405 for every other method."""
    if request.http.method != "OPTIONS":
        raise not_allowed(request.http.method, what, known)
    return Response(status_code=204, headers={"Allow": ", ".join([*known, "OPTIONS"])})


def _operation_of(name: str) -> tuple[str, int]:
    """The uid and the generation in "prefix:uid:generation"; generation 0 for anything else."""
    head, _, generation = name.rpartition(":")
    return head.rpartition(":")[2], as_number(generation) or 0


def _wants_results(request: ArmRequest) -> bool:
    by_type = request.address.types[-1].lower().endswith("results")
    return by_type or request.query.get("type", "").lower() == "location"


def _itself(request: ArmRequest) -> str:
    return f"{request.url}?{request.http.url.query}"


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
