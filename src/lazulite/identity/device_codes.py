"""Device codes: sign-ins that began on one machine and wait for an administrator on another.

Source: RFC 8628, in Microsoft Entra's form. They live in this process's memory for 15 minutes:
after a restart one begins anew.
"""

from __future__ import annotations

import dataclasses
import hmac
import math
import secrets
from datetime import datetime, timedelta

from lazulite.core.clock import Clock
from lazulite.identity import oauth_errors

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
LIFETIME_S = 900
INTERVAL_S = 3  # the front door closes connections that are idle for 5 s, and clients keep theirs
MOST = 256
"""Codes at a time, as anybody can ask for one: the oldest that is not approved makes room."""
MOST_EACH = 16
"""Codes at a time for one address."""
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, no words; RFC 8628 6.1
_LONGEST = 100  # characters of a client's id
_EARLY = timedelta(seconds=INTERVAL_S - 1)  # clients' clocks differ a little


@dataclasses.dataclass(kw_only=True)
class DeviceCode:
    """One sign-in that waits."""

    device_code: str = dataclasses.field(repr=False)
    user_code: str
    client: str
    """What the client says it is."""
    address: str = ""
    """From where it asked."""
    scope: str = ""
    """What it asked for: it need not say so again. Source: RFC 8628 3.4."""
    began_at: datetime
    polled_at: datetime | None = None
    approved: str | None = None
    """The app id of the principal that it signs in as."""

    @property
    def ends_at(self) -> datetime:
        """From when on nobody can use it."""
        return self.began_at + timedelta(seconds=LIFETIME_S)


class DeviceCodes:
    """The codes of one server. Each signs in once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, DeviceCode] = {}

    def begin(self, client: str, scope: str = "", address: str = "") -> DeviceCode:
        """A new code. Raises OAuthError 429 while too many of that address wait."""
        self._forget_ended()
        mine = [each for each in self._waiting.values() if each.address == address]
        if len(mine) >= MOST_EACH:
            raise oauth_errors.too_many_codes(self._wait_s(mine))
        self._make_room()
        made = DeviceCode(
            device_code=secrets.token_urlsafe(32),
            user_code="".join(secrets.choice(_LETTERS) for _ in range(8)),
            client=client[:_LONGEST],
            address=address,
            scope=scope,
            began_at=self._clock(),
        )
        self._waiting[made.user_code] = made
        return made

    def find(self, user_code: str) -> DeviceCode | None:
        """The code that waits under these letters; dashes, spaces and case do not count."""
        self._forget_ended()
        return self._waiting.get("".join(filter(str.isalnum, user_code.upper())))

    def collect(self, device_code: str) -> DeviceCode:
        """The code once it is approved; it is gone then. Raises OAuthError until it is."""
        now = self._clock()
        self._forget_ended()
        found = self._of(device_code)
        if found is None:
            raise oauth_errors.unknown_device_code()
        polled, found.polled_at = found.polled_at, now
        if polled is not None and now - polled < _EARLY:
            raise oauth_errors.polled_too_soon(INTERVAL_S)
        if found.approved is None:
            raise oauth_errors.not_approved_yet()
        del self._waiting[found.user_code]
        return found

    def _wait_s(self, codes: list[DeviceCode]) -> int:
        """Whole seconds until the first of them ends."""
        return math.ceil((codes[0].ends_at - self._clock()).total_seconds())

    def _make_room(self) -> None:
        """Codes stand in the order in which they began."""
        if len(self._waiting) >= MOST:
            waiting = (each for each in self._waiting.values() if each.approved is None)
            oldest = next(waiting, None)
            if oldest is None:
                raise oauth_errors.too_many_codes(self._wait_s(list(self._waiting.values())))
            del self._waiting[oldest.user_code]

    def _of(self, device_code: str) -> DeviceCode | None:
        given = device_code.encode()
        every = [
            each
            for each in self._waiting.values()
            if hmac.compare_digest(each.device_code.encode(), given)
        ]
        return every[0] if every else None

    def _forget_ended(self) -> None:
        now = self._clock()
        self._waiting = {
            letters: each for letters, each in self._waiting.items() if now < each.ends_at
        }
