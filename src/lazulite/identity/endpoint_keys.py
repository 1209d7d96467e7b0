"""Keys and tokens of online and batch endpoints: good for scoring on one endpoint, nothing else.

The front door checks them without asking the control plane: keys by their SHA-256, tokens by the
public key. Source: spec/SECURITY.md 3.6, spec/CLIENTS.md 8.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import re
import secrets
from enum import StrEnum
from typing import Any

from lazulite.core.clock import Clock
from lazulite.core.errors import ArmError
from lazulite.identity.sealing import SecretBox
from lazulite.identity.signing import BadTokenError, SigningKey
from lazulite.identity.signing_keys import LIFETIME_S
from lazulite.identity.tokens import BACKDATED_S

_REFRESH_AFTER_S = LIFETIME_S - 600
_CHOSEN_KEY = re.compile(r"[A-Za-z0-9._~+/=-]{32,256}")  # what a Bearer header can carry


class KeyName(StrEnum):
    """Which of an endpoint's two keys."""

    PRIMARY = "Primary"
    SECONDARY = "Secondary"


@dataclasses.dataclass(frozen=True, kw_only=True)
class EndpointKeys:
    """An endpoint's two keys as they are stored: sealed, and hashed for checking."""

    primary: str = dataclasses.field(repr=False)
    secondary: str = dataclasses.field(repr=False)
    primary_sha256: str
    """Lower-case hexadecimal, as HAProxy's `sha2(256),hex` compares without case."""
    secondary_sha256: str

    @classmethod
    def make(cls, box: SecretBox) -> EndpointKeys:
        """Two new random keys."""
        return cls._of(new_key(), new_key(), box)

    @classmethod
    def _of(cls, primary: str, secondary: str, box: SecretBox) -> EndpointKeys:
        return cls(
            primary=box.seal(primary.encode()),
            secondary=box.seal(secondary.encode()),
            primary_sha256=digest(primary),
            secondary_sha256=digest(secondary),
        )

    @classmethod
    def from_json(cls, stored: dict[str, str]) -> EndpointKeys:
        """Read what to_json() gave."""
        return cls(**stored)

    def to_json(self) -> dict[str, str]:
        """For the resource row's `secrets`: without the data-encryption key it reveals nothing."""
        return dataclasses.asdict(self)

    def regenerate(self, name: KeyName, box: SecretBox, value: str | None = None) -> EndpointKeys:
        """With one key replaced; the other one stays good, so that clients can change over.

        value: a key that the caller chose; raises ArmError 400 if it is too short or not ASCII.
        """
        key = new_key() if value is None else _checked(value)
        field = name.value.lower()
        changes = {field: box.seal(key.encode()), f"{field}_sha256": digest(key)}
        return dataclasses.replace(self, **changes)

    def reveal(self, box: SecretBox) -> dict[str, str]:
        """The answer to listKeys. Raises BadSealError if the box is another server's."""
        return {
            "primaryKey": box.open(self.primary).decode(),
            "secondaryKey": box.open(self.secondary).decode(),
        }

    @property
    def digests(self) -> tuple[str, str]:
        """The SHA-256 of both keys, for the front door's map."""
        return self.primary_sha256, self.secondary_sha256

    def accepts(self, presented: str) -> bool:
        """Whether this is one of the keys; takes the same time whatever was presented."""
        found = digest(presented)
        known = [hmac.compare_digest(found, each) for each in self.digests]
        return any(known)


def new_key() -> str:
    """256 random bits, safe in headers and URLs."""
    return secrets.token_urlsafe(32)


def digest(key: str) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


class EndpointTokens:
    """Mints the aml_tokens of online endpoints, with a key that signs nothing else."""

    def __init__(self, key: SigningKey, issued_by: str, clock: Clock) -> None:
        """issued_by: the tokens' `iss`, such as the server's base URL."""
        self._key, self._issued_by, self._clock = key, issued_by, clock

    def mint(self, endpoint_uid: str, object_id: str) -> dict[str, Any]:
        """The answer to `POST .../onlineEndpoints/{name}/token`; times in epoch seconds.

        endpoint_uid: the token's `aud`, which the front door compares; object_id: who asked.
        """
        now = int(self._clock().timestamp())
        claims = {
            "aud": endpoint_uid,
            "iss": self._issued_by,
            "sub": object_id,
            "iat": now - BACKDATED_S,
            "nbf": now - BACKDATED_S,
            "exp": now + LIFETIME_S,
        }
        return {
            "accessToken": self._key.sign(claims),
            "expiryTimeUtc": claims["exp"],
            "refreshAfterTimeUtc": now + _REFRESH_AFTER_S,
            "tokenType": "Bearer",
        }

    def accepts(self, token: str, endpoint_uid: str) -> bool:
        """Whether the token is good for the endpoint now."""
        try:
            claims = self._key.read(token)
        except BadTokenError:
            return False
        now = self._clock().timestamp()
        is_current = claims.get("nbf", now + 1) <= now < claims.get("exp", 0)
        return is_current and claims.get("aud") == endpoint_uid

    def public_pem(self) -> bytes:
        """What the front door verifies with."""
        return self._key.public_pem()


def _checked(value: str) -> str:
    if _CHOSEN_KEY.fullmatch(value):
        return value
    raise ArmError(
        "BadArgument",
        "The key has to have 32 to 256 letters, digits or . _ ~ + / = - characters. "
        "Leave keyValue out to have one made.",
        target="keyValue",
    )
