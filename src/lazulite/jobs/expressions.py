"""${{inputs.x}} and ${{outputs.x}} in a command line, and $[[...]] around what may be left out.

Nothing else is an expression: a name is looked up, never evaluated. Source: spec/REST.md 5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lazulite.core.errors import SpecError

_EXPRESSION = re.compile(r"\$\{\{\s*(?P<where>inputs|outputs)\.(?P<name>[\w.-]+)\s*\}\}")
_ANY = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
_OPTIONAL = re.compile(r"\$\[\[(?P<text>.*?)\]\]", re.DOTALL)


def resolve(command: str, values: Mapping[str, Mapping[str, str | None]]) -> str:
    """The command with values in place of expressions, as they are: quoting is the command's.

    values: {"inputs": {...}, "outputs": {...}}; None for an optional input that was not given.
    Raises SpecError for a name that does not exist and for any other expression.
    """

    def optional(found: re.Match[str]) -> str:
        names = _EXPRESSION.finditer(found["text"])
        missing = any(values[name["where"]].get(name["name"]) is None for name in names)
        return "" if missing else found["text"]

    def value(found: re.Match[str]) -> str:
        known = _EXPRESSION.fullmatch(found[0])
        text = values[known["where"]].get(known["name"]) if known else None
        if text is None:
            raise _unknown(found[0], values)
        return text

    return _ANY.sub(value, _OPTIONAL.sub(optional, command))


def _unknown(expression: str, values: Mapping[str, Mapping[str, str | None]]) -> SpecError:
    names = [f"{where}.{name}" for where, named in values.items() for name in named]
    return SpecError(
        "UnresolvedExpression",
        f"{expression!r} in the command stands for nothing: the job has "
        f"{', '.join(names) or 'neither inputs nor outputs'}. Correct the name or declare it.",
        target="command",
    )
