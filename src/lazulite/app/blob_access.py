"""How the blob gateway learns of account keys and of roles."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from starlette.requests import Request

from lazulite.app.directory import Directory
from lazulite.blobs.accounts import account_keys, find_account
from lazulite.blobs.authorization import Authorize, Grants
from lazulite.blobs.delegation import DelegationKey, Span, derive
from lazulite.blobs.errors import BlobError
from lazulite.blobs.signatures import Permission, Use
from lazulite.blobs.store import BlobStore
from lazulite.core.errors import ArmError
from lazulite.core.ids import STORAGE_ACCOUNTS
from lazulite.identity.authorize import Guard
from lazulite.identity.sealing import SecretBox
from lazulite.identity.tokens import Audience
from lazulite.store.resources import Resource, Resources

BLOBS = f"{STORAGE_ACCOUNTS}/blobServices/containers/blobs"
REMEMBERED = timedelta(seconds=1)
CONTAINERS = f"{STORAGE_ACCOUNTS}/blobServices/containers"
SERVICE = f"{STORAGE_ACCOUNTS}/blobServices"

OF_ACCOUNT = {
    Permission.LIST: f"{CONTAINERS}/read",
    Permission.READ: f"{SERVICE}/read",
    Permission.WRITE: f"{SERVICE}/write",
    Permission.FILTER: f"{BLOBS}/filter/action",
    Permission.DELEGATE: f"{SERVICE}/generateUserDelegationKey/action",
}
OF_CONTAINER = {
    Permission.LIST: f"{BLOBS}/read",
    Permission.READ: f"{CONTAINERS}/read",
    Permission.CREATE: f"{CONTAINERS}/write",
    Permission.WRITE: f"{CONTAINERS}/write",
    Permission.DELETE: f"{CONTAINERS}/delete",
    Permission.FILTER: f"{BLOBS}/filter/action",
    Permission.GET_ACL: f"{CONTAINERS}/getAcl/action",
    Permission.SET_ACL: f"{CONTAINERS}/setAcl/action",
}
OF_BLOB = {
    Permission.READ: f"{BLOBS}/read",
    Permission.ADD: f"{BLOBS}/write",
    Permission.DELETE: f"{BLOBS}/delete",
}
"""What a role must allow for an operation at each level; on a blob, the rest is write.

Source: "Authorize with Microsoft Entra ID: permissions for Blob service operations".
"""


class AccountKeys:
    """The keys of accounts, from their sealed rows; asked at every blob request, so remembered."""

    def __init__(self, resources: Resources, box: SecretBox) -> None:
        self._resources, self._box = resources, box
        self._known: dict[str, tuple[datetime, list[bytes]]] = {}

    async def __call__(self, account: str) -> Sequence[bytes]:
        """The keys; none if there is no such account. A change is seen after a second."""
        now = self._resources.clock()
        known = self._known.get(account)
        if known is not None and now - known[0] < REMEMBERED:
            return known[1]
        found = await find_account(self._resources, account)
        keys = _usable_keys(self._box, found) if found else []
        if found:
            self._known[account] = (now, keys)
        return keys

    async def roots(self, account: str) -> Sequence[bytes]:
        """What user delegation keys are derived from, even while the keys themselves are off."""
        found = await find_account(self._resources, account)
        return _decoded(self._box, found) if found else []


def bearer_access(resources: Resources, guard: Guard) -> Authorize:
    """Storage tokens, by the data roles of their bearer."""

    async def authorize(
        request: Request,
        account: str,
        permission: Permission,
        container: str | None,
        blob: str | None,
    ) -> None:
        found = await _existing(resources, account)
        action = action_for(permission, container, blob, request.method)
        with refusals():
            await guard.require(request.headers, action, found.id, Audience.STORAGE)

    return authorize


def _usable_keys(box: SecretBox, account: Resource) -> list[bytes]:
    """None while the account has allowSharedKeyAccess false."""
    if not account.properties.get("allowSharedKeyAccess", True):
        return []
    return _decoded(box, account)


def _decoded(box: SecretBox, account: Resource) -> list[bytes]:
    return [base64.b64decode(key) for key in account_keys(box, account).values()]


def grants(
    store: BlobStore,
    resources: Resources,
    directory: Directory,
    keys: AccountKeys,
    hosts: frozenset[str],
) -> Grants:
    """What opens containers besides keys and tokens. hosts: the server's own, with ports."""

    async def may_be_public(account: str) -> bool:
        found = await find_account(resources, account)
        return bool(found and found.properties.get("allowBlobPublicAccess"))

    async def delegated(object_id: str, use: Use) -> None:
        found = await _existing(resources, use.account)
        action = action_for(use.permission, use.container, use.blob, "GET")
        principal = await directory.access.principal(object_id)
        if principal is None or not principal.may(action, found.id):
            message = f"Who signed the SAS, {object_id!r}, may not do {action!r}."
            raise BlobError("AuthorizationPermissionMismatch", message)

    async def delegate(request: Request, account: str, span: Span) -> DelegationKey:
        with refusals():
            principal = await directory.guard.authenticate(request.headers, Audience.STORAGE)
        return derive(
            (await keys.roots(account))[0], principal.object_id, principal.tenant_id, span
        )

    return Grants(
        access=store.containers.access,
        may_be_public=may_be_public,
        delegated=delegated,
        delegate=delegate,
        delegation_roots=keys.roots,
        hosts=hosts,
    )


def action_for(permission: Permission, container: str | None, blob: str | None, method: str) -> str:
    """The action that a role must allow."""
    if container is None:
        return OF_ACCOUNT.get(permission, f"{SERVICE}/write")
    if blob is None:
        return OF_CONTAINER.get(permission, f"{CONTAINERS}/write")
    if permission is Permission.TAGS:
        return f"{BLOBS}/tags/{'read' if method in {'GET', 'HEAD'} else 'write'}"
    return OF_BLOB.get(permission, f"{BLOBS}/write")


@contextmanager
def refusals() -> Iterator[None]:
    """Turns a refusal of the guard into one that blob clients read."""
    try:
        yield
    except ArmError as error:
        denied = "AuthorizationPermissionMismatch" if error.status == 403 else None
        raise BlobError(denied or "InvalidAuthenticationInfo", str(error)) from error


async def _existing(resources: Resources, name: str) -> Resource:
    found = await find_account(resources, name)
    if found is None:
        raise BlobError("ResourceNotFound", f"There is no storage account {name!r}.")
    return found
