"""Uncommitted blocks: files in a private folder per blob, waiting for Put Block List."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from lazulite.blobs.errors import BlobError
from lazulite.blobs.listing import Found, Query, lowest_name
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.staging import Staging
from lazulite.blobs.values import Block, Stamp
from lazulite.store.files import make_folder_durably, sync_directory

ID_BYTES = 64
NAME = "name"  # of the file with the blob's name, beside its blocks


class Blocks:
    """The waiting blocks of every blob. All calls block; callers hold the blob's lock."""

    def __init__(self, root: Path, staging: Staging) -> None:
        """root: on the file system of the blobs; ours alone."""
        self._root, self._staging = root, staging

    def move_in(self, source: Path, address: BlobAddress, block_id: bytes) -> None:
        """Keep a staged file as a block, durably; the same id again replaces the block."""
        folder = self._folder(address)
        if not folder.exists():
            make_folder_durably(folder)
            (folder / NAME).write_text(address.name)
        self._check_id(folder, block_id)
        source.replace(folder / block_id.hex())
        sync_directory(folder)

    def sizes(self, address: BlobAddress) -> dict[bytes, int]:
        """The bytes of each block, by id in order."""
        try:
            with os.scandir(self._folder(address)) as entries:
                found = {
                    bytes.fromhex(entry.name): entry.stat().st_size
                    for entry in entries
                    if entry.name != NAME
                }
        except FileNotFoundError:
            return {}
        return dict(sorted(found.items()))

    def listed(self, address: BlobAddress) -> tuple[Block, ...]:
        """The blocks by id in order."""
        return tuple(Block(*pair) for pair in self.sizes(address).items())

    def waiting(self, container: tuple[str, str], query: Query) -> list[Found]:
        """The blobs of a container that have waiting blocks, in order, as empty ones."""
        folder, low = self._root.joinpath(*container), lowest_name(query)
        notes = [each / NAME for each in folder.iterdir()] if folder.is_dir() else []
        return [
            Found(name, Stamp(0, mtime_ns))
            for name, mtime_ns in sorted(map(_read, notes))
            if name and name >= low and name.startswith(query.prefix)
        ]

    def path(self, address: BlobAddress, block_id: bytes) -> Path:
        """The file of a block."""
        return self._folder(address) / block_id.hex()

    def discard(self, address: BlobAddress) -> None:
        """Remove all blocks of a blob. Safe to repeat."""
        folder = self._folder(address)
        if folder.exists():
            self._staging.take_away(folder)

    def discard_container(self, account: str, container: str) -> None:
        """Remove the blocks of all blobs of a container. Safe to repeat."""
        self._staging.take_away(self._root / account / container)

    def expire(self, before: float) -> None:
        """Remove the blocks of blobs that got none since a time, in seconds since the epoch."""
        for folder in self._folders():
            if folder.stat().st_mtime < before:
                shutil.rmtree(folder)

    def _folder(self, address: BlobAddress) -> Path:
        return self._root / address.account / address.container / address.key

    def _folders(self) -> Iterator[Path]:
        return self._root.glob("*/*/*") if self._root.is_dir() else iter(())

    def _check_id(self, folder: Path, block_id: bytes) -> None:
        """Azure wants the ids of one blob to have one length."""
        with os.scandir(folder) as entries:
            other = next((entry for entry in entries if entry.name != NAME), None)
        if other is not None and len(other.name) != 2 * len(block_id):
            message = "All block ids of a blob must have the same length before base64."
            raise BlobError("InvalidBlobOrBlock", message)


def _read(note: Path) -> tuple[str, int]:
    """The name in it, and its time; "" if it is gone or was never finished."""
    try:
        return note.read_text(), note.stat().st_mtime_ns
    except (FileNotFoundError, UnicodeDecodeError):
        return "", 0
