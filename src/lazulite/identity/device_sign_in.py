"""The token service's part of device codes: who collects one gets a client secret as refresh token.

So what a device holds is listed, ends and is revoked as every other secret of its application.
"""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

from lazulite.core.clock import Clock
from lazulite.identity import oauth_errors
from lazulite.identity.applications import (
    DEVICE,
    Applications,
    SecretHasher,
    hashed_secret,
    new_secret,
)
from lazulite.identity.device_codes import GRANT, INTERVAL_S, LIFETIME_S, DeviceCodes
from lazulite.identity.principals import Principals
from lazulite.identity.token_request import TokenRequest, needed, resource_of
from lazulite.identity.tokens import Holder, Tokens

REFRESH = "refresh_token"
_LASTS = timedelta(days=90)  # as Entra's refresh tokens
_ABOUT_PEOPLE = frozenset({"openid", "profile", "offline_access", "email"})


@dataclasses.dataclass(frozen=True)
class DeviceRequest:
    """A request for a token, and the scope as it was asked for."""

    asked: TokenRequest
    scope: str
    holder: Holder | None = None
    """Who gets it, if that is known already: the secret need not be compared then."""

    @property
    def refresh_token(self) -> str:
        """What gets the next token: the app id and the secret. Opaque to callers."""
        return f"{self.asked.client_id}.{self.asked.client_secret}"

    @property
    def asks_who(self) -> bool:
        """Whether an id token is wanted. Source: OpenID Connect Core 3.1.2.1."""
        return "openid" in self.scope.split()


@dataclasses.dataclass(frozen=True)
class DeviceSignIn:
    """Answers the two requests of RFC 8628, and the refresh of what they gave."""

    codes: DeviceCodes
    applications: Applications
    principals: Principals
    hasher: SecretHasher
    clock: Clock
    tokens: Tokens

    def begin(self, fields: dict[str, str], origin: str, address: str) -> dict[str, Any]:
        """The answer to a request for a code, which came from that address. Raises OAuthError."""
        self._resource(fields)
        made = self.codes.begin(needed(fields, "client_id"), fields["scope"], address)
        page = f"{origin}/devicelogin"
        return {
            "user_code": made.user_code,
            "device_code": made.device_code,
            "verification_uri": page,
            "expires_in": LIFETIME_S,
            "interval": INTERVAL_S,
            "message": (
                "To sign in, have an administrator of the server run `lazulite login --approve"
                f" {made.user_code} --username APP_ID`; {page} says more."
            ),
        }

    async def request(self, fields: dict[str, str]) -> DeviceRequest | None:
        """The request for a token that a code or a refresh token stands for; None for neither.

        Raises OAuthError.
        """
        grant = fields.get("grant_type")
        if grant == GRANT:
            return await self._collected(needed(fields, "device_code"), fields)
        if grant == REFRESH:
            resource = self._resource(fields)
            client_id, _, secret = needed(fields, REFRESH).partition(".")
            if not secret:
                raise oauth_errors.malformed("the refresh token is none of this server")
            asked = TokenRequest(client_id=client_id, client_secret=secret, resource=resource)
            return DeviceRequest(asked, fields["scope"])
        return None

    async def _collected(self, device_code: str, fields: dict[str, str]) -> DeviceRequest:
        """A request of the approved application, with a secret of it that is new."""
        if "scope" in fields:
            self._resource(fields)  # while the code is still there
        found, secret = self.codes.collect(device_code), new_secret()
        client_id, scope = found.approved or "", fields.get("scope", found.scope)
        asked = TokenRequest(
            client_id=client_id, client_secret=secret, resource=self._resource({"scope": scope})
        )
        return DeviceRequest(asked, scope, await self._holder(client_id, secret))

    async def _holder(self, client_id: str, secret: str) -> Holder:
        """The principal that was approved, with the secret as one that it has from now on."""
        principal = await self.principals.find(client_id)
        if principal is None:
            raise oauth_errors.no_principal(client_id, self.tokens.tenant_id)
        secret_hash = await asyncio.to_thread(self.hasher.hash, secret)
        lasts = (now := self.clock(), now + _LASTS)
        kept = hashed_secret(client_id, secret, secret_hash, lasts, DEVICE)
        await self.applications.add_secret(kept, now)
        return Holder(principal=principal, credential=kept.key_id)

    def _resource(self, fields: dict[str, str]) -> str:
        """What the token is for, which this server has tokens for. Raises OAuthError.

        Scopes about people ask for what there is not, and do not count.
        """
        scopes = [each for each in needed(fields, "scope").split() if each not in _ABOUT_PEOPLE]
        resource = resource_of(" ".join(scopes))
        if self.tokens.audiences.find(resource) is None:
            raise oauth_errors.unknown_resource(resource, self.tokens.tenant_id)
        return resource
