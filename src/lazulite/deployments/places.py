"""From data URIs to paths on this machine: blobs are plain files, other servers' data are fetched.

The blob store is read in place, past its credentials: so of this server's accounts, only the
workspace's own is read without one that opens it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from lazulite.blobs.errors import BlobError
from lazulite.blobs.names import container_parts
from lazulite.blobs.patterns import split_pattern
from lazulite.blobs.references import BlobPath, ForeignBlobPath, Shape, WebAddress
from lazulite.blobs.signatures import Permission, Use, check_sas, parse_query
from lazulite.core.errors import ArmError, SpecError
from lazulite.datastores.reading import LocalPath
from lazulite.deployments.blob_paths import BlobPaths
from lazulite.deployments.job_outputs import ARTIFACT_CONTAINER, RUN_FOLDERS
from lazulite.deployments.resolving import TABLE, Found, Resolver
from lazulite.deployments.tables import Part, read_table
from lazulite.remote.background import Bringer
from lazulite.remote.sources import Blobs, WebFile

Keys = Callable[[str], Awaitable[Sequence[bytes]]]
"""The valid keys of an account of this server."""
ANY_BLOB, FILE = "any", "uri_file"


@dataclasses.dataclass(frozen=True)
class Root:
    """A file, or a folder of which the files that fit the pattern are meant; "": all of them."""

    path: Path
    pattern: str = ""


@dataclasses.dataclass(frozen=True)
class DataPlaces:
    """Finds the files that URIs name. workspace: the id of the one that names are looked up in."""

    resolver: Resolver
    blobs: BlobPaths
    keys: Keys
    bringer: Bringer

    async def locate(self, workspace: str, uri: str) -> Path:
        """The file or folder of a URI, which need not exist if it is of this machine.

        Raises StillFetching while data are on their way, and SpecError.
        """
        found = await self._find(workspace, uri)
        if len(found) > 1 or (found[0].pattern and not isinstance(found[0].place, ForeignBlobPath)):
            raise SpecError(
                "SeveralPlaces",
                f"{uri[:200]!r} is made of several paths, or of a pattern, and one file or folder "
                "is wanted here: name the folder. Batch endpoints read all of them.",
            )
        return await self._path(workspace, found[0])

    async def writable(self, workspace: str, uri: str, writer: str) -> Path:
        """The file or folder that a job may write. Raises SpecError if it is not on this server.

        writer: by whom it is delivered, if it has to be.
        """
        found = await self._find(workspace, uri)
        place = found[0].place
        if len(found) > 1 or found[0].pattern or not isinstance(place, BlobPath | LocalPath):
            raise SpecError(
                "OutputNotWritable",
                f"The output {uri.partition('?')[0][:200]!r} is not one folder of this server: "
                "give a path like azureml://datastores/workspaceblobstore/paths/out.",
            )
        if isinstance(place, LocalPath):
            return place.path
        if not await self._is_own(workspace, place.account):
            raise _not_own(place.account)
        return self.blobs.writable(_checked(place), writer)

    async def output(self, workspace: str, uri: str, writer: str, kind: str) -> Path:
        """What writable() says, for an output that a user names; never a folder of runs.

        The server itself writes there, and whoever writes a file may write all of its folder.
        kind: the type that the output is said to have. Raises SpecError.
        """
        path = await self.writable(workspace, uri, writer)
        place = (await self._find(workspace, uri))[0].place
        if isinstance(place, BlobPath):
            _refuse_run_folders(path.parent if kind == FILE else path, place.account, uri)
        return path

    async def refuse_existing(self, workspace: str, uri: str, name: str) -> None:
        """Raise SpecError if a file of that name is in the folder: outputs replace nothing."""
        place = (await self._find(workspace, uri))[0].place
        is_there = False
        if isinstance(place, BlobPath):
            blob = dataclasses.replace(place, path=f"{place.path}/{name}".lstrip("/"))
            is_there = await asyncio.to_thread(self.blobs.is_there, _checked(blob))
        elif isinstance(place, LocalPath):
            is_there = (place.path / name).exists()
        if is_there:
            raise SpecError(
                "OutputExists",
                f"The output file {uri}/{name} exists and is never overwritten; choose another "
                "output_file_name or output path.",
                target="outputFileName",
            )

    async def roots(self, workspace: str, uri: str, kind: str) -> list[Root]:
        """All files and folders that a URI means. kind: the type that the input is said to have.

        Raises StillFetching while data are on their way, and SpecError.
        """
        roots = []
        for found in await self._find(workspace, uri):
            path = await self._path(workspace, found)
            if found.is_table or kind == TABLE:
                roots += await self._table(workspace, path)
            else:
                roots.append(_root(found, path))
        return roots

    async def _table(self, workspace: str, folder: Path) -> list[Root]:
        """The files that a table is made of; those of a table inside a table are not."""
        roots = []
        for part in await asyncio.to_thread(read_table, folder):
            if ":" in part.text:
                there = await self._find(workspace, part.text)
                roots += [_root(one, await self._path(workspace, one)) for one in there]
            else:
                roots.append(_beside(folder if folder.is_dir() else folder.parent, part))
        return roots

    async def _find(self, workspace: str, uri: str) -> list[Found]:
        try:
            return await self.resolver.find(workspace, uri)
        except ArmError as error:
            raise SpecError(error.code, str(error), target=error.target) from error

    async def _path(self, workspace: str, found: Found) -> Path:
        place = found.place
        if isinstance(place, LocalPath):
            return place.path
        if isinstance(place, BlobPath):
            return await self._blob(workspace, place)
        if isinstance(place, ForeignBlobPath):
            source = Blobs(place.container, place.path, place.signature, found.shape, found.pattern)
            return self.bringer.path(source)
        if found.shape is Shape.FOLDER:
            raise _no_list(place)
        return self.bringer.path(WebFile(place.url))

    async def _blob(self, workspace: str, blob: BlobPath) -> Path:
        path = self.blobs.readable(_checked(blob))
        if not await self._is_own(workspace, blob.account):
            await self._check_signature(blob, is_folder=path.is_dir())
        return path

    async def _is_own(self, workspace: str, account: str) -> bool:
        row = await self.resolver.resources.find(workspace)
        return row is not None and row.observed.get("account") == account

    async def _check_signature(self, blob: BlobPath, *, is_folder: bool) -> None:
        """Raise SpecError unless the signature may read the blob, or all of a folder."""
        keys, query = await self.keys(blob.account), parse_query(blob.signature)
        inside = "/".join(part for part in (blob.path, ANY_BLOB) if part)
        uses: dict[Permission, str | None] = {Permission.READ: inside if is_folder else blob.path}
        if is_folder:
            uses[Permission.LIST] = None
        try:
            for permission, name in uses.items():
                use = Use(
                    account=blob.account,
                    permission=permission,
                    container=blob.container,
                    blob=name,
                    now=self.resolver.resources.clock(),
                    scheme="https",
                    ip=None,
                )
                check_sas(query, use, keys)
        except BlobError as error:
            raise _not_own(blob.account) from error


def _checked(blob: BlobPath) -> BlobPath:
    """Raises SpecError for an account or container that cannot be."""
    try:
        container_parts(blob.account, blob.container)
    except BlobError as error:
        raise SpecError(error.code, str(error)) from error
    return blob


def _root(found: Found, path: Path) -> Root:
    """Of another server, only what fits the pattern was fetched."""
    is_filtered = isinstance(found.place, ForeignBlobPath)
    return Root(path, "" if is_filtered else found.pattern)


def _beside(folder: Path, part: Part) -> Root:
    """A path relative to a table's folder. Raises SpecError if it leads out of it."""
    text = part.text.removeprefix("./")
    root, pattern = split_pattern(text)
    path = (folder / root).resolve()
    if not path.is_relative_to(folder.resolve()) or ".." in pattern.split("/"):
        raise SpecError(
            "InvalidTable",
            f"The path {part.text[:200]!r} of the MLTable leads out of its folder: give a URI.",
        )
    return Root(folder / root, pattern)


def _not_own(account: str) -> SpecError:
    return SpecError(
        "DataNotReachable",
        f"The storage account {account!r} is not the workspace's own: name the data through a "
        "datastore with a key or SAS of the account that may read and list, or copy them to one of "
        "the workspace's datastores.",
    )


def _refuse_run_folders(folder: Path, account: str, uri: str) -> None:
    """Raises SpecError for a folder in the one where the folders of all runs are, or around it."""
    parts = folder.parts
    inside = parts[parts.index(account) + 1 :] if account in parts else ()
    runs = (ARTIFACT_CONTAINER, RUN_FOLDERS)
    if inside[:2] == runs[: len(inside)]:
        raise SpecError(
            "OutputNotWritable",
            f"The output {uri.partition('?')[0][:200]!r} is, or holds, a folder where runs keep "
            "their logs: give a path like azureml://datastores/workspaceblobstore/paths/out/file.",
        )


def _no_list(place: WebAddress) -> SpecError:
    return SpecError(
        "DataNotReachable",
        f"{place.url.partition('?')[0][:200]!r} is said to be a folder, and only containers of "
        "storage accounts can be listed: name a file.",
    )
