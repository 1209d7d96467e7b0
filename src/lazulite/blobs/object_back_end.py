"""The back end over an object store: blobs are plain objects, what is on its way is on the disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from lazulite.blobs.back_end import BackEnd
from lazulite.blobs.bindings import Bindings
from lazulite.blobs.object_copies import ObjectCopies
from lazulite.blobs.object_folders import ObjectFolders
from lazulite.blobs.object_tree import ObjectTree
from lazulite.blobs.objects import Objects, open_objects
from lazulite.blobs.staging import Staging


def back_end_at(url: str, engine: AsyncEngine) -> Callable[[Path, Staging], BackEnd]:
    """What keeps blobs at a URL; to be called on the event loop. Raises SettingError."""
    return partial(object_back_end, open_objects(url), Bindings(engine))


def object_back_end(objects: Objects, bindings: Bindings, _root: Path, staging: Staging) -> BackEnd:
    """Objects by the names account/container/blob. One server at a time may write there."""
    folders = ObjectFolders(objects, bindings)
    tree = ObjectTree(objects, bindings, folders, staging)

    def start() -> None:
        folders.load()
        tree.mend()

    return BackEnd(start, tree, folders, ObjectCopies(objects, tree))
