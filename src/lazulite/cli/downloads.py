"""Files of a datastore to a local folder."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from lazulite.cli.blobs import Container, open_container
from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.http import Counted
from lazulite.cli.parallel import threads
from lazulite.cli.progress import Progress
from lazulite.cli.workspace import Workspace

_URI = re.compile(
    r"azureml://(?:subscriptions/.+?/workspaces/[^/]+/)?datastores/(?P<datastore>[^/]+)"
    r"(?:/paths)?/(?P<path>.*)",
    re.IGNORECASE,
)
NOTHING = "NothingFound"
"""The code of the error that an empty place leads to."""
_THREADS = 8


def parse(uri: str) -> tuple[str, str]:
    """The datastore and path of an azureml:// URI. Raises CommandError on any other URI."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise CommandError(
            "UnsupportedUri",
            f"{uri} cannot be downloaded: only azureml://datastores/<name>/paths/<path> can.",
        )
    return match["datastore"], match["path"]


def download(workspace: Workspace, uri: str, target: Path) -> int:
    """Copy the file or folder at the URI below the target; how many files it was.

    Files are replaced one by one, each in one step. Raises CommandError if there is nothing.
    """
    datastore, path = parse(uri)
    container = open_container(workspace, datastore)
    found = _found(container, path)
    places = {name: target / _relative(name, path) for name in found}
    total = sum(found.values())
    if not places:
        raise CommandError(NOTHING, f"There is nothing at {uri}.", exit_code=NOT_FOUND)
    for place in places.values():
        if not place.resolve().is_relative_to(target.resolve()):
            raise CommandError("UnsafePath", f"{uri} holds {place}, which leads out of {target}.")
    what = f"Downloading {len(places)} files to {target}"
    with (
        Progress(what, total, workspace.report) as progress,
        threads(min(_THREADS, len(places)), container.http) as pool,
    ):
        list(pool.map(lambda item: _fetch(container, progress, *item), places.items()))
    return len(places)


def _found(container: Container, path: str) -> dict[str, int]:
    """Sizes by name."""
    folder = path.rstrip("/") + "/"
    return {
        name: size
        for name, size in container.list(path.rstrip("/"))
        if name == path or name.startswith(folder)
    }


def _relative(name: str, path: str) -> str:
    """A blob's place below the folder asked for; a single file keeps its name."""
    return name.rpartition("/")[2] if name == path else name[len(path.rstrip("/")) + 1 :]


def _fetch(container: Container, progress: Progress, name: str, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(prefix=".download.", dir=place.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            container.get(name, Counted(file, progress.add))
        Path(part).chmod(0o644)
        Path(part).replace(place)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
