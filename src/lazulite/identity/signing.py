"""Signed tokens: RS256 with one key, in the one form that this server writes."""

from __future__ import annotations

import dataclasses
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

_ALGORITHM = "RS256"
_KEY_BITS = 3072  # 0.1 s to make, once
_LONGEST = 8192  # characters; ours have about 1,100


class BadTokenError(Exception):
    """Not a token that this key signed. Says nothing about why: the caller may be hostile."""


@dataclasses.dataclass(frozen=True)
class SigningKey:
    """An RSA key pair that signs and verifies tokens."""

    private: RSAKey = dataclasses.field(repr=False)
    kid: str
    _header: str

    @classmethod
    def generate(cls) -> SigningKey:
        """A new random key."""
        return cls._of(rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS))

    @classmethod
    def from_pem(cls, pem: bytes) -> SigningKey:
        """Read what private_pem() wrote. Raises ValueError if it is no sound RSA key.

        Soundness is tried by signing once (2 ms): proving the primes prime would take 0.4 s.
        """
        try:
            key = serialization.load_pem_private_key(
                pem, password=None, unsafe_skip_rsa_key_validation=True
            )
        except (UnsupportedAlgorithm, TypeError) as error:  # TypeError: it has a password
            raise ValueError("not a plain RSA private key") from error
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < 2048:
            raise ValueError("not an RSA private key of at least 2048 bits")
        return cls._of(key)

    @classmethod
    def _of(cls, native: rsa.RSAPrivateKey) -> SigningKey:
        key = RSAKey.import_key(native)
        kid = key.thumbprint()
        try:
            trial = jwt.encode({"alg": _ALGORITHM, "kid": kid}, {}, key, [_ALGORITHM])
            jwt.decode(trial, key, [_ALGORITHM])
        except JoseError as error:
            raise ValueError("a damaged RSA private key") from error
        return cls(key, kid, trial.partition(".")[0])

    def private_pem(self) -> bytes:
        """The key itself, PKCS #8. For its file only."""
        return self.private.as_pem(private=True)

    def public_pem(self) -> bytes:
        """What others verify with, such as HAProxy's jwt_verify."""
        return self.private.as_pem(private=False)

    def public_jwk(self) -> dict[str, Any]:
        """The public half as an entry of a JWKS document."""
        return dict(self.private.as_dict(private=False, kid=self.kid, use="sig", alg=_ALGORITHM))

    def sign(self, claims: dict[str, Any]) -> str:
        """A token in compact form."""
        header = {"alg": _ALGORITHM, "kid": self.kid}
        return jwt.encode(header, claims, self.private, [_ALGORITHM])

    def is_named_by(self, token: str) -> bool:
        """Whether the token's header is the one that this key writes."""
        return len(token) <= _LONGEST and token.partition(".")[0] == self._header

    def read(self, token: str) -> dict[str, Any]:
        """The claims of a token that this key signed; times and audience are left to the caller.

        Raises BadTokenError. The header must be ours to the letter, which leaves an attacker no
        algorithm, key id, embedded key or extension to choose.
        """
        if not self.is_named_by(token):
            raise BadTokenError
        try:
            return dict(jwt.decode(token, self.private, [_ALGORITHM]).claims)
        except (JoseError, ValueError) as error:
            raise BadTokenError from error
