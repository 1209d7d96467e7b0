"""Lists in pages. The continuation names the last item shown, so a page is stable under writes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from lazulite.core.errors import ArmError
from lazulite.store.resources import Resource

LARGEST_PAGE = 1000


def select(items: Sequence[Resource], query: Mapping[str, str]) -> list[Resource]:
    """Filter and order as the query says. Source: spec/REST.md 2.6."""
    view = query.get("listviewtype", "ActiveOnly").lower()
    chosen = [
        item for item in items if view == "all" or _archived(item) == (view == "archivedonly")
    ]
    order = query.get("$orderby", query.get("orderby", "")).lower()
    if order.endswith("desc"):
        chosen.reverse()
    return chosen


def page(
    items: Sequence[Resource], query: Mapping[str, str], url: str
) -> tuple[list[Resource], str | None]:
    """One page and the link to the next; None on the last. Raises ArmError for a bad $skip."""
    size = _size(query.get("$top") or query.get("count"))
    start = 0 if not (token := query.get("$skip")) else _after(items, token)
    shown = list(items[start : start + size])
    if start + size >= len(items) or query.get("$top"):
        return shown, None
    rest = {**query, "$skip": _token(shown[-1])}
    return shown, f"{url}?{urlencode(rest)}"


def _archived(item: Resource) -> bool:
    return bool(item.properties.get("isArchived"))


def _size(text: str | None) -> int:
    if text is None:
        return LARGEST_PAGE
    if not text.isdigit() or not 0 < int(text) <= LARGEST_PAGE:
        raise ArmError("BadArgument", f"{text!r} is no page size: 1 to {LARGEST_PAGE}.")
    return int(text)


def _token(item: Resource) -> str:
    return base64.urlsafe_b64encode(f"{item.created_at.isoformat()}|{item.key}".encode()).decode()


def _after(items: Sequence[Resource], token: str) -> int:
    """The position behind the item that a token names, though it may be gone by now."""
    try:
        moment, _, key = base64.urlsafe_b64decode(token).decode().partition("|")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ArmError("BadArgument", f"{token!r} is no continuation of this list.") from error
    places = [(item.created_at.isoformat(), item.key) for item in items]
    if (moment, key) in places:
        return places.index((moment, key)) + 1
    descending = places == sorted(places, reverse=True) and len(places) > 1
    passed = [place > (moment, key) if descending else place < (moment, key) for place in places]
    return sum(passed)
