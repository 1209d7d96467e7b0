"""`storage container generate-sas` and `blob generate-sas`: signed here, with the account's key.

Source: "Create a service SAS", learn.microsoft.com; signed version 2020-12-06.
"""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

from lazulite.cli.errors import CommandError
from lazulite.cli.shared_key import signature
from lazulite.cli.storage_access import Storage
from lazulite.cli.storage_arguments import StorageArguments

_VERSION = "2020-12-06"
_ORDER = "racwdxyltmeopi"


def container(storage: Storage, arguments: StorageArguments) -> str:
    """A SAS for a container and its blobs, without the question mark."""
    return _sas(storage, arguments, "c", arguments.container)


def blob(storage: Storage, arguments: StorageArguments) -> str:
    """A SAS for one blob; with --full-uri, the URL that has it."""
    path = f"{arguments.container_name}/{arguments.blob}"
    sas = _sas(storage, arguments, "b", path)
    url = storage.account.address(arguments.container_name, arguments.blob)
    return f"{url}?{sas}" if arguments.full_uri else sas


def _sas(storage: Storage, arguments: StorageArguments, kind: str, path: str) -> str:
    account = storage.account
    if not account.key:
        message = "A SAS is signed with the account's key: give it, or leave --auth-mode out."
        raise CommandError("UsageError", message)
    said = _said(arguments)
    resource = f"/blob/{account.name}/{path}"
    text = [said[name] for name in ("sp", "st", "se")] + [resource, "", said["sip"], said["spr"]]
    text += [_VERSION, kind, "", "", "", "", "", "", ""]
    pairs = {**said, "sv": _VERSION, "sr": kind, "sig": signature("\n".join(text), account.key)}
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs.items() if value)


def _said(arguments: StorageArguments) -> dict[str, str]:
    unknown = set(arguments.permissions) - set(_ORDER)
    if unknown or not arguments.permissions:
        message = f"--permissions {arguments.permissions!r}: give letters of {_ORDER}."
        raise CommandError("UsageError", message)
    if not arguments.expiry:
        raise CommandError("UsageError", "Say when the SAS ends: --expiry 2030-01-31T12:00Z.")
    return {
        "sp": "".join(sorted(set(arguments.permissions), key=_ORDER.index)),
        "st": _moment(arguments.start) if arguments.start else "",
        "se": _moment(arguments.expiry),
        "sip": arguments.ip,
        "spr": "https" if arguments.https_only else "",
    }


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is not a time such as 2030-01-31T12:00Z."
        raise CommandError("UsageError", message) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
