"""Answers of the Blob service as az prints them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from lazulite.cli.http import Answer

_PLAIN = {
    "Etag": "etag",
    "BlobType": "blobType",
    "AccessTier": "blobTier",
    "PublicAccess": "publicAccess",
}
_SETTINGS = {
    "cacheControl": "Cache-Control",
    "contentDisposition": "Content-Disposition",
    "contentEncoding": "Content-Encoding",
    "contentLanguage": "Content-Language",
    "contentMd5": "Content-MD5",
    "contentType": "Content-Type",
}
_LEASE = {"duration": "LeaseDuration", "state": "LeaseState", "status": "LeaseStatus"}


def moment(text: str | None) -> str | None:
    """An HTTP date in ISO 8601."""
    return parsedate_to_datetime(text).astimezone(UTC).isoformat() if text else None


def page(answer: Answer) -> tuple[ET.Element, str]:
    """A page of a list, and the marker of the next one ("" if there is none)."""
    found = ET.fromstring(answer.body)  # noqa: S314 - from the server we trust with secrets
    return found, found.findtext("NextMarker") or ""


def blob_item(item: ET.Element, container: str) -> dict[str, Any]:
    """A blob of a list."""
    said = {each.tag: each.text or None for each in item.iterfind("Properties/*")}
    return _blob(item.findtext("Name", ""), container, said, _metadata(item))


def blob_headers(answer: Answer, name: str, container: str) -> dict[str, Any]:
    """A blob by the headers of its properties."""
    headers = answer.headers
    said: dict[str, str | None] = {
        title: headers.get(title.lower()) for title in _SETTINGS.values()
    }
    said |= {
        "Content-Length": headers.get("content-length"),
        "Creation-Time": headers.get("x-ms-creation-time"),
        "Last-Modified": headers.get("last-modified"),
        "Etag": headers.get("etag"),
        "BlobType": headers.get("x-ms-blob-type"),
        "AccessTier": headers.get("x-ms-access-tier"),
        "LeaseDuration": headers.get("x-ms-lease-duration"),
        "LeaseState": headers.get("x-ms-lease-state"),
        "LeaseStatus": headers.get("x-ms-lease-status"),
    }
    return _blob(name, container, said, metadata(answer))


def metadata(answer: Answer) -> dict[str, str]:
    """What a client said of a blob or container."""
    start = "x-ms-meta-"
    return {
        name.removeprefix(start): text
        for name, text in answer.headers.items()
        if name.startswith(start)
    }


def container_item(item: ET.Element) -> dict[str, Any]:
    """A container of a list."""
    said = {each.tag: each.text or None for each in item.iterfind("Properties/*")}
    return _container(item.findtext("Name", ""), said, _metadata(item))


def container_headers(answer: Answer, name: str) -> dict[str, Any]:
    """A container by the headers of its properties."""
    headers = answer.headers
    said = {
        "Last-Modified": headers.get("last-modified"),
        "Etag": headers.get("etag"),
        "PublicAccess": headers.get("x-ms-blob-public-access"),
    }
    return _container(name, said, metadata(answer))


def written(answer: Answer) -> dict[str, Any]:
    """What is told of a write."""
    headers = answer.headers
    return {
        "client_request_id": headers.get("x-ms-client-request-id"),
        "content_md5": headers.get("content-md5"),
        "date": moment(headers.get("date")),
        "etag": headers.get("etag"),
        "lastModified": moment(headers.get("last-modified")),
        "request_id": headers.get("x-ms-request-id"),
        "request_server_encrypted": headers.get("x-ms-request-server-encrypted") == "true",
        "version": headers.get("x-ms-version"),
        "version_id": headers.get("x-ms-version-id"),
    }


def _blob(
    name: str, container: str, said: Mapping[str, str | None], metadata: Mapping[str, str]
) -> dict[str, Any]:
    length = int(said.get("Content-Length") or 0)
    return {
        "container": container,
        "contentType": said.get("Content-Type"),
        "lastModified": moment(said.get("Last-Modified")),
        "metadata": dict(metadata),
        "name": name,
        "properties": {
            **{shown: said.get(title) for title, shown in _PLAIN.items() if title in said},
            "contentLength": length,
            "contentSettings": {shown: said.get(title) for shown, title in _SETTINGS.items()},
            "creationTime": moment(said.get("Creation-Time")),
            "lastModified": moment(said.get("Last-Modified")),
            "lease": {shown: said.get(title) for shown, title in _LEASE.items()},
        },
        "size": length,
        "snapshot": None,
    }


def _container(
    name: str, said: Mapping[str, str | None], metadata: Mapping[str, str]
) -> dict[str, Any]:
    changed = moment(said.get("Last-Modified"))
    return {
        "lastModified": changed,
        "metadata": dict(metadata),
        "name": name,
        "properties": {
            "etag": said.get("Etag"),
            "lastModified": changed,
            "publicAccess": said.get("PublicAccess"),
        },
    }


def _metadata(item: ET.Element) -> dict[str, str]:
    return {each.tag: each.text or "" for each in item.iterfind("Metadata/*")}
