"""The keys of access tokens: one that signs, and retired ones until their last token has expired.

A retired key keeps its file, named by the time when it vanishes. Rotation first gives the present
key that second name and then replaces the file of the signing key, so that a crash between the two
loses no key: at the next start the old key still signs, and is known by both names.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lazulite.identity.private_files import create_private
from lazulite.identity.signing import BadTokenError, SigningKey
from lazulite.store.files import sync_directory

LIFETIME_S = 3600
"""Seconds that an access token is good for, and that a retired key is kept."""
TOKENS = "token-signing.pem"
_RETIRED = re.compile(r"token-signing\.until-(\d{1,12})\.pem")


@dataclasses.dataclass(frozen=True)
class RetiredKey:
    """A key that signs no more. until: when its last token has expired; path: its file."""

    key: SigningKey
    until: datetime
    path: Path


class SigningKeys:
    """The keys of one server; a rotation counts for the next token."""

    def __init__(self, folder: Path, current: SigningKey, retired: list[RetiredKey]) -> None:
        """folder: where their files are."""
        self._folder, self.current, self._retired = folder, current, retired

    def published(self, now: datetime) -> list[dict[str, Any]]:
        """The entries of the JWKS document, the signing key first."""
        return [key.public_jwk() for key in self._trusted(now)]

    def public_pems(self, now: datetime) -> tuple[str, ...]:
        """The public halves of all keys that are believed, the signing key's first."""
        return tuple(key.public_pem().decode() for key in self._trusted(now))

    def retired(self, now: datetime) -> list[RetiredKey]:
        """The retired keys that are still believed; files of the others are removed."""
        for gone in (each for each in self._retired if each.until <= now):
            gone.path.unlink(missing_ok=True)
        self._retired = [each for each in self._retired if each.until > now]
        return self._retired

    def read(self, token: str, now: datetime) -> dict[str, Any]:
        """The claims of a token that one of the keys signed. Raises BadTokenError."""
        for key in self._trusted(now):
            if key.is_named_by(token):
                return key.read(token)
        raise BadTokenError

    def rotate(self, new: SigningKey, now: datetime) -> None:
        """Sign with the new key from now on; the present one retires. Durable on return."""
        self.retired(now)
        until = datetime.fromtimestamp(int(now.timestamp()) + LIFETIME_S + 1, UTC)
        path = self._folder / f"token-signing.until-{int(until.timestamp())}.pem"
        while path.exists():  # the second rotation within a second
            until += timedelta(seconds=1)
            path = self._folder / f"token-signing.until-{int(until.timestamp())}.pem"
        create_private(path, self.current.private_pem())
        made = self._folder / f"{TOKENS}.next"
        made.unlink(missing_ok=True)
        create_private(made, new.private_pem())
        made.rename(self._folder / TOKENS)
        sync_directory(self._folder)
        self._retired = [RetiredKey(self.current, until, path), *self._retired]
        self.current = new

    def _trusted(self, now: datetime) -> Iterable[SigningKey]:
        """Each once: after a crash within a rotation, one key has two files."""
        trusted = {self.current.kid: self.current}
        for each in self.retired(now):
            trusted.setdefault(each.key.kid, each.key)
        return trusted.values()


def retired_files(folder: Path) -> list[tuple[Path, datetime]]:
    """The files of retired keys in a folder and when each vanishes, the latest first."""
    found = [
        (path, datetime.fromtimestamp(int(match[1]), UTC))
        for path in folder.iterdir()
        if (match := _RETIRED.fullmatch(path.name))
    ]
    return sorted(found, key=lambda each: each[1], reverse=True)
