"""Paths that lead through no link: between their check and their use, others may make links."""

from __future__ import annotations

import contextlib
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


def opener_without_links(path: str, flags: int) -> int:
    """An opener for open(): of a plain file whose absolute path leads through no link.

    What is to be created gets its folders too. Raises OSError for a path that leads through a link,
    and for what is no plain file: a pipe that nobody else opens would be waited for.
    """
    *above, name = Path(path).parts[1:]
    folder = os.open("/", _FLAGS)
    try:
        for part in above:
            outer, folder = folder, _folder(part, folder, path, create=bool(flags & os.O_CREAT))
            os.close(outer)
        found = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666, dir_fd=folder)
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise OSError(errno.EINVAL, "It is no plain file", path)
    os.set_blocking(found, True)
    return found


def _folder(name: str, above: int, path: str, *, create: bool) -> int:
    """The folder in another one, made if need be."""
    flags = _FLAGS | os.O_DIRECTORY
    try:
        try:
            return os.open(name, flags, dir_fd=above)
        except FileNotFoundError:
            if not create:
                raise
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=above)
        return os.open(name, flags, dir_fd=above)
    except NotADirectoryError as error:  # what a link is to O_DIRECTORY
        raise led_through_link(path) from error


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
