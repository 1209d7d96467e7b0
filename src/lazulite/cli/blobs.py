"""Blobs of a datastore: put, list, get, with the datastore's own secrets.

Source: spec/CLIENTS.md 4 for the addresses, 4.1 and 4.2 for the protocol.
"""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote, unquote, urlencode

from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.http import Answer, Http, Request, Sink
from lazulite.cli.remedies import clock
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

    def put(self, name: str, file: Path, *, count: Callable[[int], None]) -> None:
        """Upload a file; a blob of that name that is there already is left as it is.

        count: called with the number of bytes that went.
        """
        headers = {"x-ms-blob-type": "BlockBlob", "If-None-Match": "*"}
        answer = self.http.send(self._request("PUT", name, headers, file, count=count))
        if answer.status not in {201, 409, 412}:
            raise _failure(answer, f"Upload of {file} to {name}")

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Names and sizes of all blobs whose name starts with the prefix, in order of name."""
        marker = ""
        while True:
            query = {"restype": "container", "comp": "list", "prefix": prefix, "marker": marker}
            answer = self.http.send(self._request("GET", "", query=query))
            if not answer.is_success:
                raise _failure(answer, f"Listing {prefix}")
            page = ET.fromstring(answer.body)  # noqa: S314 - from the server we trust with secrets
            for blob in page.iter("Blob"):
                yield blob.findtext("Name", ""), int(blob.findtext("*/Content-Length") or 0)
            marker = page.findtext("NextMarker") or ""
            if not marker:
                return

    def get(self, name: str, into: Sink) -> None:
        """Write the blob's bytes. Raises CommandError, exit code 3, if there is none."""
        answer = self.http.send(self._request("GET", name), into)
        if not answer.is_success:
            raise _failure(answer, f"Download of {name}")

    def _request(
        self,
        method: str,
        name: str,
        headers: Mapping[str, str] | None = None,
        body: Path | None = None,
        *,
        query: Mapping[str, str] | None = None,
        count: Callable[[int], None] = lambda size: None,
    ) -> Request:
        asked = "&".join(part for part in (urlencode(query or {}), self.sas) if part)
        url = f"{self.url}/{quote(name)}" if name else self.url
        sent = {
            "x-ms-version": _PROTOCOL_VERSION,
            "x-ms-date": format_datetime(datetime.now(UTC), usegmt=True),
            **(headers or {}),
        }
        whole = f"{url}?{asked}"
        request = Request(method=method, url=whole, headers=sent, body=body, count=count)
        return signed(request, self.key) if self.key else request


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
    told = f"{doing} was answered {answer.status}: {said}"
    if answer.status == 403:  # signatures are refused when clocks differ
        told += clock(answer.headers, datetime.now(UTC))
    return CommandError(code, told, exit_code=exit_code)
