"""Snapshots: read-only copies of blobs, in a private folder beside the blobs.

A copy is synced to its place before its row is written; a file without a row, which a crash left,
is removed at the next start.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from lazulite.blobs.errors import BlobError
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.snapshot_rows import SnapshotRows
from lazulite.blobs.staging import Piece, Staging
from lazulite.blobs.values import EPOCH, Blob
from lazulite.store.files import make_folder_durably, sync_directory


class Snapshots:
    """The snapshots of every blob. Callers hold the blob's lock for what writes."""

    def __init__(self, root: Path, staging: Staging, rows: SnapshotRows) -> None:
        """root: on the file system of the blobs; ours alone."""
        self._root, self._staging, self.rows = root, staging, rows

    async def clear(self) -> None:
        """Remove the files of snapshots that were never acknowledged. Before any other call."""
        known = await self.rows.names()
        await asyncio.to_thread(self._remove_unknown, known)

    async def take(self, blob: Blob, source: int, metadata: Mapping[str, str] | None) -> Blob:
        """Copy a blob. source: its descriptor; metadata: None for that of the blob."""
        taken = await asyncio.to_thread(self._copy, blob, source)
        if metadata:
            said = dataclasses.replace(taken.properties, metadata=dict(metadata))
            taken = dataclasses.replace(taken, properties=said)
        await self.rows.add(taken)
        return taken

    async def find(self, address: BlobAddress, snapshot: str) -> Blob:
        """Raises BlobError 404."""
        for blob in await self.of(address):
            if blob.snapshot == snapshot:
                return blob
        raise BlobError("BlobNotFound", f"{address.name!r} has no snapshot {snapshot!r}.")

    async def of(self, address: BlobAddress) -> Sequence[Blob]:
        """All of a blob, oldest first."""
        return (await self.rows.of([address])).get(address.key, [])

    def open(self, blob: Blob) -> int:
        """A descriptor for reading. Raises BlobError 404 when it was deleted just now."""
        try:
            return os.open(self._path(blob.address, blob.snapshot), os.O_RDONLY)
        except FileNotFoundError as error:
            raise BlobError("BlobNotFound") from error

    async def remove(self, address: BlobAddress, snapshot: str = "") -> None:
        """One, or all. Durable on return; nothing if there is none."""
        await self.rows.forget(address, snapshot)
        path = self._path(address, snapshot) if snapshot else self._folder(address)
        if snapshot:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        else:
            await asyncio.to_thread(self._staging.take_away, path)

    async def remove_container(self, account: str, container: str) -> None:
        """Those of all blobs of a container."""
        await self.rows.forget_container(account, container)
        await asyncio.to_thread(self._staging.take_away, self._root / account / container)

    def _copy(self, blob: Blob, source: int) -> Blob:
        staged = self._staging.join([Piece(source, 0, blob.size)])
        folder = self._folder(blob.address)
        try:
            make_folder_durably(folder)
            name = _time_name(staged.stamp.mtime_ns)
            staged.path.replace(folder / name)
            sync_directory(folder)
        finally:
            staged.path.unlink(missing_ok=True)
        return dataclasses.replace(blob, snapshot=name)

    def _remove_unknown(self, known: set[tuple[str, str]]) -> None:
        for path in self._root.glob("*/*/*/*"):
            if (path.parent.name, path.name) not in known:
                path.unlink()
        for folder in self._root.glob("*/*/*"):
            if not any(folder.iterdir()):
                shutil.rmtree(folder)

    def _folder(self, address: BlobAddress) -> Path:
        return self._root / address.account / address.container / address.key

    def _path(self, address: BlobAddress, snapshot: str) -> Path:
        return self._folder(address) / snapshot


def _time_name(time_ns: int) -> str:
    """A time as Azure names snapshots by: seven digits behind the second, in steps of 100 ns."""
    moment = EPOCH + timedelta(seconds=time_ns // 1_000_000_000)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ns % 1_000_000_000 // 100:07}Z"
