"""The one dispatch table of ARM: every request is parsed, authorised and answered here.

The verbs are the same for all kinds; what differs is in the Kind. Nothing is reachable that is
not found in the registry, and nothing is done before the guard has been asked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazulite.arm.actions import Actions
from lazulite.arm.authorization import Authorization
from lazulite.arm.conditions import FAILED_CONDITION, Conditions, etag
from lazulite.arm.envelope import show, show_all
from lazulite.arm.errors import unknown_type
from lazulite.arm.gate import Gate, check_version, other_method
from lazulite.arm.kind import Kind
from lazulite.arm.operations import Operations
from lazulite.arm.paging import Asked, next_link
from lazulite.arm.proposals import propose
from lazulite.arm.requests import ArmRequest
from lazulite.arm.template_deployments import TemplateDeployments
from lazulite.arm.turns import Turns
from lazulite.arm.watching import ENDED, OPERATIONS, RETRY
from lazulite.arm.writing import Writer
from lazulite.core.errors import ArmError
from lazulite.core.ids import RESOURCES, Address, spelled, workspace_of
from lazulite.store.pages import Condition, anywhere_below, right_under
from lazulite.store.resources import Resource


@dataclasses.dataclass(frozen=True)
class ArmApp:
    """Answers ARM requests from the resource table."""

    gate: Gate
    wake: Callable[[], None]
    """Called after a write that a reconcile step must follow."""
    authorization: Authorization
    """Roles, which stand under any resource."""
    turns: Turns

    @property
    def writer(self) -> Writer:
        """Writes rows for those who have asked the guard themselves."""
        return Writer(self.gate.registry, self.gate.resources, self.wake)

    @property
    def actions(self) -> Actions:
        """Answers what is no resource."""
        return Actions(self.gate)

    @property
    def operations(self) -> Operations:
        """Answers how far a write is."""
        return Operations(self.gate, self.writer)

    @property
    def templates(self) -> TemplateDeployments:
        """Deploys templates."""
        return TemplateDeployments(self.gate, self._single)

    async def handle(self, http: Request) -> Response:
        """Answer one request. Raises ArmError."""
        caller = await self.gate.caller(http)
        with self.turns.one_of(caller.object_id):
            if self.templates.owns(http.scope["path"]):
                return await self.templates.handle(http)
            return await self._single(http)

    async def _single(self, http: Request) -> Response:
        """Answer a request that has its turn and is of one resource."""
        if self.authorization.owns(http.scope["path"]):
            return await self.authorization.handle(http)
        return await self._answer(ArmRequest.of(http))

    async def _answer(self, request: ArmRequest) -> Response:
        address = request.address
        for report in self.gate.registry.reports:
            if (names := report.names(address)) is not None:
                return await self.actions.report(report, names, request)
        kind = self.gate.registry.find(address.provider, address.resource_type)
        if kind is not None:
            address = spelled(address, kind.provider, kind.resource_type)
            return await self._of_kind(kind, dataclasses.replace(request, address=address))
        if address.resource_type.lower() in OPERATIONS and address.is_resource:
            return await self.operations.answer(request)
        if not address.is_resource:
            owner = self.gate.registry.find(address.provider, address.parent.resource_type)
            if owner is not None:
                return await self.actions.act(owner, request)
        await self.gate.require(request.http, "*/read", address.scope or "/")
        raise unknown_type(self.gate.registry, address)

    async def _of_kind(self, kind: Kind, request: ArmRequest) -> Response:
        known = kind.verbs if request.address.is_resource else frozenset({"GET"})
        method = request.http.method
        if method not in known:
            await self.gate.require(request.http, kind.permission("read"), request.address.id)
            return other_method(request, kind.full_type, sorted(known))
        verb = {
            "GET": self._get if request.address.is_resource else self._list,
            "HEAD": self._head,
            "PUT": self._put,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }[method]
        return await verb(kind, request)

    async def _get(self, kind: Kind, request: ArmRequest) -> Response:
        found = await self.gate.found(kind, request, "read")
        return await self._shown(kind, found, request)

    async def _head(self, kind: Kind, request: ArmRequest) -> Response:
        await self.gate.found(kind, request, "read")
        return Response(status_code=204)

    async def _list(self, kind: Kind, request: ArmRequest) -> Response:
        scope = _scope_of(request.address)
        is_shown = await self.gate.sight(kind, request, scope)
        check_version(kind, request)
        await self.gate.ancestors(request.address, kind.permission("read"))
        conditions = [*_listed(kind, request, scope), *kind.listing.conditions(request.query)]
        asked = Asked.of(request.query, kind.listing)
        shown, token = await asked.read(self.gate.resources, conditions, is_shown)
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
        actor = await self.gate.permitted(kind, request, "write")
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
            return await self.gate.existing(kind, address, "write")
        await self.gate.ancestors(address, kind.permission("write"))
        return await self.gate.resources.find(address.id)

    async def _delete(self, kind: Kind, request: ArmRequest) -> Response:
        actor = await self.gate.permitted(kind, request, "delete")
        await self.gate.ancestors(request.address, kind.permission("delete"))
        found = await self.gate.resources.find(request.address.id)
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
