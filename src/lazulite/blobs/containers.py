"""Containers of one account, with metadata beside them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping

from lazulite.blobs.back_end import BackEnd
from lazulite.blobs.blocks import Blocks
from lazulite.blobs.errors import BlobError
from lazulite.blobs.faults import Faults
from lazulite.blobs.names import container_parts
from lazulite.blobs.rows import BlobRows
from lazulite.blobs.staging import Staging
from lazulite.blobs.values import PRIVATE, Access, Container
from lazulite.core.clock import Clock


@dataclasses.dataclass(frozen=True)
class Places:
    """Where things lie, shared by everything that works on one store."""

    back_end: BackEnd
    staging: Staging
    blocks: Blocks
    rows: BlobRows
    faults: Faults
    clock: Clock


class Containers:
    """Creates, finds and deletes containers. What other hands made beside it is one as well."""

    def __init__(self, places: Places) -> None:
        """places: those of the store."""
        self._at = places
        self._leaving: set[tuple[str, str]] = set()

    @contextlib.contextmanager
    def leaving(self, account: str, container: str) -> Iterator[None]:
        """Keep the name taken until all of a deleted container is gone.

        Raises BlobError 409 while it is so already.
        """
        parts = self._free(account, container)
        self._leaving.add(parts)
        try:
            yield
        finally:
            self._leaving.remove(parts)

    def _free(self, account: str, container: str) -> tuple[str, str]:
        """Source: Delete Container, learn.microsoft.com: the name is taken for a while."""
        parts = container_parts(account, container)
        if parts in self._leaving:
            raise BlobError("ContainerBeingDeleted")
        return parts

    async def create(
        self,
        account: str,
        container: str,
        metadata: Mapping[str, str] | None = None,
        access: Access = PRIVATE,
    ) -> Container:
        """Durable on return. Raises BlobError 409 if it exists or is being deleted."""
        parts = self._free(account, container)
        with self._at.faults.watched():
            if not await asyncio.to_thread(self._at.back_end.containers.make, parts):
                raise BlobError("ContainerAlreadyExists")
            made = Container(account, container, self._at.clock(), metadata or {}, access)
            await self._at.rows.put_container(made)
        return await self.get(account, container)

    async def ensure(self, account: str, container: str) -> None:
        """Create it unless it exists. Raises BlobError 409 while one is being deleted."""
        parts = self._free(account, container)
        with self._at.faults.watched():
            await asyncio.to_thread(self._at.back_end.containers.make, parts)

    async def get(self, account: str, container: str) -> Container:
        """Raises BlobError 404."""
        parts = container_parts(account, container)
        modified = await asyncio.to_thread(self._at.back_end.containers.modified, parts)
        if modified is None:
            raise BlobError("ContainerNotFound")
        row = await self._at.rows.container(account, container)
        return Container(account, container, *(row or (modified, {}, PRIVATE)))

    async def update(
        self,
        account: str,
        container: str,
        change: Callable[[Container], Container],
    ) -> Container:
        """Change metadata or access; the container gets a new ETag. Raises BlobError 404.

        change: may raise BlobError, and then nothing is written.
        """
        changed = change(await self.get(account, container))
        with self._at.faults.watched():
            await self._at.rows.put_container(
                dataclasses.replace(changed, modified=self._at.clock())
            )
        return await self.get(account, container)

    async def access(self, account: str, container: str) -> Access:
        """Who may do what there; a container that is not there is private."""
        row = await self._at.rows.container(account, container)
        return row[2] if row is not None else PRIVATE

    async def delete(self, account: str, container: str) -> None:
        """With all its blobs, in one step: no half of it is ever seen. Raises BlobError 404."""
        parts = container_parts(account, container)
        await self.get(account, container)
        with self._at.faults.watched():
            await asyncio.to_thread(self._remove, parts)
            await self._at.rows.forget_container(account, container)

    async def all(self, account: str) -> list[Container]:
        """The containers of an account, by name."""
        names = await asyncio.to_thread(self._at.back_end.containers.names, account)
        return [await self.get(account, name) for name in names]

    def _remove(self, parts: tuple[str, str]) -> None:
        self._at.back_end.containers.remove(parts)
        self._at.blocks.discard_container(*parts)
