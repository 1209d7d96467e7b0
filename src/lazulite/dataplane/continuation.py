"""Pages of the services: a token that names the last item shown, so writes do not shift a page."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar
from urllib.parse import urlencode

from lazulite.core.errors import ArmError
from lazulite.dataplane.requests import Asked

T = TypeVar("T")
LARGEST_PAGE = 1000


@dataclasses.dataclass(frozen=True)
class Page(Generic[T]):
    """Some items; token: for the next page, None on the last one."""

    items: list[T]
    token: str | None


def page(
    items: Iterable[T],
    key: Callable[[T], str],
    *,
    token: str | None = None,
    size: str | None = None,
    descending: bool = False,
) -> Page[T]:
    """One page in the order of the keys, which must differ. Raises ArmError for bad arguments."""
    most, after = _size(size), decode(token) if token else None
    ordered = sorted(items, key=key, reverse=descending)
    if after is not None:
        ordered = [one for one in ordered if (key(one) < after if descending else key(one) > after)]
    shown = ordered[:most]
    return Page(shown, encode(key(shown[-1])) if len(ordered) > most else None)


def next_link(asked: Asked, name: str, token: str | None) -> str | None:
    """The caller's URL with the token as the query parameter of that name."""
    if token is None:
        return None
    kept = {key: value for key, value in asked.query.items() if key != name.lower()}
    return f"{asked.url}?{urlencode({**kept, name: token})}"


def encode(key: str) -> str:
    """A token for the page behind the key."""
    return base64.urlsafe_b64encode(key.encode()).decode()


def decode(token: str) -> str:
    """The key in a token. Raises ArmError 400."""
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        message = f"{token!r} is no continuation token of this list: take it from the last answer."
        raise ArmError("InvalidContinuationToken", message) from error


def _size(text: str | None) -> int:
    if not text:
        return LARGEST_PAGE
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise ArmError("BadArgument", f"{text!r} is no number of items: 1 to {LARGEST_PAGE}.")
    return min(int(text), LARGEST_PAGE)
