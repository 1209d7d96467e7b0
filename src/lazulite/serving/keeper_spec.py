"""What a keeper is told: the replicas of one deployment, as the file spec.json."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.executors.launch import Sandbox
from lazulite.executors.wrappers import wrapper_of
from lazulite.serving.own_server import Probe

SOCKET_PATH_LIMIT = 100
"""Bytes. The kernel takes 107; the keeper adds a suffix while a socket is not for clients."""

LARGEST_BODY = 100 * 1024 * 1024
"""Bytes of one request's body that a deployment takes."""

MOST_DIGITS = 10
"""Of a time limit: milliseconds of months."""


DEBUG_PORT = "AZUREML_DEBUG_PORT"
"""Where a debugger listens that a replica connects to before it starts."""


class BrokenSpecError(Exception):
    """spec.json cannot be used; the message says why."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class KeeperSpec:
    """One deployment's replicas. Every path is absolute."""

    python: str
    """The interpreter of the user's environment; empty: the server's own."""
    module: str = "lazulite_worker.serve"
    """What the interpreter runs."""
    worker_path: str
    """The folder that contains the package lazulite_worker; nothing else in it is seen."""
    sockets: tuple[str, ...]
    """One path per replica, each at most SOCKET_PATH_LIMIT bytes."""
    asleep: bool = False
    """Start no replica before a request waits; then all of them."""
    liveness: Probe | None = None
    """How a process is asked whether it lives; None: it is not."""
    readiness: Probe | None = None
    """The same, for whether it is to get requests."""
    waiting_socket: str
    """Where requests wait for whichever replica is ready next; the same limit."""
    port: int | None = None
    """Of this machine's loopback: requests wait there instead, as plain HTTP without keys."""
    code_dir: str | None = None
    """AML_APP_ROOT and the working directory, unless env says otherwise; None: an empty folder."""
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Variables for the replica, over the few that it inherits."""
    sandbox: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What replicas run in: a Sandbox as JSON."""
    init_timeout_s: float = 600.0
    """For start, import and init() of one replica."""
    request_timeout_ms: int = 5000
    """For one run(): Azure's default. SCORING_TIMEOUT_MS in env may only lower it."""
    drain_s: float = 10.0
    """How long a replica may take to finish its requests when it is stopped."""
    max_body: int = LARGEST_BODY
    """Bytes of one request's body."""
    max_init_failures: int = 3
    """Replica deaths, in all, after which a deployment that was never ready has failed."""
    log_limit: int = 10 * 1024 * 1024
    """Bytes of one log file; one older file is kept beside it."""

    @property
    def is_debugged(self) -> bool:
        """Whether a debugger may hold replicas up: no time limit of init() or run() counts."""
        return bool(self.env.get(DEBUG_PORT))


def parse_spec(text: str) -> KeeperSpec:
    """The spec in the text of spec.json. Raises BrokenSpecError."""
    try:
        fields = json.loads(text)
        env = {name: str(value) for name, value in fields.get("env", {}).items()}
        probes = {
            name: Probe(**fields[name]) if fields.get(name) else None
            for name in ("liveness", "readiness")
        }
        read = {"sockets": tuple(fields["sockets"]), "env": env, **probes}
        spec = KeeperSpec(**{**fields, **read})
        wrapper_of(Sandbox.from_json(spec.sandbox))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BrokenSpecError(f"spec.json does not describe replicas: {error!r}") from error
    if not spec.sockets:
        raise BrokenSpecError("spec.json has no sockets; give one path per replica")
    for path in (*spec.sockets, spec.waiting_socket):
        if len(path.encode()) > SOCKET_PATH_LIMIT:
            raise BrokenSpecError(
                f"the socket path {path} is longer than {SOCKET_PATH_LIMIT} bytes, which is the"
                " most that the kernel takes; use a shorter run folder"
            )
    return spec


@dataclasses.dataclass(frozen=True)
class Folders:
    """What a keeper lays out in its task folder for its replicas."""

    imports: Path
    """Holds lazulite_worker and nothing else: what else is installed must not reach user code."""
    empty: Path
    """The application of a deployment without code."""

    def shown_in(self, sandbox: Mapping[str, Any]) -> dict[str, Any]:
        """The sandbox with these folders in it, too. Both as JSON."""
        worker = str((self.imports / "lazulite_worker").resolve())
        shown = Sandbox.from_json(sandbox).showing(str(self.imports), worker, str(self.empty))
        return shown.to_json()


def make_folders(task_folder: Path, worker_path: str) -> Folders:
    """Make the folders, or use those of an earlier keeper."""
    folders = Folders(task_folder / "worker", task_folder / "app")
    folders.imports.mkdir(exist_ok=True)
    folders.empty.mkdir(exist_ok=True)
    link = folders.imports / "lazulite_worker"
    link.unlink(missing_ok=True)
    # To the package itself, not to another link: links on the way are not in the sandbox.
    link.symlink_to((Path(worker_path) / "lazulite_worker").resolve())
    return folders


INHERITED = (
    "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER",
    "LD_LIBRARY_PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "CUDA_VISIBLE_DEVICES",
)  # fmt: skip
"""All that a replica sees of the keeper's own variables: the server's settings are not for it."""


def replica_environment(
    spec: KeeperSpec, inherited: Mapping[str, str], folders: Folders
) -> dict[str, str]:
    """All variables of a replica. inherited: the keeper's own."""
    env = {name: inherited[name] for name in INHERITED if name in inherited}
    env["PATH"] = f"{Path(spec.python).parent}:{env.get('PATH', '/usr/bin:/bin')}"
    env["PYTHONNOUSERSITE"] = "1"
    env["AML_APP_ROOT"] = spec.code_dir or str(folders.empty)
    env |= spec.env
    own = env.get("PYTHONPATH")
    env["PYTHONPATH"] = f"{folders.imports}:{own}" if own else str(folders.imports)
    if spec.is_debugged:
        return env
    asked = env.get("SCORING_TIMEOUT_MS", "")
    is_number = asked.isascii() and asked.isdecimal() and len(asked) < MOST_DIGITS
    limits = [spec.request_timeout_ms, *([int(asked)] if is_number else [])]
    env["SCORING_TIMEOUT_MS"] = str(min(limit for limit in limits if limit > 0))
    return env
