"""Reading a container of another storage account. Source: Blob service REST API, List Blobs."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from urllib.parse import quote, unquote, urlencode

from lazulite.fetch.download import Head, check_status, head
from lazulite.fetch.errors import not_reachable
from lazulite.fetch.session import Session

VERSION = {"x-ms-version": "2021-08-06"}
PAGE = 32 << 20  # bytes of one page of a list


@dataclasses.dataclass(frozen=True)
class Entry:
    """A blob of a list."""

    name: str
    size: int
    etag: str


@dataclasses.dataclass(frozen=True)
class Container:
    """url: without a slash at the end; signature: a SAS, "" if the container is public."""

    url: str
    signature: str = dataclasses.field(default="", repr=False)

    def address(self, name: str) -> str:
        """The URL of a blob, signed."""
        url = f"{self.url}/{quote(name)}"
        return f"{url}?{self.signature}" if self.signature else url

    def head(self, session: Session, name: str) -> Head | None:
        """What is said of a blob; None if there is none. Raises FetchError."""
        return head(session, self.address(name), VERSION)

    def list(self, session: Session, prefix: str) -> Iterator[Entry]:
        """The blobs whose names start with the prefix, in their order. Raises FetchError."""
        marker = ""
        while True:
            page = self._page(session, prefix, marker)
            for blob in page.iter("Blob"):
                yield _entry(blob)
            marker = page.findtext("NextMarker") or ""
            if not marker:
                return

    def _page(self, session: Session, prefix: str, marker: str) -> ET.Element:
        asked = {"restype": "container", "comp": "list", "prefix": prefix, "marker": marker}
        query = urlencode({name: value for name, value in asked.items() if value}, quote_via=quote)
        url = "&".join(part for part in (f"{self.url}?{query}", self.signature) if part)
        with session.get(url, VERSION) as answer:
            check_status(answer, 200)
            body = answer.read(PAGE)
        if b"<!DOCTYPE" in body:
            raise not_reachable(self.url, "its list declares a document type")
        try:
            return ET.fromstring(body)  # noqa: S314 - bounded, and without a document type
        except ET.ParseError as error:
            raise not_reachable(self.url, f"its list is no XML ({error})") from error


def _entry(blob: ET.Element) -> Entry:
    name = blob.find("Name")
    text = "" if name is None else name.text or ""
    if name is not None and name.get("Encoded", "").lower() == "true":
        text = unquote(text)
    size = blob.findtext("Properties/Content-Length") or "0"
    etag = (blob.findtext("Properties/Etag") or "").strip('"')
    return Entry(text, int(size) if size.isdecimal() else 0, etag)
