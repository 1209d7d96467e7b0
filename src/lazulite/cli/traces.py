"""What --debug and --verbose say: requests and where they go, and nothing that opens a door."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

import lazulite
from lazulite.cli.connection import Connection

logger = logging.getLogger("cli.lazulite")
_FLAGS = ("--debug", "--verbose", "--only-show-errors")
_SHOWN = frozenset({"api-version", "comp", "restype", "$top", "offset"})
"""What is shown of the query of a URL: the rest may be a signature."""
_SECRETS = (
    *("--password", "--body", "--headers", "--account-key", "--sas-token"),
    *("--connection-string", "--key-id", "--action"),
)
_SHORT_SECRETS = ("p", "b")
_HIDDEN = "***"
_NAMED = re.compile(r"(?P<name>[^=]+)=.")


def flags_last(words: Sequence[str]) -> list[str]:
    """The words with global flags that stand before the command behind it."""
    count = next((at for at, word in enumerate(words) if word not in _FLAGS), len(words))
    return [*words[count:], *words[:count]]


def hide_secrets() -> None:
    """Have knack's own lines tell no secret, and nothing of its events. May be repeated."""
    knacks = logging.getLogger("cli.knack.cli")
    if _quiet not in knacks.filters:
        knacks.addFilter(_quiet)


def _quiet(record: logging.LogRecord) -> bool:
    text = str(record.msg)
    if text.startswith("Command arguments") and isinstance(record.args, tuple):
        given: Sequence[str] = record.args[0] if isinstance(record.args[0], list) else []
        record.args = (" ".join(redacted(given)),)
    return not text.startswith("Event:")


def redacted(words: Sequence[str]) -> Iterator[str]:
    """The words of a command line without values that may be secret."""
    is_secret = False
    for word in words:
        if is_secret and not _is_option(word):
            yield _HIDDEN
            continue  # there may be several
        is_secret = _opens_secret(word)
        yield _plain(word)


def _is_option(word: str) -> bool:
    return word.startswith("-") and not word[1:2].isdigit()


def _opens_secret(word: str) -> bool:
    """Whether what follows is secret. Long options may be cut short, short ones be joined."""
    if word.startswith("--"):
        return len(word) > 2 and any(secret.startswith(word) for secret in _SECRETS)
    return _is_option(word) and word.endswith(_SHORT_SECRETS)


def _plain(word: str) -> str:
    named = _NAMED.match(word)
    if "://" in (named["name"] if named else word):
        return shown_url(word)
    if _is_option(word) and not word.startswith("--") and len(word) > 2:
        return word[:2] + _HIDDEN  # with its value, or joined with one that has
    return f"{named['name']}={_HIDDEN}" if named else word


def shown_url(url: str) -> str:
    """A URL without what may be a signature."""
    parts = urlsplit(url)
    query = urlencode([pair for pair in parse_qsl(parts.query) if pair[0] in _SHOWN], safe="$")
    return url.partition("?")[0] + (f"?{query}" if query else "")


def tell_where(connection: Connection) -> None:
    """Which server, which workspace, as whom; with --debug the versions as well."""
    python = ".".join(map(str, sys.version_info[:3]))
    logger.debug("lazulite %s on Python %s", lazulite.__version__, python)
    logger.info("%s as client %s", connection.url, connection.client_id)
    logger.info("%s", connection.workspace_id)
