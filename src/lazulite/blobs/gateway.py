"""The Blob service as an ASGI app: path to operation, permission, headers that all answers have.

    Gateway(store, Authorizer(...), clock)  serves  /{account}[.blob.{suffix}]/{container}/{blob}

The path is read as it is on the wire (raw_path), because shared keys sign it so and because names
are to be decoded exactly once.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lazulite.blobs import blob_operations as blob
from lazulite.blobs import container_operations as container
from lazulite.blobs.authorization import Authorize
from lazulite.blobs.calls import Call
from lazulite.blobs.documents import error_document, http_date
from lazulite.blobs.errors import BlobError
from lazulite.blobs.names import container_parts
from lazulite.blobs.signatures import SIGNED_VERSION, Permission, parse_query
from lazulite.blobs.store import BlobStore
from lazulite.blobs.targets import Target, parse_target
from lazulite.core.clock import Clock

log = logging.getLogger(__name__)

SERVED_VERSIONS = 10  # characters of a version such as 2023-11-03
CLIENT_REQUEST_ID_LIMIT = 1024  # characters that are echoed


class Operation(NamedTuple):
    """A handler, and what its caller must be allowed to do."""

    handle: Callable[[Call], Awaitable[Response]]
    permission: Permission
    creates: bool = False
    """Whether the permission to create is enough, as long as nothing is overwritten."""


class Key(NamedTuple):
    """Which operation is meant. level: account, container or blob; comp: of the query."""

    level: str
    method: str
    comp: str


OPERATIONS: Mapping[Key, Operation] = MappingProxyType(
    {
        Key("account", "GET", "list"): Operation(container.list_containers, Permission.LIST),
        Key("account", "GET", "properties"): Operation(
            container.service_properties, Permission.READ
        ),
        Key("container", "PUT", ""): Operation(container.create_container, Permission.CREATE),
        Key("container", "GET", ""): Operation(container.container_properties, Permission.READ),
        Key("container", "HEAD", ""): Operation(container.container_properties, Permission.READ),
        Key("container", "GET", "metadata"): Operation(
            container.container_properties, Permission.READ
        ),
        Key("container", "PUT", "metadata"): Operation(
            container.set_container_metadata, Permission.WRITE
        ),
        Key("container", "GET", "acl"): Operation(container.container_acl, Permission.READ),
        Key("container", "DELETE", ""): Operation(container.delete_container, Permission.DELETE),
        Key("container", "GET", "list"): Operation(container.list_blobs, Permission.LIST),
        Key("blob", "PUT", ""): Operation(blob.put_blob, Permission.WRITE, creates=True),
        Key("blob", "PUT", "block"): Operation(blob.put_block, Permission.WRITE, creates=True),
        Key("blob", "PUT", "blocklist"): Operation(
            blob.put_block_list, Permission.WRITE, creates=True
        ),
        Key("blob", "GET", "blocklist"): Operation(blob.get_block_list, Permission.READ),
        Key("blob", "PUT", "metadata"): Operation(blob.set_metadata, Permission.WRITE),
        Key("blob", "PUT", "properties"): Operation(blob.set_properties, Permission.WRITE),
        Key("blob", "GET", ""): Operation(blob.get_blob, Permission.READ),
        Key("blob", "HEAD", ""): Operation(blob.blob_properties, Permission.READ),
        Key("blob", "GET", "metadata"): Operation(blob.blob_properties, Permission.READ),
        Key("blob", "HEAD", "metadata"): Operation(blob.blob_properties, Permission.READ),
        Key("blob", "DELETE", ""): Operation(blob.delete_blob, Permission.DELETE),
    }
)
"""Everything that is served. Account information is told apart by its restype."""

VERSIONED = frozenset({"snapshot", "versionid"})


class Gateway:
    """Answers blob requests of all accounts of one store."""

    def __init__(
        self,
        store: BlobStore,
        authorize: Authorize,
        clock: Clock,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        """new_id: gives each request its x-ms-request-id."""
        self._store, self._authorize = store, authorize
        self._clock, self._new_id = clock, new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; scope must have the raw_path."""
        request, request_id = Request(scope, receive), self._new_id()
        try:
            response = await self._answer(request)
        except BlobError as error:
            response = self._refusal(request, error, request_id)
        except Exception:  # the ASGI edge: the client gets XML, the log the traceback
            log.exception("blob request failed", extra={"request_id": request_id})
            response = self._refusal(request, BlobError("InternalError"), request_id)
        self._finish(request, response, request_id)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        target = parse_target(request.scope["raw_path"].decode("latin-1"))
        query = dict(parse_query(request.scope["query_string"].decode("latin-1")))
        operation = _operation(request.method, target, query)
        only_new = await self._permit(request, target, operation)
        if target.container:
            container_parts(target.account, target.container)
        call = Call(self._store, request, target, query, only_new)
        try:
            return await operation.handle(call)
        except BlobError as error:
            if only_new and error.code == "BlobAlreadyExists" and not _wants_new(request):
                raise BlobError("UnauthorizedBlobOverwrite") from error
            raise

    async def _permit(self, request: Request, target: Target, operation: Operation) -> bool:
        """Raises BlobError unless allowed; True if only new blobs are."""
        names = target.account, target.container or None, target.blob or None
        try:
            await self._authorize(request, names[0], operation.permission, *names[1:])
        except BlobError as error:
            if not operation.creates or error.code != "AuthorizationPermissionMismatch":
                raise
            await self._authorize(request, names[0], Permission.CREATE, *names[1:])
            return True
        return False

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
        headers["x-ms-version"] = version if len(version) == SERVED_VERSIONS else SIGNED_VERSION
        headers.setdefault("Date", http_date(self._clock()))
        client_id = request.headers.get("x-ms-client-request-id", "")
        if client_id and len(client_id) <= CLIENT_REQUEST_ID_LIMIT:
            headers["x-ms-client-request-id"] = client_id


def _operation(method: str, target: Target, query: Mapping[str, str]) -> Operation:
    """The operation that a request asks for. Raises BlobError."""
    comp, restype = query.get("comp", "").lower(), query.get("restype", "").lower()
    if comp == "properties" and restype == "account":
        return Operation(container.account_information, Permission.READ)
    level = _level(target, restype)
    if VERSIONED & set(query):
        message = "Snapshots and versions are not supported: leave out snapshot and versionid."
        raise BlobError("UnsupportedQueryParameter", message)
    operation = OPERATIONS.get(Key(level, method, comp))
    if operation is not None:
        return operation
    methods = sorted({key.method for key in OPERATIONS if key[::2] == (level, comp)})
    if not methods:
        message = f"comp={comp!r} is not supported on a {level}."
        raise BlobError("UnsupportedQueryParameter", message)
    raise BlobError("UnsupportedHttpVerb", headers={"Allow": ", ".join(methods)})


def _level(target: Target, restype: str) -> str:
    if target.blob:
        return "blob"
    if target.container and restype != "container":
        message = f"{target.container!r} is a container: add restype=container to the query."
        raise BlobError("InvalidUri", message)
    return "container" if target.container else "account"


def _wants_new(request: Request) -> bool:
    return request.headers.get("if-none-match", "").strip() == "*"
