"""Containers as sandboxes: what to ask of the engine for one launch.

The launch becomes one of `lazulite.executors.container_run`, which holds the container: signals,
exit codes and descriptors go through it, and the container ends when it does.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lazulite
import lazulite_worker
from lazulite.executors.launch import Launch, Mount, Sandbox
from lazulite.executors.limits import PROCESSES
from lazulite.executors.links import refuse_links

CONTAINER = "docker"
"""The kind of these sandboxes."""
OWN_CONTAINER = "docker-image"
"""The kind of those whose processes are containers already: images with their own server."""
REQUEST = "LAZULITE_CONTAINER"
"""The variable with the launch and the sandbox. Not an argument: everybody can read these."""
FOUND = "/lazulite"
"""Where a container finds what it is started with."""
OWNER, HOLDER = "lazulite.data-dir", "lazulite.holder"
"""Labels: the server's data folder, and the process that holds the container."""
OF_THE_HOST = frozenset(
    {"HOME", "LOGNAME", "USER", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_DIR", "SSL_CERT_FILE"}
)
"""Variables that mean nothing in an image."""
RESTRICTED: Mapping[str, Any] = {"CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"]}
"""What no container of user code may do, in the engine's words."""
SHARED_MEMORY = 1 << 30  # bytes that /dev/shm may grow to; Docker's own 64 MiB are soon used up


@dataclasses.dataclass(frozen=True, kw_only=True)
class Image:
    """The details of a sandbox of this kind."""

    engine: str
    """The engine's socket."""
    image: str
    """Its id, or its name."""
    owner: str
    """The server's data folder."""
    python: str = "python3"
    """A Python in the image that starts the command."""

    def sandbox(self) -> Sandbox:
        """A container of the image that sees nothing of this machine."""
        return Sandbox(kind=CONTAINER, details=dataclasses.asdict(self))


def contained(launch: Launch, sandbox: Sandbox) -> Launch:
    """The launch of the process that holds the container. A Wrapper."""
    env = {name: value for name, value in launch.env.items() if name not in OF_THE_HOST}
    request = {
        "launch": dataclasses.asdict(dataclasses.replace(launch, env=env)),
        "sandbox": sandbox.to_json(),
        "parent": os.getpid(),
    }
    return Launch(
        argv=(sys.executable, "-m", "lazulite.executors.container_run"),
        env={
            "PATH": os.defpath,
            "PYTHONPATH": str(Path(lazulite.__file__).parents[1]),
            REQUEST: json.dumps(request),
        },
        cwd="/",
        descriptors=launch.descriptors,
    )


def contained_already(launch: Launch, _sandbox: Sandbox) -> Launch:
    """The process that holds the container, as it is: it is the server's own code. A Wrapper."""
    return launch


def configuration(sandbox: Sandbox, meeting: Path, labels: Mapping[str, str]) -> dict[str, Any]:
    """What to create. meeting: a folder with the socket that the first process connects to."""
    worker = str(Path(lazulite_worker.__file__).parent)
    inside = f"{FOUND}/lazulite_worker"
    own = (Mount(path=worker, at=inside), Mount(path=str(meeting), at=f"{FOUND}/meeting"))
    return {
        "Image": sandbox.details["image"],
        "Entrypoint": [sandbox.details["python"], "-I", f"{inside}/inside.py"],
        "Cmd": [f"{FOUND}/meeting/{SOCKET}"],
        "Labels": dict(labels),
        "WorkingDir": "/",
        "HostConfig": {
            "AutoRemove": True,
            "NetworkMode": "host" if sandbox.network else "none",
            "Mounts": mounts((*sandbox.mounts, *own)),
            "ShmSize": SHARED_MEMORY,
            **RESTRICTED,
            **process_limit(sandbox),
        },
    }


def process_limit(sandbox: Sandbox) -> dict[str, int]:
    """How many processes and threads a container may have, in the engine's words."""
    most = int(sandbox.details.get(PROCESSES, "0"))
    return {"PidsLimit": most} if most else {}


SOCKET = "socket"


def mounts(wanted: tuple[Mount, ...]) -> list[dict[str, Any]]:
    """The mounts in the engine's words: of two at one place, the last.

    Raises OSError for one that must not lead through a link, and does.
    """
    by_place = {mount.at or mount.path: mount for mount in wanted}
    return [
        {
            "Type": "bind",
            "Source": _source(mount),
            "Target": place,
            "ReadOnly": not mount.writable,
        }
        for place, mount in by_place.items()
    ]


def _source(mount: Mount) -> str:
    if mount.without_links:
        refuse_links(mount.path)
    return os.path.realpath(mount.path)


def user_of(info: Mapping[str, Any]) -> str:
    """Who a container has to run as for its files to be the server's user's own.

    info: what the engine says of itself; a rootless one maps its root to its user.
    """
    rootless = "name=rootless" in (info.get("SecurityOptions") or ())
    return "0:0" if rootless else f"{os.getuid()}:{os.getgid()}"
