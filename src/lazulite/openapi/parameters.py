"""Parameters and headers that many operations have. Source: spec/REST.md 2.1, 2.4, 2.6 and 2.7."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lazulite.arm.listing import Listing
from lazulite.openapi.operations import PLACE, Json, place, query, shared

TOP: Json = {"type": "integer", "minimum": 1, "maximum": 1000}
TEXT: Json = {"type": "string"}
LIST = (
    query("$top", TOP, "How many on the page."),
    query("count", TOP, "The same."),
    query("$skip", TEXT, "Where to go on: from the nextLink of the page before."),
    query("$orderBy", TEXT, "By what; descending if it ends in desc."),
    query("orderByAsc", {"type": "boolean"}, "The other way round, if it is false."),
    query("listViewType", TEXT, "ActiveOnly, ArchivedOnly or All, where things are archived."),
)
SPELLED = {
    name.lower(): name for name in ("computeType", "isDefault", "jobType", "$tags", "searchText")
}


def filters(listing: Listing) -> Iterator[Json]:
    """What else the lists of a kind can be asked."""
    for name in sorted(listing.filters):
        yield query(SPELLED.get(name, name), TEXT, "Only these.")


LASTING = ("Azure-AsyncOperation", "Location", "Retry-After", "x-ms-async-operation-timeout")
_HEADERS = {
    "ETag": "What it is now, for If-Match.",
    "Azure-AsyncOperation": "Where the operation is watched.",
    "Location": "Where the result will be.",
    "Retry-After": "Seconds to wait before the next question.",
    "x-ms-async-operation-timeout": "How long it may take, in ISO 8601.",
    "x-ms-request-id": "The request in the server's log.",
}


API_VERSION = shared("api-version")


def components(version: str, paths: Iterable[str]) -> Json:
    """components/parameters: the version that the document is of, and all names in paths."""
    said = query("api-version", {"enum": [version]}, "The api-version.", required=True)
    names = sorted({name for path in paths for name in PLACE.findall(path)})
    return {"api-version": said, **{name: place(name) for name in names}}


def headers() -> Json:
    """components/headers."""
    text = {"type": "string"}
    return {name: {"description": told, "schema": text} for name, told in _HEADERS.items()}


def _condition(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": schema}


IF_MATCH = _condition("If-Match", "Only if this is its ETag.", {"type": "string"})
IF_NONE_MATCH = _condition("If-None-Match", "Only if it is not there yet.", {"enum": ["*"]})
