"""Where the local back end keeps what the tests look at, or change as a job would."""

from __future__ import annotations

from pathlib import Path

from lazulite.blobs.names import BlobAddress
from lazulite.blobs.store import BlobStore


def root_of(store: BlobStore) -> Path:
    """The folder of all accounts."""
    return store._at.back_end.blobs.root


def folder_of(store: BlobStore, account: str = "mlstore", container: str = "files") -> Path:
    """The folder of a container."""
    return root_of(store) / account / container


def path_of(store: BlobStore, address: BlobAddress) -> Path:
    """The file of a blob."""
    return folder_of(store, address.account, address.container) / address.name
