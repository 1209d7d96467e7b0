"""The token service: OAuth2 in Entra's v1, v2 and ADFS forms, and discovery.

Client credentials, device codes, and the refresh tokens that these give.

Source: spec/REST.md 3, spec/CLIENTS.md 3.2 and 3.3.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from lazulite.core.clock import Clock
from lazulite.core.clouds import ADFS
from lazulite.identity import oauth_errors
from lazulite.identity.applications import Applications
from lazulite.identity.client_secrets import ClientSecrets, TooManyFailuresError
from lazulite.identity.device_codes import GRANT
from lazulite.identity.device_sign_in import REFRESH, DeviceSignIn
from lazulite.identity.oauth_errors import OAuthError, Trace
from lazulite.identity.principals import Principals
from lazulite.identity.signing_keys import LIFETIME_S
from lazulite.identity.token_request import LARGEST_BODY, TokenRequest, parse_form, parse_request
from lazulite.identity.tokens import Holder, Minted, Tokens, issuer

GRANTS = ["client_credentials", GRANT, REFRESH]
"""Every grant_type that is taken."""
_ALIASES = {ADFS, "common", "organizations"}
_CONFIGURATION = "/.well-known/openid-configuration"
_UNCACHED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_EXPIRES_IN = LIFETIME_S - 1  # rounded down, as Entra does
_METHODS = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"]
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_DEVICE_PAGE = """\
Somebody wants to sign in on another machine, and has a code of eight letters.

If you are an administrator of this server, and know who it is, run this where you are signed in:

    lazulite login --approve CODE --username APP_ID

