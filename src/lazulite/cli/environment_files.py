"""What an environment's YAML says, as the properties that the server reads.

Two generations of files: `image`, `conda_file` and `build` since 2021-09; `docker` with an image or
a Dockerfile, `path` and `file:` before. Source: spec/CLIENTS.md 7.3, spec/REST.md 7.4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lazulite.cli import assets
from lazulite.cli.conda_files import inlined, inlined_text, yaml_text
from lazulite.cli.documents import Document, Key
from lazulite.cli.models import is_uri
from lazulite.cli.shapes import ANYTHING, INTEGER, TEXT, Shape
from lazulite.cli.uploads import upload
from lazulite.cli.wire import camel
from lazulite.cli.workspace import Workspace

_ROUTE: Mapping[str, Shape] = {"path": TEXT, "port": INTEGER}
SHAPE: Mapping[str, Shape] = {
    **assets.COMMON,
    "image": TEXT,
    "conda_file": (TEXT, ANYTHING),
    "build": {"path": TEXT, "local_path": TEXT, "dockerfile_path": TEXT},
    "docker": {"image": TEXT, "build": {"dockerfile": TEXT}},
    "path": TEXT,
    "os_type": TEXT,
    "inference_config": {
        "liveness_route": _ROUTE,
        "readiness_route": _ROUTE,
        "scoring_route": _ROUTE,
    },
    "datastore": TEXT,
}
_FILE = "file:"


Place = Callable[[Path], str]
"""What a build context on this machine is called where the environment is made."""


def uploaded_to(workspace: Workspace) -> Place:
    """Uploads a folder, and gives its URI."""
    return lambda folder: upload(workspace, folder).uri


def content(found: Document, place: Place) -> dict[str, Any]:
    """What defines the environment. place: called once if there is a build context.

    Raises CommandError for a fault.
    """
    values = found.values
    docker = values.get("docker") or {}
    said = {
        "image": values.get("image") or docker.get("image"),
        "condaFile": conda_text(found),
        "build": _build(found, place),
        "osType": values.get("os_type"),
        "inferenceConfig": _inference(values.get("inference_config")),
    }
    if not any(said[key] for key in ("image", "condaFile", "build")):
        raise found.error((), "an environment needs an image, a conda_file or a build context")
    return {key: value for key, value in said.items() if value is not None}


def conda_text(found: Document) -> str | None:
    """The conda file's own text, so that errors name the lines of the user's file; None: no file.

    What it includes of other files is in it. Raises CommandError for a file that is not there.
    """
    value, key = found.values.get("conda_file"), ("conda_file",)
    if value is None:
        return None
    folder = found.path.parent if found.path else Path()
    if isinstance(value, Mapping):
        return yaml_text(inlined(found, key, value, folder))
    if "\n" in str(value):
        return inlined_text(found, key, str(value), folder)
    path = found.file(key, str(value).removeprefix(_FILE))
    return inlined_text(found, key, path.read_text(encoding="utf-8"), path.parent)


def _build(found: Document, place: Place) -> dict[str, Any] | None:
    """The build context, and the Dockerfile's path in it."""
    build = found.values.get("build")
    if build is None:
        return _old_build(found, place)
    path = build.get("path") or build.get("local_path")
    if not path:
        raise found.error(("build",), "a build context needs a path")
    dockerfile = build.get("dockerfile_path") or "Dockerfile"
    return {"contextUri": _context(found, ("build", "path"), (path, dockerfile), place),
            "dockerfilePath": dockerfile}  # fmt: skip


def _old_build(found: Document, place: Place) -> dict[str, Any] | None:
    """`docker.build.dockerfile: file:...`; its context is `path`, else the Dockerfile's folder."""
    build = (found.values.get("docker") or {}).get("build")
    if build is None:
        return None
    key: Key = ("docker", "build", "dockerfile")
    text = str(build.get("dockerfile") or "")
    if not text.startswith(_FILE):
        raise found.error(key, "write file: and the path of a Dockerfile")
    dockerfile = found.file(key, text.removeprefix(_FILE)).resolve()
    context = found.file(("path",), str(found.values.get("path") or dockerfile.parent)).resolve()
    if not dockerfile.is_relative_to(context):
        raise found.error(key, f"{dockerfile} is not in the context {context}")
    inside = str(dockerfile.relative_to(context))
    return {"contextUri": place(context), "dockerfilePath": inside}


def _context(found: Document, key: Key, files: tuple[str, str], place: Place) -> str:
    path, dockerfile = files
    if is_uri(path):
        return path
    folder = found.file(key, path)
    if not (folder / dockerfile).is_file():
        raise found.error(key, f"there is no {dockerfile} in {folder}")
    return place(folder)


def _inference(config: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {camel(name): route for name, route in config.items()} if config else None
