"""Secrets at rest: AES-256-GCM under a key that is kept outside the database."""

from __future__ import annotations

import base64
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_FORM = "v1."
_NONCE = 12  # bytes


class BadSealError(Exception):
    """Sealed under another key, altered, or never sealed."""


class SecretBox:
    """Seals short secrets for a column or a file; a copy of those alone reveals nothing."""

    def __init__(self, key: bytes) -> None:
        """key: 32 bytes."""
        if len(key) != 32:
            raise ValueError(f"the data-encryption key has {len(key)} bytes instead of 32")
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes) -> str:
        """Encrypt. Two calls with one secret give two different texts."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, secret, _FORM.encode())
        return _FORM + base64.urlsafe_b64encode(sealed).decode()

    def resealed(self, secret: bytes, before: str | None) -> str:
        """The text that was sealed before if it holds this secret, else a new one.

        So that writing the same secret again changes nothing.
        """
        if before is not None:
            try:
                if hmac.compare_digest(self.open(before), secret):
                    return before
            except BadSealError:
                pass
        return self.seal(secret)

    def open(self, sealed: str) -> bytes:
        """Decrypt what seal() gave. Raises BadSealError."""
        try:
            raw = base64.b64decode(sealed.removeprefix(_FORM), altchars=b"-_", validate=True)
            return self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], _FORM.encode())
        except (ValueError, InvalidTag) as error:
            raise BadSealError("not sealed with this server's data-encryption key") from error
