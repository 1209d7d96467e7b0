"""The expressions of templates, such as "[concat(parameters('name'), '-x')]".

A part of Azure's language; whatever else is written is refused by name.
Source: learn.microsoft.com, "Syntax and expressions in ARM templates".
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from lazulite.arm.template_limits import Effort, wrong
from lazulite.store.resources import Json

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>\w+)|(?P<sign>.))")
_LONGEST = 24_576
"""Characters of an expression. Source: the limits of templates."""
Node = Callable[["Values"], Any]


@dataclasses.dataclass(frozen=True)
class Values:
    """What expressions refer to; names are in lower case."""

    parameters: Mapping[str, Any]
    variables: Mapping[str, Any]
    subscription: Json
    group: Json
    effort: Effort = dataclasses.field(default_factory=Effort)
    known: dict[str, Any] = dataclasses.field(default_factory=dict)
    """What variables have come to."""


def evaluate(value: Any, values: Values) -> Any:
    """The value with every expression in it worked out. Raises ArmError 400."""
    if isinstance(value, Mapping):
        return {key: evaluate(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [evaluate(item, values) for item in value]
    if not isinstance(value, str) or not value.startswith("[") or not value.endswith("]"):
        return value
    if value.startswith("[["):
        return value[1:]
    try:
        return _worked_out(value, values)
    except RecursionError:
        raise wrong(f"the expression {value[:200]!r} refers to itself, or is too deep") from None
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise wrong(f"the expression {value[:200]!r} cannot be worked out ({error})") from error


def _worked_out(text: str, values: Values) -> Any:
    parser = _Parser(text)
    values.effort.spend_tokens(parser.tokens_left)
    found = parser.whole()(values)
    values.effort.spend(found)
    return found


class _Parser:
    """Turns a text into what works it out."""

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise wrong(f"an expression is longer than {_LONGEST} characters")
        self._text = text
        self._tokens = [
            (str(found.lastgroup), str(found[found.lastgroup]))
            for found in _TOKEN.finditer(text[1:-1].rstrip())
            if found.lastgroup
        ][::-1]
        """The next one is the last."""

    @property
    def tokens_left(self) -> int:
        return len(self._tokens)

    def whole(self) -> Node:
        node = self._node()
        if self._tokens:
            raise wrong(f"{self._tokens[-1][1]!r} is not expected in {self._text[:200]!r}")
        return node

    def _node(self) -> Node:
        kind, token = self._next()
        if kind == "text":
            return _constant(token[1:-1].replace("''", "'"))
        if kind == "number":
            return _constant(int(token))
        if kind != "name":
            raise wrong(f"{token!r} is not expected in {self._text[:200]!r}")
        self._expect("(")
        return self._members(_call(token, self._arguments()))

    def _arguments(self) -> list[Node]:
        found: list[Node] = []
        while not self._skip(")"):
            if found:
                self._expect(",")
            found.append(self._node())
        return found

    def _members(self, node: Node) -> Node:
        while True:
            if self._skip("."):
                node = _member(node, _constant(self._next()[1]))
            elif self._skip("["):
                node = _member(node, self._node())
                self._expect("]")
            else:
                return node

    def _next(self) -> tuple[str, str]:
        if not self._tokens:
            raise wrong(f"the expression {self._text[:200]!r} ends early")
        return self._tokens.pop()

    def _skip(self, sign: str) -> bool:
        is_there = self._tokens[-1:] == [("sign", sign)]
        if is_there:
            self._tokens.pop()
        return is_there

    def _expect(self, sign: str) -> None:
        if not self._skip(sign):
            raise wrong(f"{sign!r} is missing in {self._text[:200]!r}")


def _constant(value: Any) -> Node:
    return lambda values: value


def _member(node: Node, key: Node) -> Node:
    def found(values: Values) -> Any:
        whole, name = node(values), _given(values, [key])[0]
        if not isinstance(whole, Mapping):
            return whole[name]
        values.effort.spend(list(whole))
        folded = {str(each).casefold(): item for each, item in whole.items()}
        return folded[str(name).casefold()]

    return found


def _call(name: str, arguments: list[Node]) -> Node:
    lazy = _LAZY.get(name.lower())
    if lazy is not None:
        return lambda values: lazy(values, arguments)
    function = _FUNCTIONS.get(name.lower())
    if function is None:
        known = ", ".join(sorted([*_LAZY, *_FUNCTIONS]))
        raise wrong(f"the function {name!r} is not known here; known are {known}")

    def found(values: Values) -> Any:
        value = function(*_given(values, arguments))
        values.effort.spend(value)
        return value

    return found


def _given(values: Values, arguments: list[Node]) -> list[Any]:
    """What the arguments come to, counted before anything is made of them."""
    given = []
    for argument in arguments:
        given.append(argument(values))
        values.effort.spend(given[-1])
    return given


def _if(values: Values, arguments: list[Node]) -> Any:
    asked, then, otherwise = arguments
    return then(values) if asked(values) else otherwise(values)


def _parameter(values: Values, arguments: list[Node]) -> Any:
    (name,) = _given(values, arguments)
    if str(name).lower() not in values.parameters:
        raise wrong(f"the parameter {name!r} is not declared")
    return values.parameters[str(name).lower()]


def _variable(values: Values, arguments: list[Node]) -> Any:
    (name,) = _given(values, arguments)
    key = str(name).lower()
    if key not in values.variables:
        raise wrong(f"the variable {name!r} is not declared")
    if key not in values.known:
        values.known[key] = evaluate(values.variables[key], values)
    return values.known[key]


def _resource_id(values: Values, arguments: list[Node]) -> str:
    given = [str(argument) for argument in _given(values, arguments)]
    at = next((index for index, one in enumerate(given) if "/" in one), None)
    if at is None:
        raise wrong(f"resourceId needs a type, such as 'Microsoft.Storage/x', not {given}")
    before = given[:at]
    subscription = before[-2] if len(before) > 1 else values.subscription["subscriptionId"]
    group = before[-1] if before else values.group["name"]
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}"
    return f"{scope}/providers/{path_of(given[at], given[at + 1 :])}"


def path_of(full_type: str, names: list[str]) -> str:
    """Below "providers/": the provider, then each type with its name."""
    provider, *types = full_type.split("/")
    if len(types) != len(names):
        raise wrong(f"the type {full_type!r} needs {len(types)} names, not {names}")
    pairs = (f"{each}/{name}" for each, name in zip(types, names, strict=True))
    return "/".join([provider, *pairs])


def _concat(*parts: Any) -> Any:
    if parts and isinstance(parts[0], list):
        return [item for part in parts for item in part]
    return "".join(str(part) for part in parts)


def _unique(*parts: Any) -> str:
    digest = hashlib.sha256("-".join(map(str, parts)).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:13]


_LAZY: dict[str, Callable[[Values, list[Node]], Any]] = {
    "if": _if,
    "and": lambda values, arguments: all(argument(values) for argument in arguments),
    "or": lambda values, arguments: any(argument(values) for argument in arguments),
    "parameters": _parameter,
    "variables": _variable,
    "resourceid": _resource_id,
    "subscription": lambda values, arguments: values.subscription,
    "resourcegroup": lambda values, arguments: values.group,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "not": lambda value: not value,
    "equals": lambda one, other: one == other,
    "empty": lambda value: value is None or len(value) == 0,
    "concat": _concat,
    "tolower": lambda text: str(text).lower(),
    "toupper": lambda text: str(text).upper(),
    "string": lambda value: value if isinstance(value, str) else json.dumps(value),
    "int": int,
    "length": len,
    "json": json.loads,
    "array": lambda value: value if isinstance(value, list) else [value],
    "createarray": lambda *items: list(items),
    "uniquestring": _unique,
    "guid": lambda *parts: str(uuid.uuid5(uuid.NAMESPACE_OID, "-".join(map(str, parts)))),
    "newguid": lambda: str(uuid.uuid4()),
}
