"""The back end over an object store: blobs are plain objects, what is on its way is on the disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from lazulite.blobs.back_end import BackEnd
from lazulite.blobs.bindings import Bindings
from lazulite.blobs.errors import BlobError
from lazulite.blobs.object_copies import ObjectCopies
from lazulite.blobs.object_folders import ObjectFolders
from lazulite.blobs.object_tree import ObjectTree
from lazulite.blobs.objects import Objects, open_objects
from lazulite.blobs.staging import Staging
from lazulite.core.settings import SettingError


def back_end_at(url: str, engine: AsyncEngine) -> Callable[[Path, Staging], BackEnd]:
    """What keeps blobs at a URL; to be called on the event loop. Raises SettingError."""
    return partial(object_back_end, open_objects(url), Bindings(engine))


def object_back_end(objects: Objects, bindings: Bindings, _root: Path, staging: Staging) -> BackEnd:
    """Objects by the names account/container/blob. One server at a time may write there."""
    folders = ObjectFolders(objects, bindings)
    tree = ObjectTree(objects, bindings, folders, staging)

    def start() -> None:
        try:
            folders.load()
            tree.mend()
        except BlobError as error:
            why = str(error.__cause__).split("\n")[0][:500]
            raise SettingError(
                "ObjectStoreNotUsable",
                f"The object store of the setting blobs cannot be used: {why}. Check that it is "
                "there, and the variables of its endpoint and credentials, such as "
                "AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            ) from error

    return BackEnd(start, tree, folders, ObjectCopies(objects, tree))
