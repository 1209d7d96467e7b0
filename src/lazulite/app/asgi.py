"""The ASGI edge of the control plane: whose a path is, and what every answer carries."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lazulite.app.catalog import Catalog
from lazulite.app.documents import discovery, health, metadata, openapi
from lazulite.arm.requests import base_url
from lazulite.blobs.targets import account_of_host
from lazulite.core.errors import ArmError
from lazulite.dataplane.services import Services
from lazulite.openapi.document import Document

log = logging.getLogger(__name__)

ARM = re.compile(r"/(subscriptions|tenants|providers)(/|$)", re.IGNORECASE)
SERVICE = re.compile(r"/(mlflow|discovery|inference|graph)/")  # no names of storage accounts
ACCOUNT = re.compile(r"/[a-z0-9]{3,24}(-secondary)?(\.blob\.[^/]+)?(/|$)")

CORRELATION = "x-ms-correlation-request-id"
ECHO = "x-ms-return-client-request-id"
IDENTIFIER = re.compile(r"[!-~]{1,128}")
LOCAL = re.compile(r"(?:.+\.)?localhost(?::\d+)?|127\.[\d.]+(?::\d+)?|\[::1\](?::\d+)?")

PUBLIC = frozenset(
    {
        "/healthz",
        "/metadata/endpoints",
        "/discovery",
        "/openapi.json",
        "/common/discovery/instance",
        "/{tenant}/oauth2/token",
        "/{tenant}/oauth2/v2.0/token",
        "/{tenant}/oauth2/v2.0/devicecode",
        "/devicelogin",
        "/{tenant}/.well-known/openid-configuration",
        "/{tenant}/v2.0/.well-known/openid-configuration",
        "/{tenant}/discovery/keys",
        "/{tenant}/discovery/v2.0/keys",
    }
)
"""Every route that is answered without a token; a test walks all routes against this list."""

Handler = Callable[[Request], Awaitable[Response]]


def public_documents(described: Document) -> list[Route]:
    """The routes that answer anyone, besides those of the token service."""
    return [
        Route("/healthz", health),
        Route("/metadata/endpoints", metadata),
        Route("/discovery", discovery),
        Route("/openapi.json", openapi(described)),
    ]


NOT_SNIFFED = {"x-content-type-options": "nosniff"}


class ControlPlane:
    """Sends a request to ARM, a service, the blob gateway, or one of the plain routes."""

    def __init__(
        self, routes: list[Route], catalog: Catalog, services: Services, blobs: ASGIApp
    ) -> None:
        """catalog: answers for ARM; blobs: for everything under an account's name."""
        self.routes, self.services = routes, services
        self._router = Router(routes, redirect_slashes=False, default=_nowhere)
        self.catalog, self._blobs = catalog, blobs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever is raised becomes an answer in Azure's shape."""
        if scope["type"] != "http":
            return
        http = Request(scope, receive)
        tagged = _Tagged(send, http)
        try:
            await self._answer(http, tagged)
        except ArmError as error:
            await tagged.refuse(error.status, error.body, error.headers)
        except Exception:  # the ASGI edge: the caller learns nothing of our insides
            log.exception("request failed", extra={"path": scope["path"], "id": tagged.id})
            message = "The server encountered an internal error. Its log has the request id."
            await tagged.refuse(500, {"code": "InternalServerError", "message": message}, {})

    async def _answer(self, http: Request, send: _Tagged) -> None:
        path = http.scope["path"]
        if account_of_host(http.headers.get("host", "")):
            await self._blobs(http.scope, http.receive, send)
        elif self.services.owns(path):
            response = await self.services.handle(http)
            await response(http.scope, http.receive, send)
        elif ARM.match(path):
            response = await self.catalog.handle(http)
            await response(http.scope, http.receive, send)
        elif ACCOUNT.match(path) and not SERVICE.match(path) and not self._is_plain(http):
            await self._blobs(http.scope, http.receive, send)
        else:
            await self._router(http.scope, http.receive, send)

    def _is_plain(self, http: Request) -> bool:
        """Whether a plain route has that path: those go before accounts of the same name."""
        return any(route.matches(http.scope)[0].value for route in self.routes)


class _Tagged:
    """Adds to the answer what every answer of Azure carries. Source: spec/REST.md 2.5."""

    def __init__(self, send: Send, http: Request) -> None:
        self._send, self._http = send, http
        self.id = str(uuid.uuid4())
        self._started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._started = True
            headers = MutableHeaders(scope=message)
            from_blobs = "x-ms-version" in headers  # these carry what Azure's do by themselves
            for name, value in (NOT_SNIFFED if from_blobs else self._own()).items():
                headers.setdefault(name, value)
        await self._send(message)

    def _own(self) -> dict[str, str]:
        given, arm = self._http.headers, ARM.match(self._http.scope["path"])
        own = {
            "x-ms-request-id": self.id,
            "x-ms-correlation-request-id": _plain(given.get(CORRELATION)) or self.id,
            **NOT_SNIFFED,
            "cache-control": "no-cache",
        }
        if arm:
            now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
            own["x-ms-routing-request-id"] = f"LOCAL:{now}:{self.id}"
        client = _plain(given.get("x-ms-client-request-id"))
        if client and (not arm or given.get(ECHO, "").lower() == "true"):
            own["x-ms-client-request-id"] = client
        if base_url(self._http).startswith("https:"):
            own["strict-transport-security"] = _transport(given.get("host", ""))
        return own

    async def refuse(self, status: int, error: object, headers: dict[str, str]) -> None:
        """Answer with an error, unless an answer has begun: then the connection just ends."""
        if self._started:
            return
        response = JSONResponse({"error": error}, status, headers)
        await response(self._http.scope, self._http.receive, self)


def _plain(given: str | None) -> str | None:
    """What a caller sent to be repeated, if it is an id and not a text."""
    return given if given and IDENTIFIER.fullmatch(given) else None


def _transport(host: str) -> str:
    """Browsers are held to HTTPS, except on localhost, where every port is somebody else's."""
    return "max-age=0" if LOCAL.fullmatch(host) else "max-age=31536000; includeSubDomains"


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    raise ArmError("NotFound", f"There is nothing at {scope['path']!r}.", 404)
