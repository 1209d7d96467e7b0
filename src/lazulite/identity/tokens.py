"""Access tokens: what is in them, for whom they are, and when they are good.

Source: spec/REST.md 3, spec/SECURITY.md 3.6.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lazulite.core.clock import Clock
from lazulite.identity.principals import ServicePrincipal
from lazulite.identity.signing import BadTokenError, SigningKey
from lazulite.identity.signing_keys import LIFETIME_S, SigningKeys

BACKDATED_S = 300  # as Azure does: a clock that is a little behind must not refuse a fresh token
_MOST_CACHED = 4096
_LAST_TIME = 253_402_300_799  # epoch seconds; the year 9999


class Audience(enum.Flag):
    """The kinds of service that a token can be for; `|` where a route takes several."""

    MANAGEMENT = enum.auto()
    ML = enum.auto()
    STORAGE = enum.auto()
    GRAPH = enum.auto()


class TokenError(Exception):
    """A token that is refused. code: Azure's; its message is safe to show to the caller."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclasses.dataclass(frozen=True)
class Audiences:
    """Which `aud` values stand for which audience: exact, but for one trailing slash."""

    resources: Mapping[str, Audience]
    """Without a trailing slash."""

    @classmethod
    def of(cls, origins: Iterable[str], account_urls: Iterable[str] = ()) -> Audiences:
        """Azure's own names, and those that clients make of this server's URLs.

        Source: spec/CLIENTS.md 1.2, 3.1.
        """
        management = {"https://management.azure.com", "https://management.core.windows.net"}
        origins = {origin.removesuffix("/") for origin in origins}
        graph = {"https://graph.microsoft.com", *(f"{origin}/graph" for origin in origins)}
        ml = {"https://ml.azure.com", *(derived_ml_resource(origin) for origin in origins)}
        storage = {"https://storage.azure.com", *(url.removesuffix("/") for url in account_urls)}
        return cls(
            dict.fromkeys(storage, Audience.STORAGE)
            | dict.fromkeys(ml, Audience.ML)
            | dict.fromkeys(graph, Audience.GRAPH)
            | dict.fromkeys(management | origins, Audience.MANAGEMENT)
        )

    def find(self, resource: str) -> Audience | None:
        """The audience that a resource or `aud` names; None if this server is not it."""
        return self.resources.get(resource.removesuffix("/"))

    def names(self, audience: Audience) -> list[str]:
        """Every name of an audience, for messages."""
        return sorted(name for name, found in self.resources.items() if found in audience)


def derived_ml_resource(portal: str) -> str:
    """The ML resource that azure-ai-ml makes of a cloud's portal URL.

    Source: spec/CLIENTS.md 1.2; https://localhost:8443 gives "https://ml.azure.".
    """
    return "https://ml.azure." + ".".join(portal.split(".")[2:])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Holder:
    """Who gets a token, and the key id of the secret that was shown for it."""

    principal: ServicePrincipal
    credential: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Minted:
    """A new token with the times that the answer repeats, in epoch seconds."""

    token: str = dataclasses.field(repr=False)
    not_before: int
    expires_on: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Claims:
    """What a verified token says."""

    object_id: str
    tenant_id: str
    credential: str
    """The key id of the secret that it was got with."""
    resource: str
    not_before: int
    expires_on: int


