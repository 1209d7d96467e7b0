"""Blobs of a datastore: put, list, get, with the datastore's own secrets.

Source: spec/CLIENTS.md 4 for the addresses, 4.1 and 4.2 for the protocol.
"""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import IO
from urllib.parse import quote, unquote, urlencode

from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.http import Answer, Http, Request
from lazulite.cli.shared_key import signed
from lazulite.cli.workspace import Workspace

_PROTOCOL_VERSION = "2021-08-06"


@dataclasses.dataclass(frozen=True)
class Container:
    """The container of a datastore. Exactly one of sas and key is set."""

    http: Http
    url: str
    sas: str = dataclasses.field(default="", repr=False)
    key: str = dataclasses.field(default="", repr=False)

    def put(self, name: str, file: Path) -> None:
        """Upload a file; a blob of that name that is there already is left as it is."""
        answer = self._send(
            "PUT", name, {"x-ms-blob-type": "BlockBlob", "If-None-Match": "*"}, file
        )
        if answer.status not in {201, 409, 412}:
            raise _failure(answer, f"Upload of {file} to {name}")

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Names and sizes of all blobs whose name starts with the prefix, in order of name."""
        marker = ""
        while True:
            query = {"restype": "container", "comp": "list", "prefix": prefix, "marker": marker}
            answer = self._send("GET", "", query=query)
            if not answer.is_success:
                raise _failure(answer, f"Listing {prefix}")
            page = ET.fromstring(answer.body)  # noqa: S314 - from the server we trust with secrets
            for blob in page.iter("Blob"):
                yield blob.findtext("Name", ""), int(blob.findtext("*/Content-Length") or 0)
            marker = page.findtext("NextMarker") or ""
            if not marker:
                return

    def get(self, name: str, into: IO[bytes]) -> None:
        """Write the blob's bytes. Raises CommandError, exit code 3, if there is none."""
        answer = self._send("GET", name, into=into)
        if not answer.is_success:
            raise _failure(answer, f"Download of {name}")

    def _send(
        self,
        method: str,
        name: str,
        headers: Mapping[str, str] | None = None,
        body: Path | None = None,
        *,
        query: Mapping[str, str] | None = None,
        into: IO[bytes] | None = None,
    ) -> Answer:
        asked = "&".join(part for part in (urlencode(query or {}), self.sas) if part)
        url = f"{self.url}/{quote(name)}" if name else self.url
        sent = {
            "x-ms-version": _PROTOCOL_VERSION,
            "x-ms-date": format_datetime(datetime.now(UTC), usegmt=True),
            **(headers or {}),
        }
        request = Request(method=method, url=f"{url}?{asked}", headers=sent, body=body)
        return self.http.send(signed(request, self.key) if self.key else request, into)


def open_container(workspace: Workspace, datastore: str) -> Container:
    """The container of a datastore of the workspace, with the right to read and write it."""
    properties = workspace.get(f"datastores/{datastore}")["properties"]
    if properties.get("datastoreType") != "AzureBlob":
        raise CommandError(
            "UnsupportedDatastore",
            f"The datastore {datastore} is of type {properties.get('datastoreType')}; files can"
            " be moved to and from AzureBlob ones only. Use workspaceblobstore.",
        )
    secrets = workspace.post(
        f"datastores/{datastore}/listSecrets", {"expirableSecret": True, "expireAfterHours": 1}
    )
    address = "{protocol}://{accountName}.blob.{endpoint}/{containerName}".format_map(
        {"protocol": "https", **properties}
    )
    sas = str(secrets.get("sasToken") or "").lstrip("?")
    key = "" if sas else str(secrets.get("key") or "")
    return Container(workspace.http, address, sas=sas, key=key)


def _failure(answer: Answer, doing: str) -> CommandError:
    code = answer.headers.get("x-ms-error-code") or str(answer.status)
    said = unquote(answer.body.decode(errors="replace"))[:500]
    exit_code = NOT_FOUND if answer.status == 404 else 1
    return CommandError(code, f"{doing} was answered {answer.status}: {said}", exit_code=exit_code)
