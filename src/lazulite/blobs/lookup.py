"""Where a blob lies, and what is there at the moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from lazulite.blobs.back_end import BackEnd, Parts
from lazulite.blobs.errors import BlobError, UnstorableNameError
from lazulite.blobs.names import BlobAddress, container_parts, segments_of
from lazulite.blobs.values import Stamp


class Lookup:
    """From addresses to files."""

    def __init__(self, backend: BackEnd) -> None:
        """backend: that of the store."""
        self._at = backend

    def parts(self, address: BlobAddress) -> Parts:
        """The path below the root, for a blob that is to be written."""
        container = container_parts(address.account, address.container)
        parts = (*container, *segments_of(address.name))
        self._at.blobs.check(parts)
        return parts

    def parts_to_read(self, address: BlobAddress) -> Parts:
        """The same for one that must exist: what cannot be stored is not found."""
        try:
            return self.parts(address)
        except UnstorableNameError as error:
            raise self.missing(address) from error

    async def stamp(self, parts: Parts) -> Stamp | None:
        """The version that is there; None for no blob."""
        return await asyncio.to_thread(self._at.blobs.stamp, parts)

    def missing(self, address: BlobAddress) -> BlobError:
        """The error for a blob that is not there: BlobNotFound or ContainerNotFound."""
        self.check_container(address)
        return BlobError("BlobNotFound", f"There is no blob {address.name!r}.")

    def check_container(self, address: BlobAddress) -> None:
        """Raises BlobError 404 unless the container is there."""
        if not self._at.containers.has(container_parts(address.account, address.container)):
            raise BlobError("ContainerNotFound")

    @contextmanager
    def gone_is_missing(self, address: BlobAddress) -> Iterator[None]:
        """Around a change of a file that a job may just have deleted."""
        try:
            yield
        except FileNotFoundError as error:
            raise self.missing(address) from error
