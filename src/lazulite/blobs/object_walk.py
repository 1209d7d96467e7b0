"""Listing a container of an object store: its own order of names is the one that is wanted."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from lazulite.blobs.bindings import Bindings, Row, known_stamp, stamp_of
from lazulite.blobs.listing import Found, Query, is_walkable, lowest_name
from lazulite.blobs.names import NAME_CHARACTERS, BlobAddress
from lazulite.blobs.objects import CONTROL, FoundObject, Objects

LAST = "\U0010ffff"  # behind every name that goes on differently
PAGE = 1000  # objects; what clouds tell at a time


class ObjectWalk:
    """All blobs of a container from a name on, in order."""

    def __init__(
        self, objects: Objects, bindings: Bindings, container: tuple[str, str], query: Query
    ) -> None:
        """query: prefix and marker bound the walk."""
        self._objects, self._bindings, self._container = objects, bindings, container
        self._prefix, self._page = query.prefix, min(query.limit + 1, PAGE)
        self._low = lowest_name(query)
        self._top = query.prefix.rpartition("/")[0]
        self._left = ""

    def __iter__(self) -> Iterator[Found]:
        """Page by page; where one ends in what was left, the next begins behind that."""
        if not is_walkable(self._top) or CONTROL.search(self._prefix + self._low):
            return
        start = self._low.removesuffix("/")
        after: str | None = start if is_walkable(start) else ""
        if start and after == self._low:
            first = self._objects.head(self._key(start))
            yield from self._wanted([first] if first is not None else [])
        while after is not None:
            after = yield from self._behind(after)

    def leave(self, prefix: str) -> None:
        """Names that begin with the prefix are not wanted."""
        self._left = prefix

    def _behind(self, after: str) -> Generator[Found, None, str | None]:
        """Those behind a name; returns behind which other name to go on, or None at the end."""
        folder, offset = self._key(self._top), self._key(after) if after else ""
        for page in self._objects.listed(folder, offset, self._page):
            yield from self._wanted(page)
            last = self._name(page[-1])
            if last > self._prefix and not last.startswith(self._prefix):
                return None
            if self._left and last.startswith(self._left):
                return self._left + LAST
        return None

    def _wanted(self, page: Sequence[FoundObject]) -> Iterator[Found]:
        """The blobs among objects. A crash may have left some whose metadata must be asked for."""
        some = [one for one in page if self._is_in_range(self._name(one))]
        rows = self._bindings.of([self._address(one).key for one in some])
        for one in some:
            found = self._found(one, rows[self._address(one).key])
            if found is not None and not (self._left and found.name.startswith(self._left)):
                yield found

    def _found(self, one: FoundObject, rows: Sequence[Row]) -> Found | None:
        stamp = stamp_of(one, rows)
        is_mark = not one.size and not rows  # perhaps of a folder: then its key ends in a slash
        if stamp is None or is_mark:
            head = self._objects.head(one.name)
            stamp = known_stamp(head, rows) if head is not None else None
        return Found(self._name(one), stamp) if stamp is not None else None

    def _is_in_range(self, name: str) -> bool:
        is_sayable = "\\" not in name and len(name) <= NAME_CHARACTERS
        return is_sayable and name.startswith(self._prefix) and name >= self._low

    def _key(self, name: str) -> str:
        return "/".join((*self._container, name)) if name else "/".join(self._container)

    def _name(self, one: FoundObject) -> str:
        return one.name.split("/", 2)[2]

    def _address(self, one: FoundObject) -> BlobAddress:
        return BlobAddress(*self._container, self._name(one))
