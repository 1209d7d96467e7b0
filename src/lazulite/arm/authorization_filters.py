"""The `$filter` of lists of role assignments and definitions. Unknown terms are refused.

Source: Azure's REST reference, Role Assignments - List For Scope, Role Definitions - List.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lazulite.core.errors import ArmError
from lazulite.core.ids import fold
from lazulite.identity.roles import Role, RoleAssignment, reaches

_TERM = re.compile(r"(?P<name>\w+)\s*(?:\(\s*(?P<inner>'[^']*')?\s*\)|\s+eq\s+(?P<equal>'[^']*'))")


def assignment_filter(text: str, scope: str) -> Callable[[RoleAssignment], bool]:
    """Which assignments around the scope the caller asks for. Raises ArmError 400.

    atScope(): not those below the scope. principalId eq '<id>', assignedTo('<id>'): one
    principal's (there are no groups that would tell the two apart).
    """
    terms = _terms(text)
    for name, value in terms:
        if (name, value is None) not in {
            ("atscope", True),
            ("principalid", False),
            ("assignedto", False),
        }:
            raise _unknown(text, "atScope(), principalId eq '<id>' and assignedTo('<id>')")

    def chosen(each: RoleAssignment) -> bool:
        return all(
            reaches(each.scope, scope) if value is None else fold(each.object_id) == fold(value)
            for _, value in terms
        )

    return chosen


def definition_filter(text: str) -> Callable[[Role], bool]:
    """Which roles the caller asks for. Raises ArmError 400."""
    name = kind = None
    for term, value in _terms(text):
        if term == "rolename" and value is not None:
            name = fold(value)
        elif term == "type" and value is not None:
            kind = fold(value)
        elif term != "atscopeandbelow":
            raise _unknown(text, "roleName eq '<name>', type eq '<type>' and atScopeAndBelow()")

    def chosen(role: Role) -> bool:
        shown = "customrole" if role.is_custom else "builtinrole"
        return name in {None, fold(role.name)} and kind in {None, shown}

    return chosen


def _terms(text: str) -> list[tuple[str, str | None]]:
    """The terms that `and` joins: a folded name, and the text in quotes if there is one."""
    if not text.strip():
        return []
    found = []
    for part in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE):
        match = _TERM.fullmatch(part.strip())
        if match is None:
            raise _unknown(text, "terms such as atScope() or principalId eq '<id>', joined by and")
        value = match["inner"] or match["equal"]
        found.append((match["name"].lower(), value[1:-1] if value else None))
    return found


def _unknown(text: str, known: str) -> ArmError:
    message = f"The filter {text!r} is not supported. Supported are {known}."
    return ArmError("BadArgument", message, target="$filter")
