"""Where a server keeps its blobs: files in the data folder, or the object store of a cloud."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from lazulite.app.layout import Layout
from lazulite.blobs.back_end import BackEnd
from lazulite.blobs.folders import local_folders
from lazulite.blobs.staging import Staging
from lazulite.blobs.store import BlobStore
from lazulite.core.settings import SettingError, Settings
from lazulite.deployments.blob_paths import BlobPaths, Brought, Delivery, InPlace
from lazulite.remote.background import Bringer
from lazulite.remote.outgoing import Outgoing
from lazulite.store.files import write_atomically

PLACE = re.compile(r"(?:s3|az|gs)://[\w.-]+(?:/[\w./=+-]*)?|memory://|")
REQUESTS = 32  # to an object store at a time: they wait, and must not hold up one another
NOTE = "kept-at"
"""In the folder blobs: the place that was chosen when the data folder was made."""


def back_end_at(url: str, engine: AsyncEngine) -> Callable[[Path, Staging], BackEnd]:
    """What keeps blobs at a URL; "": plain files. Called on the event loop. Raises SettingError.

    The library for object stores takes a while to import, and is only where it is wanted.
    """
    if not url:
        return local_folders
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(REQUESTS))
    found: Callable[[Path, Staging], BackEnd]
    found = import_module("lazulite.blobs.object_back_end").back_end_at(url, engine)
    return found


def paths_of(
    settings: Settings, layout: Layout, store: BlobStore, bringer: Bringer
) -> tuple[BlobPaths, Delivery]:
    """How jobs read and write blobs."""
    if not settings.blobs:
        in_place = InPlace(layout.folder("blobs"))
        return in_place, in_place
    outgoing = Outgoing(layout.folder("outgoing"), store)
    return Brought(bringer, store.back_end, outgoing), outgoing


def check_url(url: str) -> None:
    """Raises SettingError for what names no place."""
    if not PLACE.fullmatch(url):
        raise SettingError(
            "InvalidSetting",
            f"blobs={url!r} is not s3://bucket/prefix, az://container/prefix, gs://bucket/prefix "
            "or memory://. Leave it out to keep blobs in the data folder.",
        )


def check_place(layout: Layout, url: str) -> None:
    """Hold a data folder to where its blobs are: at another place none of them would be found.

    Raises SettingError.
    """
    note = layout.folder("blobs") / NOTE
    if note.exists():
        noted = note.read_text()
    elif layout.database.exists():
        noted = ""  # of a version that knew files only
    else:
        noted = url
        write_atomically(note, url.encode())
    if noted != url:
        raise SettingError(
            "InvalidSetting",
            f"blobs={url!r}, but the blobs of {str(layout.data)!r} are kept "
            f"{f'at {noted!r}' if noted else 'in that folder'}: start with that setting "
            f"({f'--blobs {noted}' if noted else 'without --blobs'}), or with another data folder.",
        )
