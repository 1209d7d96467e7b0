"""startPendingUpload: a container of its own for the files of an asset version to come.

Source: spec/CLIENTS.md 7.2; PendingUploadRequestDto and PendingUploadResponseDto.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from lazulite.arm.kind import Action, Answer, Call
from lazulite.blobs.signatures import Grant, sign_container
from lazulite.core.errors import ArmError
from lazulite.core.ids import STORAGE_ACCOUNTS, fold, workspace_of
from lazulite.identity.sealing import SecretBox
from lazulite.store.resources import Resource, Resources

LIFETIME = timedelta(hours=8)
SERVED = "TemporaryBlobReference"
NAMES = ("startPendingUpload", "createOrGetStartPendingUpload")


@dataclasses.dataclass(frozen=True)
class PendingUploads:
    """Answers with a signed URL of a new container in the workspace's storage account."""

    resources: Resources
    box: SecretBox
    make_container: Callable[[str, str], Awaitable[None]]

    def actions(self) -> Mapping[str, Action]:
        """The verb under the names that clients know it by."""
        return dict.fromkeys(NAMES, Action(perform=self.start, comes_before=True))

    async def start(self, call: Call) -> Answer:
        """Read, write and list in the container for eight hours.

        The same pendingUploadId again gives the same container, no id a new one. Raises ArmError
        400 for a type that is not served, 409 if the version is there already.
        """
        kind = str(call.body.get("pendinguploadtype") or SERVED)
        if kind.lower() != SERVED.lower():
            message = f"pendingUploadType is {kind!r}: only {SERVED} is served."
            raise ArmError("BadArgument", message, target="pendingUploadType")
        if call.existing is not None:
            message = f"{call.id!r} is there and does not change: upload for a new version."
            raise ArmError("Conflict", message, 409)
        given = str(call.body.get("pendinguploadid") or uuid.uuid4())
        account = await self._account(call.id)
        container = _container(call.id, given)
        await self.make_container(account.name, container)
        return Answer(body=self._reference(call, given, account, container))

    async def _account(self, asset: str) -> Resource:
        workspace = await self.resources.find(workspace_of(asset))
        name = workspace.observed.get("account") if workspace else None
        accounts = await self.resources.of_type(STORAGE_ACCOUNTS)
        found = next((account for account in accounts if account.name == name), None)
        if found is None:
            message = f"{workspace_of(asset)!r} has no storage account yet: wait until it is made."
            raise ArmError("Conflict", message, 409)
        return found

    def _reference(
        self, call: Call, pending: str, account: Resource, container: str
    ) -> dict[str, object]:
        key = base64.b64decode(self.box.open(account.secrets["key1"]))
        grant = Grant("rcwl", self.resources.clock() + LIFETIME)
        uri = f"{call.base}/{account.name}/{container}"
        signed = f"{uri}?{sign_container(account.name, key, grant, container)}"
        return {
            "pendingUploadId": pending,
            "pendingUploadType": SERVED,
            "blobReferenceForConsumption": {
                "blobUri": uri,
                "storageAccountArmId": account.id,
                "credential": {"credentialType": "SAS", "sasUri": signed},
            },
        }


def _container(asset: str, pending: str) -> str:
    """One that nobody gets by naming another asset's upload."""
    return f"upload-{hashlib.sha256(f'{fold(asset)}/{pending}'.encode()).hexdigest()[:40]}"
