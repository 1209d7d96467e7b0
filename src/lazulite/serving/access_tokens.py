"""What the front door believes of access tokens, which open endpoints of auth_mode aad_token.

It checks them by itself, so that scoring goes on without the control plane: signature, issuer,
audience and time by the token, principal and secret by the list of those that are. Who may call
an endpoint stands there (`Endpoint.callers`). Source: spec/SECURITY.md 3.6.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from lazulite.identity.access import Principal
from lazulite.identity.tokens import Audience, Tokens

SCORE_IN_WORKSPACE = "onlineEndpoints/score/action"
SCORE = f"Microsoft.MachineLearningServices/workspaces/{SCORE_IN_WORKSPACE}"
"""The permission that a caller needs at the endpoint."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AccessTokens:
    """Which access tokens are good. Nothing at all: none is."""

    keys: tuple[str, ...] = ()
    """RSA public keys (PEM texts) that may have signed them; several while a key is replaced."""
    issuers: tuple[str, ...] = ()
    tenant_id: str = ""
    audiences: tuple[str, ...] = ()
    """As `aud` may be, without a trailing slash."""
    holders: tuple[str, ...] = ()
    """object id/key id of every secret of every principal; tokens got with others are void."""


NO_ACCESS_TOKENS = AccessTokens()


def believed(tokens: Tokens, principals: Iterable[Principal]) -> AccessTokens:
    """What the control plane itself believes now."""
    return AccessTokens(
        keys=tokens.public_pems(),
        issuers=tuple(sorted(tokens.issuers)),
        tenant_id=tokens.tenant_id,
        audiences=tuple(tokens.audiences.names(Audience.ML)),
        holders=tuple(
            sorted(f"{who.object_id}/{key_id}" for who in principals for key_id in who.credentials)
        ),
    )
