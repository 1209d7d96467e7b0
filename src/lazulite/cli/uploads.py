"""Local files to a datastore, below a folder named by their hash: nothing is sent twice."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path

from lazulite.cli.blobs import Container, open_container
from lazulite.cli.contents import Contents, scan
from lazulite.cli.errors import InterruptedCommandError
from lazulite.cli.parallel import threads
from lazulite.cli.progress import Progress
from lazulite.cli.workspace import Workspace

DEFAULT_DATASTORE = "workspaceblobstore"
_THREADS = 8


@dataclasses.dataclass(frozen=True)
class Uploaded:
    """Where local files are now. A folder's path ends with a slash."""

    datastore: str
    path: str
    digest: str

    @property
    def uri(self) -> str:
        """The short form of the data URI."""
        return f"azureml://datastores/{self.datastore}/paths/{self.path}"


def upload(workspace: Workspace, local: Path, datastore: str = "") -> Uploaded:
    """Upload a file or folder to LocalUpload/<hash>/<its name>.

    A second call, or one after an interruption, sends only what is missing; a rehearsal nothing.
    """
    datastore = datastore.removeprefix("azureml:") or DEFAULT_DATASTORE
    with workspace.report.waiting(f"Reading {local.name}"):
        contents = scan(local)
    prefix = f"LocalUpload/{contents.digest}/"
    if not workspace.is_rehearsal:
        _complete(workspace, datastore, contents, prefix)
    is_file = contents.root.is_file()
    return Uploaded(
        datastore, prefix + contents.root.name + ("" if is_file else "/"), contents.digest
    )


def _complete(workspace: Workspace, datastore: str, contents: Contents, prefix: str) -> None:
    """Send the files that are not there yet."""
    names = _names(contents, prefix)
    container = open_container(workspace, datastore)
    present = dict(container.list(prefix))
    missing = {
        name: file for name, file in names.items() if present.get(name) != file.stat().st_size
    }
    if missing:
        _send(workspace, container, missing, contents.root.name)


def _names(contents: Contents, prefix: str) -> dict[str, Path]:
    folder = "" if contents.root.is_file() else f"{contents.root.name}/"
    return {f"{prefix}{folder}{name}": path for name, path in contents.files.items()}


def _send(workspace: Workspace, container: Container, files: Mapping[str, Path], name: str) -> None:
    """Raises InterruptedCommandError if the person at the terminal stops it."""
    total = sum(file.stat().st_size for file in files.values())
    what = f"Uploading {name} ({len(files)} files)"
    try:
        with (
            Progress(what, total, workspace.report) as progress,
            threads(min(_THREADS, len(files)), container.http) as pool,
        ):
            counted = functools.partial(container.put, count=progress.add)
            list(pool.map(counted, files.keys(), files.values()))
    except KeyboardInterrupt:
        message = f"{what} was stopped: nothing of it is registered. The same command goes on."
        raise InterruptedCommandError(message) from None
