"""Which page of a list a query asks for, and the link to the next one. Source: spec/REST.md 2.6."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode

from lazulite.arm.listing import LARGEST_PAGE, Listing
from lazulite.core.errors import ArmError
from lazulite.store.pages import OLDEST_FIRST, Condition, Order, Place
from lazulite.store.resources import Resource, Resources

COLUMNS = {
    **dict.fromkeys(("createdtime", "createdat", "creationtime", "createddate"), "created_at"),
    **dict.fromkeys(("modifiedtime", "modifiedat", "updatedtime", "updatedat"), "modified_at"),
    **dict.fromkeys(("lastmodifiedtime", "lastmodifiedat"), "modified_at"),
    "name": "name",
    "version": "number",
}
ORDER = re.compile(r"([a-z]+?)\s*(asc|desc)?", re.IGNORECASE)
OWN = {"$skip", "offset"}
"""What the link to the next page does not keep: the continuation says it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """One page of a list."""

    order: Order
    after: Place | None
    size: int
    offset: int

    @classmethod
    def of(cls, query: Mapping[str, str], listing: Listing) -> Asked:
        """Read the query, whose names are in lower case. Raises ArmError 400."""
        order, token = _order(query), query.get("$skip")
        size = _count(query, "$top", _count(query, "count", listing.size))
        if size == 0:
            raise ArmError("BadArgument", f"A page has 1 to {LARGEST_PAGE} items, not 0.")
        return cls(
            order=order,
            after=_place(token, order) if token else None,
            size=min(size, LARGEST_PAGE),
            offset=0 if token else _count(query, "offset", 0),
        )

    async def read(
        self,
        resources: Resources,
        conditions: Sequence[Condition],
        may_see: Callable[[Resource], bool],
    ) -> tuple[list[Resource], str | None]:
        """The page, of what the caller may see, and its continuation; None on the last page."""
        seen: list[Resource] = []
        after, offset = self.after, self.offset
        while len(seen) <= self.size:
            most = self.size + 1
            rows = await resources.page(
                conditions, self.order, after=after, most=most, offset=offset
            )
            seen += [row for row in rows if may_see(row)]
            if len(rows) < most:
                break
            after, offset = _place_of(rows[-1], self.order), 0
        shown = seen[: self.size]
        return shown, _token(shown[-1], self.order) if len(seen) > self.size else None


def next_link(url: str, query: Sequence[tuple[str, str]], token: str) -> str:
    """The caller's URL, absolute, with the same query as it was spelled and the continuation."""
    kept = [(name, value) for name, value in query if name.lower() not in OWN]
    return f"{url}?{urlencode([*kept, ('$skip', token)])}"


def _order(query: Mapping[str, str]) -> Order:
    """Of "createdtime desc", "CreatedAtDesc", or a name beside orderByAsc; others are ignored."""
    text = query.get("$orderby") or query.get("orderby") or ""
    found = ORDER.fullmatch(text.strip()[:64])
    column = COLUMNS.get(found[1].lower()) if found else None
    if found is None or column is None:
        return OLDEST_FIRST
    falling = query.get("orderbyasc", "true").lower() == "false"
    return Order(column, descending=found[2].lower() == "desc" if found[2] else falling)


def _count(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not re.fullmatch("[0-9]{1,9}", text):
        message = f"{name} is {text!r}: it must be a whole number."
        raise ArmError("BadArgument", message, target=name)
    return int(text)


def _place_of(row: Resource, order: Order) -> Place:
    values: dict[str, datetime | str | int] = {
        "created_at": row.created_at,
        "modified_at": row.modified_at,
        "name": row.name.casefold(),
        "number": order.number_of(row.name),
    }
    return Place(values[order.column], row.key)


def _token(row: Resource, order: Order) -> str:
    place = _place_of(row, order)
    value = place.value.isoformat() if isinstance(place.value, datetime) else place.value
    return base64.urlsafe_b64encode(f"{value}|{place.key}".encode()).decode()


def _place(token: str, order: Order) -> Place:
    try:
        text, key = base64.b64decode(token, b"-_", validate=True).decode().split("|", 1)
        return Place(_value(text, order), key)
    except (binascii.Error, ValueError, OverflowError) as error:
        message = f"{token!r} is no continuation of this list: follow nextLink as it is."
        raise ArmError("BadArgument", message, target="$skip") from error


def _value(text: str, order: Order) -> datetime | str | int:
    if order.column == "name":
        return text
    if order.column == "number":
        return max(min(int(text[:20]), 10**18), -1)
    moment = datetime.fromisoformat(text)
    if moment.utcoffset():
        raise ValueError("moments are in UTC")
    return moment
