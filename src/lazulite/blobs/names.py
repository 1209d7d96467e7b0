"""Names of accounts, containers and blobs, and which file a blob is.

The mapping is the identity: the blob `a/b.csv` is the file `<account>/<container>/a/b.csv`, so that
jobs read and write blobs in place; names that no file can have lie aside (aside.py). Refused, and
never rewritten, are "." and ".." as a segment, NUL and backslash, which have no honest use.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re

from lazulite.blobs.errors import BlobError, UnstorableNameError

ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
CONTAINER = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")
CONTAINER_LENGTH = range(3, 64)
NAME_CHARACTERS = 1024
NAME_SEGMENTS = 254


@dataclasses.dataclass(frozen=True, order=True)
class BlobAddress:
    """Where a blob is. Not validated: BlobStore does that."""

    account: str
    container: str
    name: str

    @functools.cached_property
    def key(self) -> str:
        """A fixed-length stand-in for the three names."""
        return hashlib.sha256(f"{self.account}/{self.container}/{self.name}".encode()).hexdigest()


def container_parts(account: str, container: str) -> tuple[str, str]:
    """The folder of a container below the root. Raises BlobError on names that Azure forbids."""
    if not ACCOUNT.fullmatch(account):
        message = f"Account {account!r} must be 3 to 24 lower case letters and digits."
        raise BlobError("InvalidResourceName", message)
    if len(container) not in CONTAINER_LENGTH or not CONTAINER.fullmatch(container):
        message = (
            f"Container {container!r} must be 3 to 63 lower case letters, digits and single "
            "hyphens, and begin and end with a letter or digit."
        )
        raise BlobError("InvalidResourceName", message)
    return account, container


def segments_of(name: str) -> tuple[str, ...]:
    """The path of a blob inside its container.

    Raises BlobError for a name that is never acceptable, and its subclass UnstorableNameError for
    one that only is too long.
    """
    segments = tuple(name.split("/"))
    if "\0" in name or "\\" in name or {".", ".."} & set(segments):
        message = f"Blob name {name!r}: no NUL, no backslash, and no '.' or '..' as a segment."
        raise BlobError("InvalidResourceName", message)
    if not 0 < len(name) <= NAME_CHARACTERS or len(segments) > NAME_SEGMENTS:
        message = (
            f"The blob name has {len(name)} characters in {len(segments)} segments; "
            f"{NAME_CHARACTERS} in {NAME_SEGMENTS} are allowed."
        )
        raise UnstorableNameError(message)
    if not is_unicode(name):
        raise BlobError("InvalidResourceName", f"Blob name {name!r} is not valid Unicode.")
    return segments


def is_unicode(name: str) -> bool:
    """Whether it can be written in UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
