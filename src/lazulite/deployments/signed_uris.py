"""Signatures in URIs are credentials: who may read a job must not get them."""

from __future__ import annotations

import re
from typing import Any

_SIGNATURE = re.compile(r"\?[^\s\"'#]*\bsig=[^\s\"'#]*", re.IGNORECASE)


def unsigned(value: Any) -> Any:
    """The same JSON with every text's signed query left out; other queries stay."""
    if isinstance(value, str):
        return _SIGNATURE.sub("", value)
    if isinstance(value, dict):
        return {name: unsigned(item) for name, item in value.items()}
    if isinstance(value, list):
        return [unsigned(item) for item in value]
    return value
