"""Who may do what with a blob: shared key, SAS, or a bearer token checked elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from starlette.requests import Request

from lazulite.blobs.errors import BlobError
from lazulite.blobs.shared_key import SignedRequest, check_shared_key
from lazulite.blobs.signatures import Permission, Use, check_sas, parse_query
from lazulite.core.clock import Clock

Keys = Callable[[str], Awaitable[Sequence[bytes]]]
"""The valid keys of an account, decoded from base64; none if there is no such account."""


class Authorize(Protocol):
    """Decides about one operation. Returns, or raises BlobError (401, 403 or 404)."""

    async def __call__(
        self,
        request: Request,
        account: str,
        permission: Permission,
        container: str | None,
        blob: str | None,
    ) -> None:
        """container, blob: None for an operation on the account, or on a container as such."""
        ...


class Authorizer:
    """The Authorize of a server: by the header if there is one, else by the SAS in the query."""

    def __init__(self, keys: Keys, clock: Clock, bearer: Authorize, challenge: str) -> None:
        """bearer: decides about requests with a bearer token; challenge: the WWW-Authenticate."""
        self._keys, self._clock, self._bearer, self._challenge = keys, clock, bearer, challenge

    async def __call__(
        self,
        request: Request,
        account: str,
        permission: Permission,
        container: str | None,
        blob: str | None,
    ) -> None:
        """Raises BlobError 401 for a request without credentials: no container is public."""
        scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
        query = parse_query(request.scope["query_string"].decode("latin-1"))
        if scheme == "bearer":
            await self._bearer(request, account, permission, container, blob)
        elif scheme:
            keys = await self._keys(account)
            check_shared_key(signed_request(request), account, keys, self._clock())
        elif any(name == "sig" for name, _ in query):
            ip = request.client.host if request.client else None
            scheme, now = request.scope["scheme"], self._clock()
            use = Use(account, permission, container, blob, now, scheme, ip)
            check_sas(query, use, await self._keys(account))
        else:
            headers = {"WWW-Authenticate": self._challenge}
            raise BlobError("NoAuthenticationInformation", headers=headers)


async def refuse_bearer(
    request: Request,
    account: str,
    permission: Permission,
    container: str | None,
    blob: str | None,
) -> None:
    """For servers that know no tokens."""
    raise BlobError("AuthenticationFailed", "Bearer tokens are not accepted here.")


def signed_request(request: Request) -> SignedRequest:
    """The parts that a shared key signs. Headers that come twice are joined by commas."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    scope = request.scope
    query = parse_query(scope["query_string"].decode("latin-1"))
    return SignedRequest(request.method, scope["raw_path"].decode("latin-1"), query, headers)
