"""How the blob gateway learns of account keys and of roles."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta

from starlette.requests import Request

from lazulite.blobs.accounts import account_keys, find_account
from lazulite.blobs.authorization import Authorize
from lazulite.blobs.errors import BlobError
from lazulite.blobs.signatures import Permission
from lazulite.core.errors import ArmError
from lazulite.core.ids import STORAGE_ACCOUNTS
from lazulite.identity.authorize import Guard
from lazulite.identity.sealing import SecretBox
from lazulite.identity.tokens import Audience
from lazulite.store.resources import Resource, Resources

BLOBS = f"{STORAGE_ACCOUNTS}/blobServices/containers/blobs"
REMEMBERED = timedelta(seconds=1)
ACTIONS = {Permission.READ: "read", Permission.LIST: "read", Permission.DELETE: "delete"}


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


def bearer_access(resources: Resources, guard: Guard) -> Authorize:
    """Storage tokens, by the data roles of their bearer."""

    async def authorize(
        request: Request,
        account: str,
        permission: Permission,
        container: str | None,
        blob: str | None,
    ) -> None:
        found = await find_account(resources, account)
        if found is None:
            raise BlobError("ResourceNotFound", f"There is no storage account {account!r}.")
        action = f"{BLOBS}/{ACTIONS.get(permission, 'write')}"
        try:
            await guard.require(request.headers, action, found.id, Audience.STORAGE)
        except ArmError as error:
            denied = "AuthorizationPermissionMismatch" if error.status == 403 else None
            raise BlobError(denied or "InvalidAuthenticationInfo", str(error)) from error

    return authorize


def _usable_keys(box: SecretBox, account: Resource) -> list[bytes]:
    """None while the account has allowSharedKeyAccess false."""
    if not account.properties.get("allowSharedKeyAccess", True):
        return []
    return [base64.b64decode(key) for key in account_keys(box, account).values()]
