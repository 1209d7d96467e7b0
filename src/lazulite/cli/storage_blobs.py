"""`storage blob`: single blobs and lists of them; files are in storage_uploads and _downloads."""

from __future__ import annotations

import fnmatch
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.parallel import threads
from lazulite.cli.storage_access import Account, Storage
from lazulite.cli.storage_arguments import StorageArguments
from lazulite.cli.storage_views import (
    blob_headers,
    blob_item,
    page,
    written,
)
from lazulite.cli.storage_views import (
    metadata as metadata_of,
)

PARALLEL = 8
_DEFAULT_RESULTS = 5000


def listing(storage: Storage, arguments: StorageArguments) -> list[dict[str, Any]]:
    """Blobs by name; with --delimiter, what is below a common prefix is shown as that prefix."""
    query = {
        "prefix": arguments.prefix,
        "delimiter": arguments.delimiter,
        "marker": arguments.marker,
        "include": "metadata" if "m" in arguments.include else "",
    }
    found = listed(storage, arguments.container_name, query, limit_of(arguments))
    return [
        {"name": item.findtext("Name", "")}
        if item.tag == "BlobPrefix"
        else blob_item(item, arguments.container_name)
        for item in found
    ]


def show(storage: Storage, arguments: StorageArguments) -> dict[str, Any]:
    """One blob without its bytes."""
    query = {"snapshot": arguments.snapshot}
    answer = storage.account.send("HEAD", _address(storage, arguments), query=query)
    return blob_headers(answer, arguments.blob, arguments.container_name)


def exists(storage: Storage, arguments: StorageArguments) -> dict[str, bool]:
    """Whether there is a blob of that name."""
    return {"exists": not absent(lambda: show(storage, arguments))}


def delete(storage: Storage, arguments: StorageArguments) -> None:
    """Delete it. Raises CommandError if it is not there."""
    headers = {**conditions(arguments), "x-ms-delete-snapshots": arguments.delete_snapshots}
    query = {"snapshot": arguments.snapshot}
    storage.account.send("DELETE", _address(storage, arguments), headers, query=query)


def delete_batch(storage: Storage, arguments: StorageArguments) -> list[str] | None:
    """Delete all blobs of a container, or those that match; --dryrun: their names."""
    account, container = storage.account, container_of(arguments.source)
    names = matching(storage, container, arguments.pattern)
    if arguments.dryrun:
        return list(names)
    headers = {"x-ms-delete-snapshots": arguments.delete_snapshots}

    def remove(name: str) -> None:
        absent(lambda: account.send("DELETE", account.address(container, name), headers))

    with threads(PARALLEL, account.http) as pool:
        while some := list(islice(names, _DEFAULT_RESULTS)):
            list(pool.map(remove, some))
    return None


def copy(storage: Storage, arguments: StorageArguments) -> dict[str, Any]:
    """Have the service copy a blob; it says whether that is done already."""
    account = storage.account
    source = arguments.source_uri or account.address(
        arguments.source_container or arguments.destination_container, arguments.source_blob
    )
    if not (arguments.source_uri or arguments.source_blob):
        raise CommandError("UsageError", "Name the source: --source-uri or --source-blob.")
    if account.sas and not arguments.source_uri:
        source = f"{source}?{account.sas}"
    url = account.address(arguments.destination_container, arguments.destination_blob)
    headers = {"x-ms-copy-source": source, **metadata_headers(arguments.metadata)}
    answer = account.send("PUT", url, headers)
    said = {name: answer.headers.get(f"x-ms-{name}") for name in ("copy-id", "copy-status")}
    return {**written(answer), **{name.replace("-", "_"): text for name, text in said.items()}}


def metadata(storage: Storage, arguments: StorageArguments) -> dict[str, str]:
    """What was said of a blob."""
    return metadata_of(storage.account.send("HEAD", _address(storage, arguments)))


def set_metadata(storage: Storage, arguments: StorageArguments) -> dict[str, Any]:
    """Replace all of it."""
    headers = {**metadata_headers(arguments.metadata), **conditions(arguments)}
    url, query = _address(storage, arguments), {"comp": "metadata"}
    return written(storage.account.send("PUT", url, headers, query=query))


def url(storage: Storage, arguments: StorageArguments) -> str:
    """The URL of a blob, whether it is there or not."""
    return _address(storage, arguments)


def listed(
    storage: Storage, container: str, query: Mapping[str, str], limit: int | None = None
) -> Iterator[ET.Element]:
    """Blobs and prefixes of a container, page after page."""
    asked = {"restype": "container", "comp": "list", **query}
    return pages(storage, storage.account.address(container), asked, limit)


def pages(
    storage: Storage, url: str, query: Mapping[str, str], limit: int | None
) -> Iterator[ET.Element]:
    """What a list holds, in pages; at most limit of it."""
    asked, left = dict(query), limit
    while left is None or left > 0:
        asked["maxresults"] = str(min(left or _DEFAULT_RESULTS, _DEFAULT_RESULTS))
        found, marker = page(storage.account.send("GET", url, query=asked))
        items = [
            *found.iterfind("*/Blob"),
            *found.iterfind("*/BlobPrefix"),
            *found.iter("Container"),
        ]
        yield from items
        left = None if left is None else left - len(items)
        if not marker:
            return
        asked["marker"] = marker


def matching(storage: Storage, container: str, pattern: str) -> Iterator[str]:
    """Names of blobs that match a pattern of the shell; all if there is none."""
    prefix = pattern[: min((pattern.find(sign) for sign in "*?[" if sign in pattern), default=None)]
    for item in listed(storage, container, {"prefix": prefix}):
        name = item.findtext("Name", "")
        if not pattern or fnmatch.fnmatchcase(name, pattern):
            yield name


def container_of(source: str) -> str:
    """A container, given by name or by URL."""
    return source.rstrip("/").split("?")[0].rsplit("/", 1)[-1] if "://" in source else source


def limit_of(arguments: StorageArguments) -> int | None:
    """How many results are wanted; None: all. Raises CommandError."""
    text = arguments.num_results or str(_DEFAULT_RESULTS)
    if text == "*":
        return None
    if not text.isdigit() or int(text) < 1:
        raise CommandError("UsageError", f"--num-results {text!r} is neither a number nor *.")
    return int(text)


def metadata_headers(given: Sequence[str]) -> dict[str, str]:
    """Headers for metadata given as name=value. Raises CommandError."""
    pairs = [item.partition("=") for item in given]
    if bad := [name for name, equals, _ in pairs if not (name and equals)]:
        raise CommandError("UsageError", f"--metadata {bad[0]!r} is not name=value.")
    return {f"x-ms-meta-{name}": value for name, _, value in pairs}


def conditions(arguments: StorageArguments) -> dict[str, str]:
    """The conditional headers; those that are empty are not sent."""
    return {"If-Match": arguments.if_match, "If-None-Match": arguments.if_none_match}


def absent(work: Callable[[], object]) -> bool:
    """Whether it fails because what it is about is not there."""
    try:
        work()
    except CommandError as error:
        if error.exit_code != NOT_FOUND:
            raise
        return True
    return False


def _address(storage: Storage, arguments: StorageArguments) -> str:
    account: Account = storage.account
    return account.address(arguments.container_name, arguments.blob)
