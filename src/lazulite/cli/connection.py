"""Which server a command talks to, and as whom."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.cli.defaults import read_defaults
from lazulite.cli.errors import CommandError
from lazulite.cli.sign_in import SIGNED_OUT, read_sign_in
from lazulite.core.clouds import ADFS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Connection:
    """A server, a workspace on it, and the service principal to sign in as."""

    url: str
    tenant_id: str
    client_id: str
    client_secret: str = dataclasses.field(repr=False)
    subscription_id: str
    resource_group: str
    workspace: str
    ca_file: Path | None
    """Certificates to trust; None: those of the system."""
    token_cache: Path
    credentials: Path
    """Where the server left the administrator's credentials."""
    data_dir: Path
    """Where defaults are kept."""

    @property
    def workspace_id(self) -> str:
        """The workspace's ARM id."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.workspace}"
        )


def data_directory(chosen: str, environ: Mapping[str, str]) -> Path:
    """The server's folder: --data-dir, else LAZULITE_DATA_DIR, else ~/.lazulite."""
    return Path(chosen or environ.get("LAZULITE_DATA_DIR") or "~/.lazulite").expanduser()


def connect(
    data_dir: Path,
    environ: Mapping[str, str],
    *,
    resource_group: str = "",
    workspace: str = "",
    signed_in: Mapping[str, str] | None = None,
) -> Connection:
    """Where to go: the arguments, else the environment, kept defaults, what the server wrote.

    signed_in: as whom, in the place of what `login` has kept. Raises CommandError with the remedy
    when no server is known, and after `logout`.
    """
    url, server = server_url(data_dir, environ), read_server(data_dir)
    kept = read_sign_in(data_dir, url) if signed_in is None else signed_in
    if SIGNED_OUT in kept and not environ.get("AZURE_CLIENT_ID"):
        raise CommandError(
            "NotSignedIn", "Please run `lazulite login` (or `az login`): you have signed out."
        )
    is_its_own = url in {server.get("url"), server.get("http_url")}
    known = {**(server if is_its_own else {}), **read_defaults(data_dir)}
    values = {field: environ.get(name) or known.get(field) for field, name in _PLACES.items()}
    values |= _principal(data_dir, environ, kept, server if is_its_own else None)
    values |= {
        name: chosen
        for name, chosen in (
            ("resource_group", resource_group),
            ("workspace", workspace),
        )
        if chosen
    }
    if values["tenant_id"] == ADFS and is_its_own:
        values["tenant_id"] = server.get("tenant_id", ADFS)  # what the user knows it by
    missing = [_VARIABLES[field] for field, value in values.items() if not value]
    if missing:
        raise CommandError(
            "MissingSetting",
            f"{url} needs {', '.join(missing)}: set them, as `lazulite env` of that server prints.",
        )
    return Connection(
        url=url,
        ca_file=_certificates(known, environ),
        token_cache=data_dir / "cli" / "tokens.json",
        credentials=data_dir / "credentials.json",
        data_dir=data_dir,
        **{field: str(value) for field, value in values.items()},
    )


def server_url(data_dir: Path, environ: Mapping[str, str]) -> str:
    """The server's origin. Raises CommandError with the remedy when none is known."""
    url = environ.get("LAZULITE_URL") or read_server(data_dir).get("url")
    if not url:
        raise CommandError(
            "ServerNotFound",
            f"No server is running on the data directory {data_dir}. Start one with `lazulite up`,"
            " name its folder with --data-dir, or set LAZULITE_URL to reach one elsewhere.",
        )
    if not str(url).startswith(("https://", "http://")):
        raise CommandError(
            "InvalidUrl", f"LAZULITE_URL {url!r} does not begin with https:// or http://."
        )
    return str(url).rstrip("/")


def read_server(data_dir: Path) -> dict[str, Any]:
    """What the server wrote of itself when it was ready; {} if none has been."""
    return _read(data_dir / "server.json")


_PRINCIPAL = {
    "tenant_id": "AZURE_TENANT_ID",
    "client_id": "AZURE_CLIENT_ID",
    "client_secret": "AZURE_CLIENT_SECRET",
}
_PLACES = {
    "subscription_id": "AZURE_SUBSCRIPTION_ID",
    "resource_group": "LAZULITE_RESOURCE_GROUP",
    "workspace": "LAZULITE_WORKSPACE",
}
_VARIABLES = {**_PRINCIPAL, **_PLACES}


def _principal(
    data_dir: Path,
    environ: Mapping[str, str],
    kept: Mapping[str, str],
    server: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """As whom, all from one source: a secret goes with no other's id, and to no other's server.

    server: what the server of this folder wrote; None if that is not the one to talk to.
    """
    given = {field: environ[name] for field, name in _PRINCIPAL.items() if environ.get(name)}
    if "client_id" in given:
        found: Mapping[str, Any] = given
    else:
        found = kept or (_read(data_dir / "credentials.json") if server else {})
    tenant = found.get("tenant_id") or given.get("tenant_id") or (server or {}).get("tenant_id")
    return {field: found.get(field) for field in _PRINCIPAL} | {"tenant_id": tenant}


def server_certificates(data_dir: Path, environ: Mapping[str, str]) -> Path | None:
    """Certificates to trust where no server need run here; None: those of the system."""
    try:
        return _certificates(_read(data_dir / "server.json"), environ)
    except CommandError:
        return _certificates({}, environ)


def _certificates(known: Mapping[str, Any], environ: Mapping[str, str]) -> Path | None:
    chosen = (
        known.get("ca_file") or environ.get("SSL_CERT_FILE") or environ.get("REQUESTS_CA_BUNDLE")
    )
    return Path(chosen) if chosen else None


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except PermissionError as error:
        raise CommandError(
            "FileNotReadable",
            f"{path} may only be read by the user who started the server ({error.strerror}).",
        ) from error
    except ValueError as error:
        raise CommandError(
            "FileNotReadable", f"{path} is not JSON ({error}); `lazulite up` writes it anew."
        ) from error
    return value if isinstance(value, dict) else {}
