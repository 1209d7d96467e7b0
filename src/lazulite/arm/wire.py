"""What api-versions of a kind differ in: a table of rows, read and written the same way.

The internal form is that of the newest stable version. A row holds for a range of versions and
says how their properties differ from it; a version that no row names has the internal form.
Versions are compared by date: a preview counts as its day. Source: spec/REST.md 5 and 7.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from lazulite.arm.faults import faulty
from lazulite.arm.names import canonical
from lazulite.store.resources import Json

OLDEST, NEWEST = "0000-00-00", "9999-99-99"
Form = TypeVar("Form", bound=BaseModel)


class Row(Protocol):
    """One difference. since, until: the first and the last day of the versions that have it."""

    @property
    def since(self) -> str:
        """The first day."""

    @property
    def until(self) -> str:
        """The last day."""

    def read(self, given: Json) -> Json:
        """From what callers send to the internal form. Raises ArmError 400."""

    def write(self, properties: Json) -> Json:
        """From the internal form to what callers read."""


@dataclasses.dataclass(frozen=True)
class Wire:
    """The rows of a kind. Reading applies them in order, writing in reverse."""

    rows: tuple[Row, ...] = ()

    def read(self, given: Json, version: str) -> Json:
        """The properties of a request in their internal form. Raises ArmError 400."""
        for row in self._of(version):
            given = row.read(given)
        return given

    def write(self, properties: Json, version: str) -> Json:
        """The properties as a version shows them."""
        for row in reversed(self._of(version)):
            properties = row.write(properties)
        return properties

    def kept(self, stored: Json, given: Json, version: str) -> Json:
        """What a PUT in a version leaves as it is stored, of what it gives in internal form.

        That is what the version cannot say, and what is given back as the version shows it: a
        form that says less than the internal one must not lose the rest on the way.
        """
        shown = self.read(self.write(stored, version), version)
        return {
            name: value
            for name, value in stored.items()
            if (name in shown) == (name in given) and shown.get(name) == given.get(name)
        }

    def hidden(self, stored: Json, version: str) -> Json:
        """What is stored inside objects and cannot be said in a version: a PUT in it keeps it."""
        kept: Json = {}
        for row in self._of(version):
            if isinstance(row, Within):
                kept = overlaid(kept, row.hidden(stored))
        return kept

    def _of(self, version: str) -> list[Row]:
        return [row for row in self.rows if row.since <= version[:10] <= row.until]


@dataclasses.dataclass(frozen=True)
class Unknown:
    """Properties that these versions do not know: neither read nor shown."""

    names: tuple[str, ...]
    since: str = OLDEST
    until: str = NEWEST

    def read(self, given: Json) -> Json:
        """Without them, in any case of letters."""
        folded = {name.casefold() for name in self.names}
        return {name: value for name, value in given.items() if name.casefold() not in folded}

    def write(self, properties: Json) -> Json:
        """Without them."""
        if properties.keys().isdisjoint(self.names):
            return properties
        return {name: value for name, value in properties.items() if name not in self.names}

    def hidden(self, properties: Json) -> Json:
        """Only them."""
        return {name: value for name, value in properties.items() if name in self.names}


@dataclasses.dataclass(frozen=True)
class ReadOnly(Unknown):
    """Properties that these versions show and do not read."""

    def write(self, properties: Json) -> Json:
        """As they are."""
        return properties


@dataclasses.dataclass(frozen=True)
class Within:
    """A difference inside a property that is an object."""

    name: str
    row: Unknown

    @property
    def since(self) -> str:
        """The first day of the versions that have the difference."""
        return self.row.since

    @property
    def until(self) -> str:
        """The last one."""
        return self.row.until

    def read(self, given: Json) -> Json:
        """The object's internal form; whatever is no object passes."""
        return {
            key: self.row.read(value) if self._is_it(key, value) else value
            for key, value in given.items()
        }

    def write(self, properties: Json) -> Json:
        """The object as these versions show it."""
        return {
            key: self.row.write(value) if self._is_it(key, value) else value
            for key, value in properties.items()
        }

    def hidden(self, properties: Json) -> Json:
        """What the object has that these versions cannot say."""
        inner = properties.get(self.name)
        kept = self.row.hidden(inner) if isinstance(inner, dict) else {}
        return {self.name: kept} if kept else {}

    def _is_it(self, key: str, value: Any) -> bool:
        return key.casefold() == self.name.casefold() and isinstance(value, dict)


@dataclasses.dataclass(frozen=True)
class Renamed:
    """A property that these versions call otherwise; both names are read."""

    name: str
    called: str
    since: str = OLDEST
    until: str = NEWEST

    def read(self, given: Json) -> Json:
        """Under its internal name."""
        theirs = self.called.casefold()
        return {self.name if key.casefold() == theirs else key: given[key] for key in given}

    def write(self, properties: Json) -> Json:
        """Under their name."""
        return {self.called if key == self.name else key: properties[key] for key in properties}


@dataclasses.dataclass(frozen=True)
class Respelled:
    """Values that these versions spell otherwise: {internal: theirs}; other values pass."""

    name: str
    spellings: Mapping[str, str]
    since: str = OLDEST
    until: str = NEWEST

    def read(self, given: Json) -> Json:
        """In the internal spelling, whatever the case of letters."""
        ours = {theirs.casefold(): internal for internal, theirs in self.spellings.items()}
        return {key: self._meant(key, value, ours) for key, value in given.items()}

    def write(self, properties: Json) -> Json:
        """In their spelling."""
        value = properties.get(self.name)
        if not isinstance(value, str) or value not in self.spellings:
            return properties
        return {**properties, self.name: self.spellings[value]}

    def _meant(self, key: str, value: Any, ours: Mapping[str, str]) -> Any:
        if key.casefold() != self.name.casefold() or not isinstance(value, str):
            return value
        return ours.get(value.casefold(), value)


@dataclasses.dataclass(frozen=True)
class Reshaped(Generic[Form]):
    """Properties that these versions arrange otherwise.

    form declares their names and types, all optional; read makes internal properties of it, of
    which None counts as not given; write makes theirs of all internal properties.
    """

    form: type[Form]
    to_internal: Callable[[Form], Json]
    to_theirs: Callable[[Json], Json]
    since: str = OLDEST
    until: str = NEWEST

    def read(self, given: Json) -> Json:
        """The internal arrangement; what the form does not name passes. Raises ArmError 400."""
        spelled = canonical(self.form, given)
        names = {field.alias or name for name, field in self.form.model_fields.items()}
        theirs = {name: value for name, value in spelled.items() if name in names}
        if not theirs:
            return given
        try:
            parsed = self.form.model_validate(theirs)
        except ValidationError as error:
            raise faulty(error) from error
        ours = {
            name: value for name, value in self.to_internal(parsed).items() if value is not None
        }
        rest = {name: value for name, value in spelled.items() if name not in names}
        return {**rest, **ours}

    def write(self, properties: Json) -> Json:
        """Their arrangement."""
        return self.to_theirs(properties)


def overlaid(below: Json, above: Json) -> Json:
    """Both, at all levels of objects; where they differ, what is above."""
    both = {
        key: overlaid(below[key], value)
        for key, value in above.items()
        if isinstance(value, dict) and isinstance(below.get(key), dict)
    }
    return {**below, **above, **both}
