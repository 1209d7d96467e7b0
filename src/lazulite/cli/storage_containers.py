"""`storage container`: containers of an account."""

from __future__ import annotations

from typing import Any

from lazulite.cli.errors import CommandError
from lazulite.cli.storage_access import Storage
from lazulite.cli.storage_arguments import StorageArguments
from lazulite.cli.storage_blobs import absent, limit_of, metadata_headers, pages
from lazulite.cli.storage_views import container_headers, container_item, written

_CONTAINER = {"restype": "container"}
_NO_ACCESS = {"", "off", "none"}


def create(storage: Storage, arguments: StorageArguments) -> dict[str, bool]:
    """Create it; one that is there already is left as it is."""
    account = storage.account
    headers = {**metadata_headers(arguments.metadata), **_access(arguments.public_access)}
    try:
        account.send("PUT", account.address(arguments.container), headers, query=_CONTAINER)
    except CommandError as error:
        if error.code != "ContainerAlreadyExists" or arguments.fail_on_exist:
            raise
        return {"created": False}
    return {"created": True}


def listing(storage: Storage, arguments: StorageArguments) -> list[dict[str, Any]]:
    """The containers of the account, by name."""
    query = {"comp": "list", "prefix": arguments.prefix, "marker": arguments.marker}
    query["include"] = "metadata" if "m" in arguments.include else ""
    found = pages(storage, storage.account.address(), query, limit_of(arguments))
    return [container_item(one) for one in found]


def show(storage: Storage, arguments: StorageArguments) -> dict[str, Any]:
    """One container."""
    account = storage.account
    answer = account.send("GET", account.address(arguments.container), query=_CONTAINER)
    return container_headers(answer, arguments.container)


def exists(storage: Storage, arguments: StorageArguments) -> dict[str, bool]:
    """Whether there is a container of that name."""
    return {"exists": not absent(lambda: show(storage, arguments))}


def delete(storage: Storage, arguments: StorageArguments) -> dict[str, bool]:
    """Delete it with all its blobs."""
    account = storage.account
    url = account.address(arguments.container)
    gone = absent(lambda: account.send("DELETE", url, query=_CONTAINER))
    if gone and arguments.fail_not_exist:
        message = f"There is no container {arguments.container!r}."
        raise CommandError("ContainerNotFound", message)
    return {"deleted": not gone}


def set_permission(storage: Storage, arguments: StorageArguments) -> dict[str, Any]:
    """Say whether anyone may read: blobs whose name they know, or the whole container."""
    account, access = storage.account, _access(arguments.public_access)
    query = {**_CONTAINER, "comp": "acl"}
    return written(account.send("PUT", account.address(arguments.container), access, query=query))


def _access(public: str) -> dict[str, str]:
    if public.lower() in _NO_ACCESS:
        return {}
    if public.lower() not in {"blob", "container"}:
        message = f"--public-access {public!r} is not off, blob or container."
        raise CommandError("UsageError", message)
    return {"x-ms-blob-public-access": public.lower()}
