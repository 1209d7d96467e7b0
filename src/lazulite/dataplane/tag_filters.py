"""Filters such as "key1,key2=value" over tags and properties. Source: spec/REST.md 2.6."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def has_tags(tags: Mapping[str, Any], wanted: str | None) -> bool:
    """Whether every key that is wanted is there, with its value if one is given."""
    return all(_has(tags, one) for one in (wanted or "").split(",") if one.strip())


def _has(tags: Mapping[str, Any], one: str) -> bool:
    key, equals, value = one.strip().partition("=")
    return key in tags and (not equals or tags[key] == value)
