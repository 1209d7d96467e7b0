"""The `$filter` of Graph's lists, as far as `az ad` uses it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lazulite.graph.errors import bad

_EQUALS = re.compile(r"(appId|displayName|id)\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE)
_STARTS = re.compile(r"startswith\(\s*(displayName)\s*,\s*'((?:[^']|'')*)'\s*\)", re.IGNORECASE)
_NAMES = re.compile(
    r"servicePrincipalNames/any\(\s*(\w+)\s*:\s*\1\s+eq\s+'((?:[^']|'')*)'\s*\)", re.IGNORECASE
)
_FIELDS = {"appid": "appId", "displayname": "displayName", "id": "id"}


def chosen_by(text: str) -> Callable[[dict[str, Any]], bool]:
    """Whether an object's JSON is asked for; an empty filter chooses all. Raises ArmError 400."""
    if not text.strip():
        return lambda _: True
    if match := _EQUALS.fullmatch(text.strip()):
        field, wanted = _FIELDS[match[1].lower()], _value(match[2])
        return lambda item: str(item[field]).casefold() == wanted
    if match := _STARTS.fullmatch(text.strip()):
        start = _value(match[2])
        return lambda item: str(item["displayName"]).casefold().startswith(start)
    if match := _NAMES.fullmatch(text.strip()):
        name = _value(match[2])
        return lambda item: name in item.get("servicePrincipalNames", ())
    message = (
        f"Unsupported filter {text!r}: use appId, displayName or id with eq and a text in quotes, "
        "startswith(displayName,'...') or servicePrincipalNames/any(c:c eq '...')."
    )
    raise bad(message)


def _value(quoted: str) -> str:
    return quoted.replace("''", "'").casefold()