class Tokens:
    """Mints and verifies the access tokens of one tenant."""

    def __init__(
        self,
        keys: SigningKeys,
        tenant_id: str,
        origins: Sequence[str],
        audiences: Audiences,
        clock: Clock,
    ) -> None:
        """origins: the server's base URLs without trailing slash, the one to show first."""
        self.keys, self.tenant_id = keys, tenant_id
        self.origins, self.audiences = origins, audiences
        self._clock = clock
        self.issuers = {issuer(origin, tenant_id, ver) for origin in origins for ver in VERSIONS}
        self._verified: dict[bytes, Claims] = {}

    @property
    def key(self) -> SigningKey:
        """What new tokens are signed with."""
        return self.keys.current

    def public_pems(self) -> tuple[str, ...]:
        """What others verify tokens with; a retired key is among them until it vanishes."""
        return self.keys.public_pems(self._clock())

    def mint(self, holder: Holder, resource: str, *, origin: str, version: str = "2.0") -> Minted:
        """A token for the resource, good for an hour. origin: the base URL that was asked."""
        principal = holder.principal
        now = int(self._clock().timestamp())
        minted = {"iat": now - BACKDATED_S, "nbf": now - BACKDATED_S, "exp": now + LIFETIME_S}
        claims = minted | {
            "aud": resource,
            "iss": issuer(origin, self.tenant_id, version),
            "tid": self.tenant_id,
            "oid": principal.object_id,
            "sub": principal.object_id,
            "appid": principal.client_id,
            "idtyp": "app",
            "ver": version,
            "credential": holder.credential,
        }
        return Minted(
            token=self.key.sign(claims), not_before=minted["nbf"], expires_on=minted["exp"]
        )

    def mint_identity(self, holder: Holder, client: str, *, origin: str) -> str:
        """An id token: who has signed in, for the client that asked. It opens nothing here.

        az takes the user's name from preferred_username. Source: OpenID Connect Core 2.
        """
        principal, now = holder.principal, int(self._clock().timestamp())
        claims = {
            "aud": client,
            "iss": issuer(origin, self.tenant_id, "2.0"),
            "iat": now - BACKDATED_S,
            "nbf": now - BACKDATED_S,
            "exp": now + LIFETIME_S,
            "tid": self.tenant_id,
            "oid": principal.object_id,
            "sub": principal.object_id,
            "preferred_username": principal.client_id,
            "ver": "2.0",
        }
        return self.key.sign(claims)

    def verify(self, token: str, audience: Audience) -> Claims:
        """What the token says, if it is ours, for the audience, and good now. Raises TokenError.

        A token that was verified before costs a hash, not a signature check.
        """
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        if (claims := self._verified.get(digest)) is None:
            claims = self._read(token)
            self._remember(digest, claims)
        self._check_time(claims)
        self._check_audience(claims, audience)
        return claims

    def _read(self, token: str) -> Claims:
        try:
            raw = self.keys.read(token, self._clock())
            claims = Claims(
                object_id=_text(raw, "oid"),
                tenant_id=_text(raw, "tid"),
                credential=_text(raw, "credential"),
                resource=_text(raw, "aud"),
                not_before=_number(raw, "nbf"),
                expires_on=_number(raw, "exp"),
            )
            issued_by = _text(raw, "iss")
        except BadTokenError as error:
            raise TokenError(
                "InvalidAuthenticationToken", "The access token is invalid."
            ) from error
        self._check_issuer(claims.tenant_id, issued_by)
        return claims

    def _remember(self, digest: bytes, claims: Claims) -> None:
        if len(self._verified) >= _MOST_CACHED:
            del self._verified[next(iter(self._verified))]  # the oldest
        self._verified[digest] = claims

    def _check_issuer(self, tenant_id: str, issued_by: str) -> None:
        if tenant_id == self.tenant_id and issued_by in self.issuers:
            return
        wanted = f"{self.origins[0]}/{self.tenant_id}"
        message = (
            f"The access token is from the wrong issuer '{issued_by}'. It must match the tenant "
            f"'{wanted}' associated with this subscription. Please use the authority (URL) "
            f"'{wanted}' to get the token."
        )
        raise TokenError("InvalidAuthenticationTokenTenant", message)

    def _check_time(self, claims: Claims) -> None:
        now = self._clock()
        if claims.expires_on <= now.timestamp():
            message = (
                f"The access token expiry UTC time '{_utc(claims.expires_on)}' is earlier than "
                f"current UTC time '{_utc(now.timestamp())}'."
            )
            raise TokenError("ExpiredAuthenticationToken", message)
        if claims.not_before > now.timestamp():
            message = (
                f"The access token is not valid before UTC time '{_utc(claims.not_before)}'; "
                f"current UTC time is '{_utc(now.timestamp())}'."
            )
            raise TokenError("InvalidAuthenticationToken", message)

    def _check_audience(self, claims: Claims, audience: Audience) -> None:
        found = self.audiences.find(claims.resource)
        if found is not None and found in audience:
            return
        allowed = ",".join(f"'{name}'" for name in self.audiences.names(audience))
        message = (
            "The access token has been obtained for wrong audience or resource "
            f"'{claims.resource}'. It should exactly match with one of the allowed audiences "
            f"{allowed}."
        )
        raise TokenError("InvalidAuthenticationTokenAudience", message)


VERSIONS = ("1.0", "2.0")


def issuer(origin: str, tenant_id: str, version: str) -> str:
    """The `iss` of a token: Azure's two forms, on this server's base URL."""
    return f"{origin}/{tenant_id}/" + ("v2.0" if version == "2.0" else "")


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise BadTokenError(name)
    return value


def _number(claims: dict[str, Any], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int or not 0 <= value <= _LAST_TIME:
        raise BadTokenError(name)
    return value


def _utc(seconds: float) -> str:
    """A time as Azure writes it into these messages."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%m/%d/%Y %I:%M:%S %p")
