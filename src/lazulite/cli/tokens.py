"""Access tokens for the server's audiences, kept in a private file until shortly before expiry."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from lazulite.cli.connection import Connection
from lazulite.cli.errors import CommandError
from lazulite.cli.http import Http, Request

BATCH_SCORING = "https://ml.azure.com/.default"
"""The scope that batch scoring URIs ask for. Source: spec/CLIENTS.md 3.1."""

_MARGIN_S = 300.0  # a token is not used in its last five minutes


@dataclasses.dataclass(frozen=True)
class Tokens:
    """Tokens of one service principal. now: unix seconds."""

    connection: Connection
    http: Http
    now: Callable[[], float]

    @property
    def management(self) -> str:
        """The scope of everything below /subscriptions."""
        return f"{self.connection.url}/.default"

    def get(self, scope: str) -> str:
        """A valid token for the scope; asks the server only if none is kept."""
        return self.lasting(scope)[0]

    def lasting(self, scope: str) -> tuple[str, float]:
        """The same, and when it expires, in unix seconds."""
        kept = _read(self.connection.token_cache).get(self._key(scope))
        if kept and kept["expires_at"] - _MARGIN_S > self.now():
            return str(kept["access_token"]), float(kept["expires_at"])
        return self._renewed(scope)

    def renew(self, scope: str) -> str:
        """A new token, kept in place of the old one."""
        return self._renewed(scope)[0]

    def _renewed(self, scope: str) -> tuple[str, float]:
        answer = self._ask(scope)
        token = str(answer["access_token"])
        expires_at = self.now() + float(answer["expires_in"])
        fresh = {
            key: kept
            for key, kept in _read(self.connection.token_cache).items()
            if kept["expires_at"] > self.now()
        }
        fresh[self._key(scope)] = {"access_token": token, "expires_at": expires_at}
        _write(self.connection.token_cache, fresh)
        return token, expires_at

    def _ask(self, scope: str) -> dict[str, Any]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.connection.client_id,
            "client_secret": self.connection.client_secret,
            "scope": scope,
        }
        request = Request(
            method="POST",
            url=f"{self.connection.url}/{self.connection.tenant_id}/oauth2/v2.0/token",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
        )
        answer = self.http.send(request)
        value = answer.value()
        if answer.is_success and isinstance(value, dict) and "access_token" in value:
            return value
        said = value.get("error_description") if isinstance(value, dict) else value
        raise CommandError(
            "AuthenticationFailed",
            f"{self.connection.url} refused the client {self.connection.client_id}"
            f" ({answer.status}): {said}\nThe client comes from AZURE_CLIENT_ID if that is set,"
            " else from `lazulite login`, else from credentials.json in the server's data"
            " directory. `lazulite ad sp credential reset --id APP_ID` makes a new secret.",
            status=answer.status,
        )

    def _key(self, scope: str) -> str:
        known = self.connection
        parts = (known.url, known.tenant_id, known.client_id, known.client_secret, scope)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    """What is kept; nothing if the file is missing or broken, as it can be asked for again."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _write(path: Path, value: dict[str, Any]) -> None:
    """Replace the file, 0600, in one step. A folder that cannot be written only costs time."""
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".tokens.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump(value, file)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