They then sign in as the service principal APP_ID, with all of its rights.
"""
Endpoint = Callable[[Request], Awaitable[Response]]


class TokenService:
    """The public routes of identity: tokens for client secrets, and what clients ask before."""

    def __init__(
        self,
        tokens: Tokens,
        principals: Principals,
        applications: Applications,
        secrets: ClientSecrets,
        clock: Clock,
        devices: DeviceSignIn,
    ) -> None:
        self._tokens, self._principals, self._applications = tokens, principals, applications
        self._secrets, self._clock, self._devices = secrets, clock, devices
        hosts = {urlsplit(origin).hostname or "" for origin in tokens.origins}
        self._names = _ALIASES | {tokens.tenant_id} | hosts

    def routes(self) -> list[Route]:
        """All of them are reached without a token."""
        return [
            self._route("/common/discovery/instance", self._instance),
            self._route("/{tenant}/oauth2/token", self._token_v1, "POST"),
            self._route("/{tenant}/oauth2/v2.0/token", self._token_v2, "POST"),
            self._route("/{tenant}/oauth2/v2.0/devicecode", self._device_code, "POST"),
            self._route("/devicelogin", self._device_page),
            self._route(f"/{{tenant}}/v2.0{_CONFIGURATION}", self._configuration_v2),
            self._route(f"/{{tenant}}{_CONFIGURATION}", self._configuration_v1),
            self._route("/{tenant}/discovery/v2.0/keys", self._keys),
            self._route("/{tenant}/discovery/keys", self._keys),
        ]

    async def _token_v1(self, request: Request) -> Response:
        """MSAL asks ADFS for a scope, as if it were v2; ADAL for a resource, as in v1."""
        is_adfs, fields = self._tenant(request) == ADFS, await _fields(request)
        is_v2 = is_adfs and "resource" not in fields
        return await self._token(request, fields, "2.0" if is_v2 else "1.0")

    async def _token_v2(self, request: Request) -> Response:
        self._tenant(request)
        return await self._token(request, await _fields(request), "2.0")

    async def _token(self, request: Request, fields: dict[str, str], version: str) -> Response:
        from_device = await self._devices.request(fields) if version == "2.0" else None
        given = request.headers.get("authorization")
        asked = from_device.asked if from_device else parse_request(fields, given, version)
        holder = from_device.holder if from_device else None
        holder = holder or await self._client(asked)
        minted = self._mint(request, holder, asked, version)
        lives: dict[str, Any] = {"expires_in": _EXPIRES_IN, "ext_expires_in": _EXPIRES_IN}
        if version == "1.0":  # it has times as well, all of them as strings
            times = {"expires_on": minted.expires_on, "not_before": minted.not_before}
            lives = {name: str(seconds) for name, seconds in (lives | times).items()}
            lives["resource"] = asked.resource
        if from_device:
            lives |= {"refresh_token": from_device.refresh_token, "scope": from_device.scope}
            if from_device.asks_who:
                client, origin = fields.get("client_id", ""), self._origin(request)
                lives["id_token"] = self._tokens.mint_identity(holder, client, origin=origin)
        return _uncached({"token_type": "Bearer", **lives, "access_token": minted.token})

    async def _device_code(self, request: Request) -> Response:
        self._tenant(request)
        address = request.client.host if request.client else ""
        fields = await _fields(request)
        return _uncached(self._devices.begin(fields, self._origin(request), address))

    async def _device_page(self, request: Request) -> Response:
        """What to do with a code. There is nothing to type in: approving takes a token."""
        return PlainTextResponse(_DEVICE_PAGE)

    async def _configuration_v2(self, request: Request) -> Response:
        return JSONResponse(self._configuration(request, self._tenant(request), "2.0"))

    async def _configuration_v1(self, request: Request) -> Response:
        return JSONResponse(self._configuration(request, self._tenant(request), "1.0"))

    async def _keys(self, request: Request) -> Response:
        self._tenant(request)
        return JSONResponse({"keys": self._tokens.keys.published(self._clock())})

    async def _instance(self, request: Request) -> Response:
        """Where the discovery document of an authority is. Asked by MSAL for unknown hosts."""
        asked = request.query_params.get("authorization_endpoint", "")
        origin = next((each for each in self._tokens.origins if asked.startswith(f"{each}/")), None)
        if origin is None:
            raise oauth_errors.malformed("authorization_endpoint is not on this server")
        tenant = self._known_tenant(asked.removeprefix(f"{origin}/").partition("/")[0])
        host = origin.partition("://")[2]
        hosts = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
        return JSONResponse(
            {
                "tenant_discovery_endpoint": f"{origin}/{tenant}/v2.0{_CONFIGURATION}",
                "api-version": "1.1",
                "metadata": [hosts],
            }
        )

    def _mint(self, request: Request, holder: Holder, asked: TokenRequest, version: str) -> Minted:
        if self._tokens.audiences.find(asked.resource) is None:
            raise oauth_errors.unknown_resource(asked.resource, self._tokens.tenant_id)
        origin = self._origin(request)
        return self._tokens.mint(holder, asked.resource, origin=origin, version=version)

    async def _client(self, asked: TokenRequest) -> Holder:
        """The principal whose id and secret these are."""
        client_id = asked.client_id.lower()
        known = await self._applications.secrets(client_id)
        principal = await self._principals.find(client_id)
        if not known and principal is None:
            raise oauth_errors.unknown_client(asked.client_id, self._tokens.tenant_id)
        try:
            found = await self._secrets.match(client_id, known, asked.client_secret)
        except TooManyFailuresError as error:
            raise oauth_errors.throttled(error.retry_after) from error
        if found is None:
            raise oauth_errors.wrong_secret(client_id)
        if not found.starts_at <= self._clock() < found.ends_at:
            raise oauth_errors.expired_secret(client_id)
        if principal is None:
            raise oauth_errors.no_principal(client_id, self._tokens.tenant_id)
        return Holder(principal=principal, credential=found.key_id)

    def _configuration(self, request: Request, tenant: str, version: str) -> dict[str, Any]:
        origin = self._origin(request)
        v2 = "/v2.0" if version == "2.0" else ""
        base = f"{origin}/{tenant}"
        return {
            "token_endpoint": f"{base}/oauth2{v2}/token",
            "authorization_endpoint": f"{base}/oauth2{v2}/authorize",
            "device_authorization_endpoint": f"{base}/oauth2{v2}/devicecode",
            "issuer": issuer(origin, self._tokens.tenant_id, version),
            "jwks_uri": f"{base}/discovery{v2}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "grant_types_supported": GRANTS,
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _tenant(self, request: Request) -> str:
        return self._known_tenant(request.path_params["tenant"])

    def _known_tenant(self, tenant: str) -> str:
        """The tenant in lower case; aliases and host names mean the only one there is."""
        if tenant.lower() not in self._names:
            raise oauth_errors.unknown_tenant(tenant)
        return tenant.lower()

    def _origin(self, request: Request) -> str:
        """The base URL that was asked, if it is one of ours; a forged Host gets the first one."""
        asked = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
        return asked if asked in self._tokens.origins else self._tokens.origins[0]

    def _route(self, path: str, endpoint: Endpoint, method: str = "GET") -> Route:
        async def answered(request: Request) -> Response:
            try:
                if request.method != method and method == "POST":
                    raise oauth_errors.post_only(request.method)
                return await endpoint(request)
            except OAuthError as error:
                return self._refusal(request, error)

        return Route(path, answered, methods=_METHODS if method == "POST" else [method])

    def _refusal(self, request: Request, error: OAuthError) -> Response:
        correlation = request.headers.get("client-request-id", "")
        trace = Trace(
            trace_id=str(uuid.uuid4()),
            correlation_id=correlation if _GUID.fullmatch(correlation) else str(uuid.uuid4()),
            at=self._clock(),
        )
        headers = dict(error.headers)
        if error.status == 401 and "authorization" in request.headers:
            headers["WWW-Authenticate"] = 'Basic realm="Lazulite"'
        return _uncached(oauth_errors.body(error, trace), error.status, headers)


async def _fields(request: Request) -> dict[str, str]:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise oauth_errors.malformed("send the fields as application/x-www-form-urlencoded")
    return parse_form(await _body(request))


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise oauth_errors.malformed(f"the body is larger than {LARGEST_BODY} bytes", 413)
    except ClientDisconnect as error:
        raise oauth_errors.malformed("the body ended early") from error
    return bytes(body)


def _uncached(
    answer: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> JSONResponse:
    return JSONResponse(answer, status, headers=_UNCACHED | (headers or {}))
