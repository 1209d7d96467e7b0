"""Who may do what with a blob: shared key, SAS, or a bearer token checked elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from starlette.requests import Request

from lazulite.blobs.delegation import DelegationKey, Span, keys_of
from lazulite.blobs.errors import BlobError
from lazulite.blobs.outside import OutsideSources
from lazulite.blobs.shared_key import SignedRequest, check_shared_key
from lazulite.blobs.signatures import Permission, Query, Use, check_sas, parse_query
from lazulite.blobs.values import PRIVATE, Access
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


class Delegated(Protocol):
    """Decides whether somebody may do what a SAS of theirs is used for. Raises BlobError 403."""

    async def __call__(self, object_id: str, use: Use) -> None:
        """object_id: of who got the user delegation key."""
        ...


async def no_access(account: str, container: str) -> Access:
    """Every container is private."""
    return PRIVATE


async def never_public(account: str) -> bool:
    """No container may be public."""
    return False


async def refuse_delegation(object_id: str, use: Use) -> None:
    """For servers that know no principals."""
    raise BlobError("AuthenticationFailed", "User delegation is not known here.")


async def no_delegation(request: Request, account: str, span: Span) -> DelegationKey:
    """For servers that know no tokens."""
    raise BlobError("AuthenticationFailed", "Bearer tokens are not accepted here.")


async def no_roots(account: str) -> Sequence[bytes]:
    """There are no user delegation keys."""
    return ()


@dataclasses.dataclass(frozen=True)
class Grants:
    """What opens a container besides keys; by default, nothing does."""

    access: Callable[[str, str], Awaitable[Access]] = no_access
    may_be_public: Callable[[str], Awaitable[bool]] = never_public
    delegated: Delegated = refuse_delegation
    delegate: Callable[[Request, str, Span], Awaitable[DelegationKey]] = no_delegation
    """Makes the key of a token's bearer, who may have one. Raises BlobError 401 or 403."""
    delegation_roots: Keys = no_roots
    """What the keys of user delegation are derived from."""
    hosts: frozenset[str] = frozenset()
    """Under which the server is reached, with ports, besides the Host of a request."""
    outside: OutsideSources | None = None
    """Reads copy sources of other servers; None: they are refused."""


NO_GRANTS = Grants()


class Authorizer:
    """The Authorize of a server: by the header if there is one, else by the SAS in the query."""

    def __init__(
        self,
        keys: Keys,
        clock: Clock,
        bearer: Authorize,
        challenge: str,
        grants: Grants = NO_GRANTS,
    ) -> None:
        """bearer: decides about requests with a bearer token; challenge: the WWW-Authenticate."""
        self._keys, self._clock, self._bearer, self._challenge = keys, clock, bearer, challenge
        self.grants = grants

    async def __call__(
        self,
        request: Request,
        account: str,
        permission: Permission,
        container: str | None,
        blob: str | None,
    ) -> None:
        """Raises BlobError 401 for a request without credentials, but on public containers."""
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
            await self._check_sas(query, Use(account, permission, container, blob, now, scheme, ip))
        elif not await self._is_public(account, permission, container, blob):
            headers = {"WWW-Authenticate": self._challenge}
            raise BlobError("NoAuthenticationInformation", headers=headers)

    async def _check_sas(self, query: Query, use: Use) -> None:
        said = dict(query)
        if "skoid" in said and "ss" not in said:
            roots = await self.grants.delegation_roots(use.account)
            check_sas(query, use, keys_of(said, roots, use.now))
            await self.grants.delegated(said["skoid"], use)
            return
        policy, keys = None, await self._keys(use.account)
        if said.get("si") and use.container is not None:
            access = await self.grants.access(use.account, use.container)
            policy = next((one for one in access.policies if one.id == said["si"]), None)
        check_sas(query, use, keys, policy)

    async def _is_public(
        self, account: str, permission: Permission, container: str | None, blob: str | None
    ) -> bool:
        """Whether anybody may do this. Source: "Configure anonymous read access"."""
        if container is None or permission not in {Permission.READ, Permission.LIST}:
            return False
        if not await self.grants.may_be_public(account):
            return False
        level = (await self.grants.access(account, container)).public
        return level == "container" or (level == "blob" and blob is not None)


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
