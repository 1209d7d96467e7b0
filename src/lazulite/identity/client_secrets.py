"""Checking client secrets: slow on purpose the first time, quick again, slower for guessers."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

import anyio
from anyio import to_thread

from lazulite.core.clock import Clock
from lazulite.identity.principals import SecretHasher, ServicePrincipal

_REMEMBERED = timedelta(minutes=5)
_BURST = 10  # wrong secrets in a row that one client may send
_REFILL = timedelta(seconds=6)  # per try after that
_AT_ONCE = 2  # checks; each takes 64 MiB


class TooManyFailuresError(Exception):
    """A client has sent too many wrong secrets. retry_after: whole seconds, at least one."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"try again in {retry_after} s")
        self.retry_after = retry_after


@dataclasses.dataclass(frozen=True)
class Allowance:
    """How many wrong secrets a client may still send; it refills with time."""

    tries: float
    at: datetime

    def now(self, now: datetime) -> Allowance:
        """The same allowance at a later time."""
        gained = max((now - self.at) / _REFILL, 0.0)
        return Allowance(min(self.tries + gained, float(_BURST)), now)

    def spend(self, tries: int) -> Allowance:
        """With that many tries less, or more if negative."""
        return Allowance(min(self.tries - tries, float(_BURST)), self.at)

    @property
    def wait_s(self) -> int:
        """Whole seconds until there is a try again."""
        return max(1, round((1 - self.tries) * _REFILL.total_seconds() + 0.5))


class ClientSecrets:
    """Says whether a secret is a principal's. Remembers right answers in memory for 5 minutes.

    What is remembered is a hash under a key that dies with the process, and it counts only while
    the principal still has the credential it was checked against.
    """

    def __init__(self, hasher: SecretHasher, clock: Clock) -> None:
        self._hasher, self._clock = hasher, clock
        self._key = secrets.token_bytes(32)
        self._right: dict[str, tuple[bytes, datetime]] = {}
        self._allowances: dict[str, Allowance] = {}
        self._slots = anyio.CapacityLimiter(_AT_ONCE)

    async def match(self, principal: ServicePrincipal, secret: str) -> bool:
        """Whether this is the principal's secret. Raises TooManyFailuresError.

        Ten wrong secrets at once, then ten a minute; a secret known to be right always passes.
        """
        digest = self._digest(principal, secret)
        if self._is_known(principal, digest):
            return True
        self._spend(principal.client_id, 1)
        async with self._slots:
            if not self._is_known(principal, digest):  # another call may just have checked it
                matched = await to_thread.run_sync(
                    self._hasher.matches, principal.secret_hash, secret
                )
                if not matched:
                    return False
        self._right[principal.client_id] = (digest, self._clock() + _REMEMBERED)
        self._spend(principal.client_id, -1)
        return True

    def _digest(self, principal: ServicePrincipal, secret: str) -> bytes:
        parts = (principal.client_id, str(principal.credential), secret)
        return hmac.digest(self._key, "\0".join(parts).encode(), hashlib.sha256)

    def _is_known(self, principal: ServicePrincipal, digest: bytes) -> bool:
        known, until = self._right.get(principal.client_id, (b"", self._clock()))
        return hmac.compare_digest(known, digest) and self._clock() < until

    def _spend(self, client_id: str, tries: int) -> None:
        now = self._clock()
        allowance = self._allowances.get(client_id, Allowance(_BURST, now)).now(now)
        if allowance.tries < tries:
            raise TooManyFailuresError(allowance.wait_s)
        self._allowances[client_id] = allowance.spend(tries)
