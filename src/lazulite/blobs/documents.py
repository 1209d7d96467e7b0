"""XML of the Blob service: what clients read and the one document that they send."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from html import escape
from operator import itemgetter
from urllib.parse import quote
from xml.parsers import expat

from lazulite.blobs.assembly import Pick
from lazulite.blobs.blocks import ID_BYTES
from lazulite.blobs.details import APPEND_BLOB, Details
from lazulite.blobs.errors import BlobError
from lazulite.blobs.listing import Query
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.values import Blob, Block, BlockList, Container, Page

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
PICKS = frozenset(pick.value for pick in Pick)


@dataclasses.dataclass(frozen=True)
class Show:
    """What a listing tells. include: as asked; lease: the headers of a lease."""

    include: frozenset[str]
    lease: Callable[[BlobAddress], Mapping[str, str]]


def error_document(code: str, message: str, request_id: str, now: datetime) -> str:
    """The body of a failed request."""
    text = f"{message}\nRequestId:{request_id}\nTime:{now.isoformat()}"
    return f"{DECLARATION}<Error>{element('Code', code)}{element('Message', text)}</Error>"


def blobs_document(container: str, query: Query, page: Page, show: Show) -> str:
    """The body of List Blobs."""
    entries = [_blob_element(blob, show) for blob in page.blobs]
    texts = list(zip([blob.address.name for blob in page.blobs], entries, strict=True))
    texts += [(prefix, _prefix_element(prefix)) for prefix in page.prefixes]
    texts.sort(key=itemgetter(0))  # snapshots stand before their blob, as they came
    return (
        f"{DECLARATION}<EnumerationResults ContainerName={_attribute(container)}>"
        f"{element('Prefix', query.prefix)}{element('Marker', query.marker)}"
        f"{element('MaxResults', str(query.limit))}{element('Delimiter', query.delimiter)}"
        f"<Blobs>{''.join(text for _, text in texts)}</Blobs>"
        f"{element('NextMarker', page.marker or '')}</EnumerationResults>"
    )


def containers_document(found: Iterable[Container], query: Query, marker: str, show: Show) -> str:
    """The body of List Containers. marker: of the next page; "" on the last one."""
    entries = "".join(_container_element(one, show) for one in found)
    return (
        f"{DECLARATION}<EnumerationResults>{element('Prefix', query.prefix)}"
        f"{element('Marker', query.marker)}{element('MaxResults', str(query.limit))}"
        f"<Containers>{entries}</Containers>{element('NextMarker', marker)}</EnumerationResults>"
    )


def blocks_document(blocks: BlockList, kind: str) -> str:
    """The body of Get Block List. kind: committed, uncommitted or all."""
    parts = {"committed": ["Committed"], "uncommitted": ["Uncommitted"]}.get(
        kind, ["Committed", "Uncommitted"]
    )
    lists = {"Committed": blocks.committed, "Uncommitted": blocks.uncommitted}
    body = "".join(f"<{part}Blocks>{_blocks(lists[part])}</{part}Blocks>" for part in parts)
    return f"{DECLARATION}<BlockList>{body}</BlockList>"


def parse_block_list(body: bytes) -> list[tuple[Pick, bytes]]:
    """The body of Put Block List. Raises BlobError; document types are refused."""
    reader = _BlockListReader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise BlobError("InvalidXmlDocument", f"The block list is not XML: {error}.") from error
    return reader.picks


def parse_block_id(text: str) -> bytes:
    """A block id out of its base64. Raises BlobError."""
    try:
        name = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        name = b""
    if not 0 < len(name) <= ID_BYTES:
        message = f"Block id {text!r} is not base64 of 1 to {ID_BYTES} bytes."
        raise BlobError("InvalidBlockId", message)
    return name


def element(name: str, text: str) -> str:
    """One element with text; characters that XML does not have are replaced."""
    return f"<{name}>{escape(NOT_IN_XML.sub(chr(0xFFFD), text), quote=False)}</{name}>"


def http_date(moment: datetime) -> str:
    """As in the headers Date and Last-Modified."""
    return format_datetime(moment, usegmt=True)


def metadata_element(metadata: Mapping[str, str]) -> str:
    """The names are valid element names: they were checked when they were set."""
    return f"<Metadata>{''.join(element(*pair) for pair in metadata.items())}</Metadata>"


def tags_element(tags: Mapping[str, str]) -> str:
    """As Azure writes tags."""
    pairs = "".join(
        f"<Tag>{element('Key', key)}{element('Value', value)}</Tag>" for key, value in tags.items()
    )
    return f"<Tags><TagSet>{pairs}</TagSet></Tags>"


class _BlockListReader:
    """Collects the picks of one document; raises BlobError on what does not belong there."""

    def __init__(self) -> None:
        self.picks: list[tuple[Pick, bytes]] = []
        self._open: list[str] = []
        self._text: list[str] = []

    def start(self, name: str, _attributes: Mapping[str, str]) -> None:
        depth = len(self._open)
        if (depth == 0 and name != "BlockList") or (depth == 1 and name not in PICKS) or depth > 1:
            raise BlobError("InvalidXmlDocument", f"The block list has an element {name!r}.")
        self._open.append(name)
        self._text = []

    def end(self, name: str) -> None:
        self._open.pop()
        if self._open:
            self.picks.append((Pick(name), parse_block_id("".join(self._text))))

    def text(self, data: str) -> None:
        self._text.append(data)

    def refuse(self, *_: object) -> None:
        raise BlobError("InvalidXmlDocument", "A document type is not allowed in a block list.")


def _blob_element(blob: Blob, show: Show) -> str:
    said, details = blob.properties, blob.properties.details
    md5 = base64.b64encode(said.md5).decode() if said.md5 else ""
    properties = (
        f"{element('Creation-Time', http_date(blob.created))}"
        f"{element('Last-Modified', http_date(blob.stamp.modified))}"
        f"{element('Etag', blob.stamp.etag.strip(chr(34)))}"
        f"{element('Content-Length', str(blob.size))}"
        f"{element('Content-Type', said.content_type)}"
        f"{element('Content-Encoding', said.content_encoding)}"
        f"{element('Content-Language', said.content_language)}"
        f"<Content-CRC64/>{element('Content-MD5', md5)}"
        f"{element('Cache-Control', said.cache_control)}"
        f"{element('Content-Disposition', said.content_disposition)}"
        f"{element('BlobType', details.kind)}{_tier_elements(details)}"
        f"{'' if blob.snapshot else _lease_elements(show.lease(blob.address))}"
        f"{_copy_elements(details) if 'copy' in show.include else ''}"
        f"{element('TagCount', str(len(details.tags))) if details.tags else ''}"
        "<ServerEncrypted>false</ServerEncrypted>"
    )
    snapshot = element("Snapshot", blob.snapshot) if blob.snapshot else ""
    extra = metadata_element(said.metadata) if "metadata" in show.include else ""
    tags = tags_element(details.tags) if "tags" in show.include and details.tags else ""
    return (
        f"<Blob>{_name(blob.address.name)}{snapshot}<Properties>{properties}</Properties>"
        f"{extra}{tags}<OrMetadata/></Blob>"
    )


def _tier_elements(said: Details) -> str:
    if said.kind == APPEND_BLOB:
        return element("Sealed", "true") if said.sealed else ""
    if said.tier:
        return element("AccessTier", said.tier) + element("AccessTierChangeTime", said.tier_changed)
    return "<AccessTier>Hot</AccessTier><AccessTierInferred>true</AccessTierInferred>"


def _lease_elements(headers: Mapping[str, str]) -> str:
    names = {"status": "LeaseStatus", "state": "LeaseState", "duration": "LeaseDuration"}
    said = {name.rpartition("-")[2]: value for name, value in headers.items()}
    return "".join(element(names[key], said[key]) for key in names if key in said)


def _copy_elements(said: Details) -> str:
    if said.copied is None:
        return ""
    return (
        f"{element('CopyId', said.copied.id)}{element('CopySource', said.copied.source)}"
        f"<CopyStatus>success</CopyStatus>"
        f"{element('CopyProgress', f'{said.copied.size}/{said.copied.size}')}"
        f"{element('CopyCompletionTime', said.copied.completed)}"
    )


def _prefix_element(prefix: str) -> str:
    return f"<BlobPrefix>{_name(prefix)}</BlobPrefix>"


def _name(name: str) -> str:
    """Azure's way with characters that XML does not have. Source: List Blobs, 2021-02-12."""
    if NOT_IN_XML.search(name):
        return f'<Name Encoded="true">{quote(name)}</Name>'
    return element("Name", name)


def _container_element(container: Container, show: Show) -> str:
    extra = metadata_element(container.metadata) if "metadata" in show.include else ""
    lease = show.lease(BlobAddress(container.account, container.name, ""))
    public = container.access.public
    return (
        f"<Container>{element('Name', container.name)}<Properties>"
        f"{element('Last-Modified', http_date(container.modified))}"
        f"{element('Etag', container.etag)}{_lease_elements(lease)}"
        f"{element('PublicAccess', public) if public else ''}"
        "<HasImmutabilityPolicy>false</HasImmutabilityPolicy>"
        f"<HasLegalHold>false</HasLegalHold></Properties>{extra}</Container>"
    )


def _blocks(blocks: Sequence[Block]) -> str:
    return "".join(
        f"<Block>{element('Name', base64.b64encode(block.id).decode())}"
        f"{element('Size', str(block.size))}</Block>"
        for block in blocks
    )


def _attribute(text: str) -> str:
    return f'"{escape(text)}"'
