"""What is sent to Graph, read and checked. Source: Graph's reference of v1.0."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request

from lazulite.arm.requests import json_body
from lazulite.graph.errors import bad

_LONGEST_NAME = 256  # characters
_DEFAULT_LIFE = timedelta(days=730)  # as Graph's addPassword
_LONGEST_LIFE = timedelta(days=365 * 100)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SecretAsked:
    """A secret to be made."""

    display_name: str
    starts_at: datetime
    ends_at: datetime


async def read_object(http: Request) -> dict[str, Any]:
    """The body's object with folded names; {} when there is none. Raises ArmError 400."""
    body = await json_body(http)
    if not isinstance(body, dict):
        raise bad("The request content is not a JSON object.")
    return {name.lower(): value for name, value in body.items()}


def display_name(body: dict[str, Any]) -> str:
    """The name for a new or changed application. Raises ArmError 400."""
    name = body.get("displayname")
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME:
        message = f"Property displayName is required: a text of 1 to {_LONGEST_NAME} characters."
        raise bad(message)
    if not name.isprintable():
        raise bad("Property displayName has characters that cannot be shown.")
    return name


def needed(body: dict[str, Any], name: str) -> str:
    """A text that the body must have. Raises ArmError 400."""
    value = body.get(name.lower())
    if not isinstance(value, str) or not value:
        raise bad(f"Property {name} is required, as a text.")
    return value


def read_secret(body: dict[str, Any], now: datetime) -> SecretAsked:
    """The secret that addPassword asks for: two years from now, unless it says otherwise.

    Raises ArmError 400.
    """
    asked = body.get("passwordcredential") or {}
    if not isinstance(asked, dict):
        raise bad("Property passwordCredential is not a JSON object.")
    given = {name.lower(): value for name, value in asked.items()}
    starts_at = _moment(given.get("startdatetime"), now)
    ends_at = _moment(given.get("enddatetime"), starts_at + _DEFAULT_LIFE)
    if not starts_at < ends_at <= now + _LONGEST_LIFE or ends_at <= now:
        raise bad("endDateTime must lie after startDateTime and now, at most 100 years ahead.")
    name = given.get("displayname") or ""
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:
        raise bad(f"Property displayName is a text of at most {_LONGEST_NAME} characters.")
    return SecretAsked(display_name=name, starts_at=starts_at, ends_at=ends_at)


def _moment(text: Any, default: datetime) -> datetime:
    if text is None:
        return default
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise bad(f"{text!r} is no time: write it as 2026-01-31T12:00:00Z.") from error
