"""Pieces of HAProxy's configuration language: quoting, sockets, answers in Azure's error shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from lazulite.serving.routing import require_socket

_HOST = re.compile(r"(\*\.)?[a-z0-9_.:\[\]-]+")


def refusal(status: int, code: str, message: str, header: str = "") -> str:
    """A rule that answers in Azure's error shape; `%[...]` in code and message is evaluated."""
    hdr = f" hdr {header}" if header else ""
    return (
        f"  http-request return status {status} content-type application/json"
        f" lf-string {_error_body(code, message)}{hdr}"
    )


def error_page(
    replaced: int, code: str, message: str, *, retry_after: int = 0, status: str = ""
) -> list[str]:
    """What HAProxy answers instead of its own error page; `status` is the one that goes out."""
    headers = f" hdr retry-after {retry_after}" if retry_after else ""
    headers += f" hdr x-lazulite-status {quoted(status)}" if status else ""
    return [
        f"  http-error status {replaced} content-type application/json"
        f" lf-string {_error_body(code, message)}{headers}"
    ]


def _error_body(code: str, message: str) -> str:
    return quoted(json.dumps({"error": {"code": code, "message": message, "details": []}}))


def socket_address(path: Path, prefix: str = "") -> str:
    """The path as an address; raises ValueError for one that HAProxy would misread."""
    require_socket(str(path))
    return f"{prefix}{path}"


def host_lists(hosts: Iterable[str]) -> tuple[str, str]:
    """The texts of two lists: names, and the ends of names (`*.name`); `*` itself is in neither.

    Raises ValueError for what is no host name.
    """
    names = [
        f"[{h}]" if ":" in h else h.lower() for h in (h.strip("[]") for h in hosts) if h != "*"
    ]
    for name in names:
        if not _HOST.fullmatch(name):
            raise ValueError(f"host {name[:200]!r}: it must be a name, an address, *.name or *")
    return (
        text_of(name for name in names if not name.startswith("*")),
        text_of(name[1:] for name in names if name.startswith("*")),
    )


def quoted(word: str) -> str:
    """The word for HAProxy's parser, which joins quoted pieces as a shell does."""
    if any(ord(character) < 32 for character in word):
        raise ValueError(f"{word[:200]!r}: control characters cannot go into the configuration")
    return "'" + word.replace("'", "'\\''") + "'"


def literal(text: str) -> str:
    """The text for a format string, in which `%...` would be evaluated."""
    return text.replace("%", "%%")


def text_of(lines: Iterable[str]) -> str:
    """The text of a map or list file."""
    return "".join(f"{line}\n" for line in lines)
