"""Checking client secrets: slow on purpose the first time, quick again, slower for guessers."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import anyio
from anyio import to_thread

from lazulite.core.clock import Clock
from lazulite.identity.applications import ClientSecret, SecretHasher

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
    """Says whose secret it is. Remembers right answers in memory for 5 minutes.

    What is remembered is a hash under a key that dies with the process, and it counts only while
    the client still has the secret that it was checked against.
    """

    def __init__(self, hasher: SecretHasher, clock: Clock) -> None:
        self._hasher, self._clock = hasher, clock
        self._key = secrets.token_bytes(32)
        self._right: dict[str, tuple[bytes, str, datetime]] = {}
        self._allowances: dict[str, Allowance] = {}
        self._slots = anyio.CapacityLimiter(_AT_ONCE)

    async def match(
        self, client_id: str, known: Sequence[ClientSecret], secret: str
    ) -> ClientSecret | None:
        """Which of the client's secrets this is; None for none. Raises TooManyFailuresError.

        known: all that the client has, ended ones too. Ten wrong secrets at once, then ten a
        minute; a secret known to be right always passes.
        """
        digest = self._digest(client_id, secret)
        if found := self._remembered(client_id, known, digest):
            return found
        self._spend(client_id, 1)
        async with self._slots:  # another call may just have checked it
            found = self._remembered(client_id, known, digest)
            found = found or await to_thread.run_sync(self._search, known, secret)
        if found is not None:
            self._right[client_id] = (digest, found.key_id, self._clock() + _REMEMBERED)
            self._spend(client_id, -1)
        return found

    def _search(self, known: Sequence[ClientSecret], secret: str) -> ClientSecret | None:
        for each in known:
            if each.may_be(secret) and self._hasher.matches(each.secret_hash, secret):
                return each
        return None

    def _digest(self, client_id: str, secret: str) -> bytes:
        return hmac.digest(self._key, f"{client_id}\0{secret}".encode(), hashlib.sha256)

    def _remembered(
        self, client_id: str, known: Sequence[ClientSecret], digest: bytes
    ) -> ClientSecret | None:
        right, key_id, until = self._right.get(client_id, (b"", "", self._clock()))
        if not hmac.compare_digest(right, digest) or self._clock() >= until:
            return None
        return next((each for each in known if each.key_id == key_id), None)

    def _spend(self, client_id: str, tries: int) -> None:
        now = self._clock()
        allowance = self._allowances.get(client_id, Allowance(_BURST, now)).now(now)
        if allowance.tries < tries:
            raise TooManyFailuresError(allowance.wait_s)
        self._allowances[client_id] = allowance.spend(tries)
