"""What a failing disk means: full is the caller's to wait out, an I/O error ends all writing."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from lazulite.blobs.errors import DISK_FULL, BlobError


class Faults:
    """Watches writes. After a failed fsync the state of the disk is unknown: nothing is retried."""

    def __init__(self) -> None:
        self.broken: OSError | None = None
        """The error that ended writing; the process should report it and exit."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Around a write. Raises BlobError: 507 on a full disk, 500 once the disk has failed."""
        if self.broken is not None:
            message = f"The disk failed ({self.broken}); writing is off until a restart."
            raise BlobError("InternalError", message)
        try:
            yield
        except OSError as error:
            if error.errno in DISK_FULL:
                raise BlobError("InsufficientStorage") from error
            if error.errno == errno.EIO:
                self.broken = error
            raise
