"""Paths that lead through no link: between their check and their use, others may make links."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_FLAGS = os.O_NOFOLLOW | getattr(os, "O_PATH", 0)


def opened_without_links(path: str) -> int | None:
    """A descriptor that only names the file or folder, whatever becomes of its path; the caller's.

    None if nothing is there. Raises OSError if the path, which is absolute, leads through a link.
    """
    found = os.open("/", _FLAGS)
    for part in Path(path).parts[1:]:
        above = found
        try:
            found = os.open(part, _FLAGS, dir_fd=above)
        except (FileNotFoundError, NotADirectoryError):
            return None
        finally:
            os.close(above)
        if stat.S_ISLNK(os.fstat(found).st_mode):
            os.close(found)
            raise led_through_link(path)
    return found


def refuse_links(path: str) -> None:
    """Raises OSError if the path leads through a link."""
    if os.path.realpath(path) != os.path.normpath(path):
        raise led_through_link(path)


def led_through_link(path: str) -> OSError:
    """The error for such a path."""
    return OSError(
        errno.ELOOP,
        "A link has been made on the way to it since it was found: submit it anew",
        path,
    )
