"""Which operation a request asks for, and what its caller must be allowed to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from starlette.responses import Response

from lazulite.blobs import append_operations as appends
from lazulite.blobs import blob_operations as blob
from lazulite.blobs import container_operations as container
from lazulite.blobs import lease_operations as leases
from lazulite.blobs import tag_operations as tags
from lazulite.blobs.batch import submit_batch
from lazulite.blobs.calls import Call
from lazulite.blobs.copy_operations import abort_copy
from lazulite.blobs.errors import BlobError
from lazulite.blobs.signatures import Permission
from lazulite.blobs.targets import Target


class Operation(NamedTuple):
    """A handler, and what its caller must be allowed to do."""

    handle: Callable[[Call], Awaitable[Response]]
    permission: Permission
    creates: bool = False
    """Whether the permission to create is enough, as long as nothing is overwritten."""
    of_snapshots: bool = False
    """Whether it can be asked of a snapshot."""
    in_parts: bool = False
    """Whether its parts are authorized one by one, so that any valid credential begins it."""


class Key(NamedTuple):
    """Which operation is meant. level: account, container or blob; comp: of the query."""

    level: str
    method: str
    comp: str


READ, WRITE, LIST, DELETE = Permission.READ, Permission.WRITE, Permission.LIST, Permission.DELETE

ACCOUNT: Mapping[Key, Operation] = {
    Key("account", "GET", "list"): Operation(container.list_containers, LIST),
    Key("account", "GET", "properties"): Operation(container.service_properties, READ),
    Key("account", "PUT", "properties"): Operation(container.set_service_properties, WRITE),
    Key("account", "GET", "stats"): Operation(container.service_stats, READ),
    Key("account", "GET", "blobs"): Operation(tags.find_blobs, Permission.FILTER),
    Key("account", "POST", "batch"): Operation(submit_batch, DELETE, in_parts=True),
    Key("account", "POST", "userdelegationkey"): Operation(
        container.user_delegation_key, Permission.DELEGATE
    ),
}
CONTAINER: Mapping[Key, Operation] = {
    Key("container", "PUT", ""): Operation(container.create_container, Permission.CREATE),
    Key("container", "GET", ""): Operation(container.container_properties, READ),
    Key("container", "HEAD", ""): Operation(container.container_properties, READ),
    Key("container", "GET", "metadata"): Operation(container.container_properties, READ),
    Key("container", "HEAD", "metadata"): Operation(container.container_properties, READ),
    Key("container", "PUT", "metadata"): Operation(container.set_container_metadata, WRITE),
    Key("container", "GET", "acl"): Operation(container.container_acl, Permission.GET_ACL),
    Key("container", "HEAD", "acl"): Operation(container.container_acl, Permission.GET_ACL),
    Key("container", "PUT", "acl"): Operation(container.set_container_acl, Permission.SET_ACL),
    Key("container", "PUT", "lease"): Operation(leases.lease_container, WRITE),
    Key("container", "DELETE", ""): Operation(container.delete_container, DELETE),
    Key("container", "GET", "list"): Operation(container.list_blobs, LIST),
    Key("container", "GET", "blobs"): Operation(tags.find_blobs, Permission.FILTER),
    Key("container", "POST", "batch"): Operation(submit_batch, DELETE, in_parts=True),
}
BLOB: Mapping[Key, Operation] = {
    Key("blob", "PUT", ""): Operation(blob.put_blob, WRITE, creates=True),
    Key("blob", "PUT", "block"): Operation(blob.put_block, WRITE, creates=True),
    Key("blob", "PUT", "blocklist"): Operation(blob.put_block_list, WRITE, creates=True),
    Key("blob", "GET", "blocklist"): Operation(blob.get_block_list, READ),
    Key("blob", "PUT", "appendblock"): Operation(appends.append_block, Permission.ADD),
    Key("blob", "PUT", "seal"): Operation(appends.seal, Permission.ADD),
    Key("blob", "PUT", "snapshot"): Operation(blob.snapshot_blob, Permission.CREATE),
    Key("blob", "PUT", "lease"): Operation(leases.lease_blob, WRITE),
    Key("blob", "PUT", "copy"): Operation(abort_copy, WRITE),
    Key("blob", "PUT", "tier"): Operation(blob.set_tier, WRITE),
    Key("blob", "PUT", "tags"): Operation(tags.set_tags, Permission.TAGS),
    Key("blob", "GET", "tags"): Operation(tags.get_tags, Permission.TAGS, of_snapshots=True),
    Key("blob", "PUT", "metadata"): Operation(blob.set_metadata, WRITE),
    Key("blob", "PUT", "properties"): Operation(blob.set_properties, WRITE),
    Key("blob", "GET", ""): Operation(blob.get_blob, READ, of_snapshots=True),
    Key("blob", "HEAD", ""): Operation(blob.blob_properties, READ, of_snapshots=True),
    Key("blob", "GET", "metadata"): Operation(blob.blob_properties, READ, of_snapshots=True),
    Key("blob", "HEAD", "metadata"): Operation(blob.blob_properties, READ, of_snapshots=True),
    Key("blob", "DELETE", ""): Operation(blob.delete_blob, DELETE, of_snapshots=True),
}
OPERATIONS = MappingProxyType({**ACCOUNT, **CONTAINER, **BLOB})
"""Everything that is served. Account information is told apart by its restype."""

NOT_SERVED: Mapping[str, str] = {
    "undelete": "Deleted blobs are not kept",
    "page": "Page blobs are not served",
    "pagelist": "Page blobs are not served",
    "incrementalcopy": "Page blobs are not served",
    "query": "Queries over the content of blobs are not served",
    "immutabilitypolicies": "Immutability policies are not served",
    "legalhold": "Legal holds are not served",
    "expiry": "Expiry of blobs is not served",
    "rename": "Containers cannot be renamed",
}
"""By comp, and why it is refused; see docs/storage.md."""


def find_operation(method: str, target: Target, query: Mapping[str, str]) -> Operation:
    """The operation that a request asks for. Raises BlobError."""
    comp, restype = query.get("comp", "").lower(), query.get("restype", "").lower()
    if comp == "properties" and restype == "account":
        return Operation(container.account_information, READ)
    if "versionid" in query or "deletetype" in query:
        message = "Versions and deleted blobs are not kept: leave out versionid and deletetype."
        raise BlobError("UnsupportedQueryParameter", message)
    level = _level(target, restype)
    operation = OPERATIONS.get(Key(level, method, comp))
    if operation is None:
        raise _not_served(level, comp)
    if "snapshot" in query and not operation.of_snapshots:
        message = f"comp={comp!r} cannot be asked of a snapshot."
        raise BlobError("UnsupportedQueryParameter", message)
    return operation


def _not_served(level: str, comp: str) -> BlobError:
    methods = sorted({key.method for key in OPERATIONS if key[::2] == (level, comp)})
    if methods:
        return BlobError("UnsupportedHttpVerb", headers={"Allow": ", ".join(methods)})
    if comp in NOT_SERVED:
        return BlobError("NotImplemented", f"{NOT_SERVED[comp]}: see docs/storage.md.")
    return BlobError("UnsupportedQueryParameter", f"comp={comp!r} is not supported on a {level}.")


def _level(target: Target, restype: str) -> str:
    if target.blob:
        return "blob"
    if target.container and restype != "container":
        message = f"{target.container!r} is a container: add restype=container to the query."
        raise BlobError("InvalidUri", message)
    return "container" if target.container else "account"
