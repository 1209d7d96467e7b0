"""What api-versions of datastores differ in: in 2021-03-01-preview most is under `contents`.

Source: spec/REST.md 5 and 7.3.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from lazulite.arm.kind import said
from lazulite.arm.wire import OLDEST, ReadOnly, Unknown, Wire
from lazulite.core.errors import ArmError
from lazulite.store.resources import Json

OUTSIDE = frozenset(
    {
        *("description", "tags", "properties"),
        *("isDefault", "hasBeenValidated", "linkedInfo", "provisioningState"),
    }
)
CONTAINER = {"AzureFile": "fileShareName", "AzureDataLakeGen2": "filesystem"}
"""What newer versions call the container, by type."""


@dataclasses.dataclass(frozen=True)
class InContents:
    """Type, place and credentials stand in an object of their own."""

    since: str = OLDEST
    until: str = "2021-09-30"

    def read(self, given: Json) -> Json:
        """The contents beside the rest. Raises ArmError 400 if they are no object."""
        contents = said(given, "contents")
        if contents is None:
            return given
        if not isinstance(contents, dict):
            raise ArmError("ValidationError", "contents is not an object.", target="contents")
        rest = {name: value for name, value in given.items() if name.lower() != "contents"}
        kind = str(said(contents, "contentsType") or "")
        return {**rest, **{_ours(name, kind): _ours_in(value) for name, value in contents.items()}}

    def write(self, properties: Json) -> Json:
        """The rest, and the contents."""
        kind = str(properties["datastoreType"])
        contents = {
            _theirs(name, kind): _theirs_in(value)
            for name, value in properties.items()
            if name not in OUTSIDE
        }
        rest = {name: value for name, value in properties.items() if name in OUTSIDE}
        return {**rest, "contents": contents}


def _ours(name: str, kind: str) -> str:
    if name.lower() == "contentstype":
        return "datastoreType"
    if name.lower() == "containername":
        named = {known.lower(): container for known, container in CONTAINER.items()}
        return named.get(kind.lower(), "containerName")
    return name


def _theirs(name: str, kind: str) -> str:
    if name == "datastoreType":
        return "contentsType"
    return "containerName" if name == CONTAINER.get(kind) else name


def _ours_in(credentials: Any) -> Any:
    """The older name of resourceUrl is resourceUri."""
    if not isinstance(credentials, dict):
        return credentials
    return {
        "resourceUrl" if name.lower() == "resourceuri" else name: value
        for name, value in credentials.items()
    }


def _theirs_in(credentials: Any) -> Any:
    if not isinstance(credentials, dict):
        return credentials
    return {
        "resourceUri" if name == "resourceUrl" else name: value
        for name, value in credentials.items()
    }


DATASTORE_WIRE = Wire(
    (
        InContents(),
        Unknown(("serviceDataAccessAuthIdentity",), until="2021-09-30"),
        Unknown(("hasBeenValidated", "linkedInfo"), since="2021-10-01"),
        ReadOnly(("isDefault",), since="2021-10-01"),
        Unknown(("subscriptionId", "resourceGroup"), until="2022-09-30"),
        Unknown(("intellectualProperty",), until="2023-03-31"),
    )
)
