"""The Blob service as an ASGI app: path to operation, permission, headers that all answers have.

    Gateway(store, Authorizer(...), clock)  serves  /{account}[.blob.{suffix}]/{container}/{blob}

The path is read as it is on the wire (raw_path), because shared keys sign it so and because names
are to be decoded exactly once.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lazulite.blobs.authorization import NO_GRANTS, Authorize, Grants
from lazulite.blobs.calls import Call
from lazulite.blobs.cors import preflight, shared_headers
from lazulite.blobs.delegation import DelegationKey, Span
from lazulite.blobs.documents import error_document, http_date
from lazulite.blobs.errors import BlobError
from lazulite.blobs.names import container_parts
from lazulite.blobs.opened import Source
from lazulite.blobs.operations import Operation, find_operation
from lazulite.blobs.signatures import SIGNED_VERSION, VERSION, Permission, parse_query
from lazulite.blobs.sources import open_source
from lazulite.blobs.store import BlobStore
from lazulite.blobs.targets import Target, parse_target
from lazulite.core.clock import Clock

log = logging.getLogger(__name__)

DENIED = frozenset({"AuthorizationPermissionMismatch", "AuthorizationResourceTypeMismatch"})
CLIENT_REQUEST_ID_LIMIT = 1024  # characters that are echoed


class Gateway:
    """Answers blob requests of all accounts of one store."""

    def __init__(
        self,
        store: BlobStore,
        authorize: Authorize,
        clock: Clock,
        grants: Grants = NO_GRANTS,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        """grants: those that authorize knows; new_id: gives each request its x-ms-request-id."""
        self._store, self._authorize, self._grants = store, authorize, grants
        self._clock, self._new_id = clock, new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; scope must have the raw_path."""
        response = await self.respond(Request(scope, receive))
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """The answer to one request, which may be a part of another one."""
        request_id = self._new_id()
        try:
            response = await self._answer(request)
        except BlobError as error:
            response = self._refusal(request, error, request_id)
        except Exception:  # the ASGI edge: the client gets XML, the log the traceback
            log.exception("blob request failed", extra={"request_id": request_id})
            response = self._refusal(request, BlobError("InternalError"), request_id)
        self._finish(request, response, request_id)
        return response

    async def source(self, call: Call, url: str) -> Source:
        """The blob that a copy source names; to be closed. Raises BlobError."""
        return await open_source(call, url, self._authorize, self._grants)

    async def may_be_public(self, account: str) -> bool:
        """Whether containers of the account may be public."""
        return await self._grants.may_be_public(account)

    async def delegation_key(self, request: Request, account: str, span: Span) -> DelegationKey:
        """A key for the bearer of the request. Raises BlobError 401 or 403."""
        return await self._grants.delegate(request, account, span)

    async def _answer(self, request: Request) -> Response:
        _check_version(request)
        target = _target(request)
        if request.method == "OPTIONS":
            return preflight(request.headers, self._store.services.rules(target.account))
        query = dict(parse_query(request.scope["query_string"].decode("latin-1")))
        operation = find_operation(request.method, target, query)
        only_new = await self._permit(request, target, operation)
        if target.container:
            container_parts(target.account, target.container)
        call = Call(self._store, request, target, query, only_new, self)
        try:
            return await operation.handle(call)
        except BlobError as error:
            if only_new and error.code == "BlobAlreadyExists" and not _wants_new(request):
                raise BlobError("UnauthorizedBlobOverwrite") from error
            raise

    async def _permit(self, request: Request, target: Target, operation: Operation) -> bool:
        """Raises BlobError unless allowed; True if only new blobs are."""
        names = target.account, target.container or None, target.blob or None
        only_new = False
        try:
            await self._authorize(request, names[0], operation.permission, *names[1:])
        except BlobError as error:
            if operation.in_parts and error.code in DENIED:
                return False
            if not operation.creates or error.code != "AuthorizationPermissionMismatch":
                raise
            await self._authorize(request, names[0], Permission.CREATE, *names[1:])
            only_new = True
        if "x-ms-tags" in request.headers or "x-ms-if-tags" in request.headers:
            await self._authorize(request, names[0], Permission.TAGS, *names[1:])
        return only_new

    def _refusal(self, request: Request, error: BlobError, request_id: str) -> Response:
        headers = {**error.headers, "x-ms-error-code": error.code}
        if request.method == "HEAD" or error.status == HTTPStatus.NOT_MODIFIED:
            return Response(status_code=error.status, headers=headers)
        document = error_document(error.code, error.message, request_id, self._clock())
        return Response(document.encode(), error.status, headers, "application/xml")

    def _finish(self, request: Request, response: Response, request_id: str) -> None:
        """What every answer carries."""
        headers = response.headers
        headers["x-ms-request-id"] = request_id
        version = request.headers.get("x-ms-version", "")
        headers["x-ms-version"] = version if VERSION.fullmatch(version) else SIGNED_VERSION
        headers.setdefault("Date", http_date(self._clock()))
        client_id = request.headers.get("x-ms-client-request-id", "")
        if client_id and len(client_id) <= CLIENT_REQUEST_ID_LIMIT:
            headers["x-ms-client-request-id"] = client_id
        if "origin" in request.headers:
            self._share(request, response)

    def _share(self, request: Request, response: Response) -> None:
        try:
            rules = self._store.services.rules(_target(request).account)
        except BlobError:
            return
        for name, value in shared_headers(request.method, request.headers, rules).items():
            response.headers.setdefault(name, value)


def _target(request: Request) -> Target:
    host = request.headers.get("host", "")
    return parse_target(host, request.scope["raw_path"].decode("latin-1"))


def _check_version(request: Request) -> None:
    version = request.headers.get("x-ms-version")
    if version is not None and not VERSION.fullmatch(version):
        message = f"x-ms-version {version[:40]!r} is not a date such as {SIGNED_VERSION}."
        raise BlobError("InvalidHeaderValue", message)


def _wants_new(request: Request) -> bool:
    return request.headers.get("if-none-match", "").strip() == "*"
