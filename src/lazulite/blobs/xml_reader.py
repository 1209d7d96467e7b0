"""Reading the XML that clients send, as a tree; document types and entities are refused."""

from __future__ import annotations

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from lazulite.blobs.errors import BlobError


def read_xml(body: bytes, root: str) -> Element:
    """The root element. Raises BlobError for what is no XML, or has another root."""
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(body, True)
        tree = builder.close()
    except (expat.ExpatError, AssertionError) as error:
        raise BlobError("InvalidXmlDocument", f"The body is not XML: {error}.") from error
    if tree.tag != root:
        raise BlobError("InvalidXmlDocument", f"The body has the root {tree.tag!r}, not {root!r}.")
    return tree


def text_of(parent: Element, name: str) -> str:
    """The text of a child; "" if it is not there."""
    return (parent.findtext(name) or "").strip()


def _refuse(*_: object) -> None:
    raise BlobError("InvalidXmlDocument", "A document type is not allowed.")
