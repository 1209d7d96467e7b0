"""What may stand in a YAML file: the fields of each kind, and the check of a document against them.

A shape is a mapping of field names to shapes, a tuple of alternatives, a frozenset of words, or
one of the names below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lazulite.cli.documents import Document, Key
from lazulite.cli.spelling import nearest

TEXT: Final = "text"
INTEGER: Final = "a whole number"
NUMBER: Final = "a number"
FLAG: Final = "true or false"
TEXTS: Final = "a mapping of names to texts"
NUMBERS: Final = "a mapping of names to whole numbers"
ANYTHING: Final = "anything"

Shape = str | frozenset[str] | tuple[Any, ...] | Mapping[str, Any]


def checked(document: Document, shape: Mapping[str, Shape]) -> Document:
    """The document with its values in their proper types. Raises CommandError at the first fault.

    Numbers in quotes are numbers, numbers where a text is due are texts, and words of a choice
    may be in any case.
    """
    return document.changed(_mapping(document, (), document.values, shape))


def _value(document: Document, key: Key, value: Any, shape: Shape) -> Any:
    if value is None or shape == ANYTHING:
        return value
    if isinstance(shape, tuple):
        return _alternative(document, key, value, shape)
    if isinstance(shape, frozenset):
        return _word(document, key, value, shape)
    if isinstance(shape, str):
        return _plain(document, key, value, shape)
    return _mapping(document, key, value, shape)


def _alternative(document: Document, key: Key, value: Any, shapes: tuple[Any, ...]) -> Any:
    for shape in shapes:
        if shape == ANYTHING or isinstance(shape, Mapping) == isinstance(value, Mapping):
            return _value(document, key, value, shape)
    raise document.error(key, f"{value!r} is a {type(value).__name__}, which is not allowed here")


def _word(document: Document, key: Key, value: Any, words: frozenset[str]) -> str:
    plain = str(value).lower().replace("-", "_")
    for word in words:
        if plain.replace("_", "") == word.replace("_", "").lower():
            return word
    allowed = ", ".join(sorted(words))
    raise document.error(key, f"{value!r} is not one of {allowed}{nearest(plain, words)}")


def _mapping(document: Document, key: Key, value: Any, shape: Mapping[str, Shape]) -> Any:
    if not isinstance(value, Mapping):
        raise document.error(key, f"{value!r} must be a mapping with {', '.join(sorted(shape))}")
    for name in value:
        if name not in shape:
            raise document.error(
                (*key, name),
                f"there is no such field{nearest(name, shape)} Known here:"
                f" {', '.join(sorted(shape))}.",
            )
    return {name: _value(document, (*key, name), item, shape[name]) for name, item in value.items()}


def _plain(document: Document, key: Key, value: Any, shape: str) -> Any:
    if shape in {TEXTS, NUMBERS}:
        return _names(document, key, value, TEXT if shape == TEXTS else INTEGER)
    try:
        return _CONVERSIONS[shape](value)
    except (TypeError, ValueError):
        raise document.error(key, f"{value!r} must be {shape}") from None


def _names(document: Document, key: Key, value: Any, shape: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise document.error(key, f"{value!r} must be a mapping, a `name: value` line each")
    return {str(name): _plain(document, (*key, name), item, shape) for name, item in value.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise TypeError
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    number = float(value)
    return int(number) if number.is_integer() else number


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "false"}:
        return str(value).lower() == "true"
    raise TypeError


_CONVERSIONS: Final = {TEXT: _text, INTEGER: _integer, NUMBER: _number, FLAG: _flag}
