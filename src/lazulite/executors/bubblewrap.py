"""Sandboxes by bubblewrap: a process sees its own files, processes and /tmp, and nobody else's.

Every process gets namespaces of its own (users, processes, mounts, IPC; the network unless it may
use it), a root that cannot be written to, and no capabilities. The program that runs is bwrap; the
process itself is the child of its child, which reaps orphans: all of them end when bwrap ends, and
bwrap when its parent does. Source: spec/SECURITY.md 3.8.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lazulite.executors.launch import Launch, Mount, Sandbox
from lazulite.executors.limits import limited
from lazulite.executors.links import opened_without_links

KIND = "bubblewrap"
PROGRAM, HIDDEN, TMP_MIB, BINDS_OPENED = "program", "hidden", "tmp_mib", "binds_opened"
"""Details: bwrap's path; folders that no process may see, joined by colons; the size of /tmp; set
if bwrap has --bind-fd."""

SYSTEM = ("/usr", "/opt", "/sys/devices/system")
MERGED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""Links into /usr on most machines, folders on others."""
SETTINGS = tuple(
    f"/etc/{name}"
    for name in (
        *("passwd", "group", "nsswitch.conf", "localtime", "timezone"),
        *("hosts", "host.conf", "resolv.conf", "gai.conf", "services", "protocols"),
        *("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "mime.types"),
        *("ssl", "pki", "ca-certificates", "crypto-policies", "fonts", "OpenCL", "vulkan"),
    )
)
"""What libraries read of /etc; nothing in there is secret but what PRIVATE has."""
PRIVATE = ("/etc/ssl/private", "/etc/pki/*/private", "/etc/pki/private")
"""Keys of this machine's services, which root could read."""
DEVICES = ("nvidia*", "nvidia-caps", "dri", "kfd")
"""Graphics processors, which some code computes with."""
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name files which the process must see to trust servers."""
HOME = "/tmp"  # noqa: S108 - the process's own, made for it
SIZES_SINCE = (0, 7)
PROBE_LIMIT_S = 10.0

_ALONE = (
    *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--die-with-parent", "--new-session", "--cap-drop", "ALL"),
)
# /proc too: what stands in /proc/sys belongs to the machine, and root may write it without
# capabilities; one of its files names a program that the kernel starts outside of all sandboxes.
_SEALED = tuple(word for place in ("/", "/dev", "/proc") for word in ("--remount-ro", place))


def confined(launch: Launch, sandbox: Sandbox) -> Launch:
    """The launch of bwrap that starts the process in the sandbox. A Wrapper.

    The process's variables are not bwrap's: LD_PRELOAD would load a library of the user's outside.
    Raises OSError for a mount that must not lead through a link, and does.
    """
    details, mounts = sandbox.details, _mounts(launch, sandbox)
    with _closed_if_it_fails() as opened:
        binds = tuple(_mounted(mounts, _Binder(opened, bool(details.get(BINDS_OPENED)))))
        opened.append(variables := _told(_at_home(launch.env, mounts)))
    argv = (
        details.get(PROGRAM, "bwrap"),
        *("--args", str(variables)),
        *_ALONE,
        *(() if sandbox.network else ("--unshare-net",)),
        *_world(int(details.get(TMP_MIB, "0"))),
        *binds,
        *_SEALED,
        *("--chdir", launch.cwd, "--"),
        *limited(launch, sandbox).argv,
    )
    return Launch(
        argv=argv,
        env={"PATH": os.defpath},
        cwd="/",
        descriptors=(*launch.descriptors, *opened),
    )


def process_of(pid: int) -> int:
    """The process that bwrap, whose pid this is, runs; bwrap itself if there is none (yet).

    bwrap passes no signal on: whoever signals the process must name it.
    """
    for _ in range(2):  # bwrap, then the first process of the namespace, which only reaps
        children = _children(pid)
        if not children:
            return pid
        pid = children[0]
    return pid


def ending(status: int) -> int:
    """How the process ended, by how bwrap did: it tells of signal n as exit code 128 + n."""
    return 128 - status if 128 < status < 128 + 65 else status


def trouble(program: str) -> str:
    """Why bubblewrap cannot be used here; empty if it can. Starts a sandbox to find out."""
    try:
        version = _run([program, "--version"])
        if tuple(map(int, re.findall(r"\d+", version)[:2])) < SIZES_SINCE:
            return f"{version} is too old: 0.7 or later is needed"
        everything = Sandbox(kind=KIND, network=False, details={PROGRAM: program, TMP_MIB: "1"})
        _try(confined(Launch(argv=("/bin/sh", "-c", ":"), env={}, cwd="/"), everything))
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        return f"{program} does not work here: {said[-1] if said else error}"
    return ""


def binds_opened(program: str) -> bool:
    """Whether this bubblewrap mounts what is open, whatever its path leads to meanwhile."""
    return "--ro-bind-fd" in _run([program, "--help"])


def find() -> str | None:
    """The path of bwrap, if it is installed."""
    return shutil.which("bwrap")


def _world(tmp_mib: int) -> Iterator[str]:
    """What every process sees: the system's programs and libraries, its own /proc, /dev, /tmp."""
    for path in SYSTEM:
        yield from ("--ro-bind-try", path, path)
    for path in MERGED:
        if Path(path).is_symlink():
            yield from ("--symlink", str(Path(path).readlink()), path)
        else:
            yield from ("--ro-bind-try", path, path)
    for path in SETTINGS:
        yield from ("--ro-bind-try", path, path)
    for place in _folders(PRIVATE):
        yield from ("--perms", "0000", "--tmpfs", place, "--remount-ro", place)
    yield from ("--proc", "/proc", "--dev", "/dev")
    for pattern in DEVICES:
        for device in sorted(Path("/dev").glob(pattern)):
            yield from ("--dev-bind-try", str(device), str(device))
    for place in ("/dev/shm", "/tmp"):  # noqa: S108 - the process's own
        size = ("--size", str(tmp_mib << 20)) if tmp_mib else ()
        yield from ("--perms", "1777", *size, "--tmpfs", place)


def _folders(patterns: Iterable[str]) -> Iterator[str]:
    for pattern in patterns:
        yield from (str(found) for found in sorted(Path("/").glob(pattern[1:])) if found.is_dir())


def _mounts(launch: Launch, sandbox: Sandbox) -> dict[str, Mount | None]:
    """What is where, besides the system; None for a folder that is hidden."""
    hidden = filter(None, sandbox.details.get(HIDDEN, "").split(":"))
    needed = [path for name in CERTIFICATES if (path := launch.env.get(name, "")).startswith("/")]
    mounts: dict[str, Mount | None] = dict.fromkeys(hidden)
    mounts |= {path: Mount(path=path) for path in needed}
    return mounts | {mount.at or mount.path: mount for mount in sandbox.mounts}


@contextlib.contextmanager
def _closed_if_it_fails() -> Iterator[list[int]]:
    """A list for descriptors."""
    opened: list[int] = []
    try:
        yield opened
    except BaseException:
        for descriptor in opened:
            os.close(descriptor)
        raise


@dataclasses.dataclass(frozen=True)
class _Binder:
    """Says how something is mounted."""

    opened: list[int]
    """What has been opened for it."""
    binds_opened: bool
    """Whether bwrap can mount what is open; else a link made in this very moment is followed."""

    def bind(self, mount: Mount, place: str) -> Iterator[str]:
        """The options; none for what is not there. Raises OSError."""
        option = "--bind" if mount.writable else "--ro-bind"
        found = opened_without_links(mount.path) if mount.without_links else None
        if found is not None:
            self.opened.append(found)
        if found is not None and self.binds_opened:
            yield from (f"{option}-fd", str(found), place)
        elif found is not None or not mount.without_links:
            yield from (f"{option}-try", mount.path, place)


def _mounted(mounts: Mapping[str, Mount | None], binder: _Binder) -> Iterator[str]:
    """Outer folders first, so that inner ones stay visible; nothing that is visible already.

    The latter matters: a place that is a link in an outer folder cannot be mounted on.
    """
    seen: dict[Path, Mount | None] = {
        Path(path): Mount(path=path) for path in (*SYSTEM, *MERGED, *SETTINGS)
    }
    for place in sorted(mounts, key=lambda found: len(Path(found).parts)):
        mount, path = mounts[place], Path(place)
        around = next((seen[outer] for outer in (path, *path.parents) if outer in seen), None)
        if mount is None:
            yield from ("--tmpfs", place)
        elif around is None or (around.at, around.writable) != (mount.at, mount.writable):
            yield from binder.bind(mount, place)
        seen[path] = mount
    for place in (place for place, mount in mounts.items() if mount is None):
        yield from ("--remount-ro", place)


def _at_home(env: Mapping[str, str], mounts: Mapping[str, Mount | None]) -> dict[str, str]:
    """The variables, with folders that are not in the sandbox replaced by the process's own."""
    places = {Path(HOME), *(Path(place) for place, mount in mounts.items() if mount is not None)}
    gone = {
        name: HOME
        for name in ("HOME", "TMPDIR")
        if name in env and places.isdisjoint([Path(env[name]), *Path(env[name]).parents])
    }
    return {**env, **gone}


def _told(env: Mapping[str, str]) -> int:
    """A descriptor with the options that set the variables: everybody can read arguments."""
    words = ["--clearenv"]
    for name, value in env.items():
        words += ["--setenv", name, value]
    descriptor = os.memfd_create("variables")
    with open(descriptor, "wb", closefd=False) as file:
        file.write(b"".join(os.fsencode(word) + b"\0" for word in words))
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except OSError:
        return []


def _try(launch: Launch) -> None:
    try:
        _run(launch.argv, launch.descriptors)
    finally:
        for descriptor in launch.descriptors:
            os.close(descriptor)


def _run(command: Iterable[str], descriptors: Iterable[int] = ()) -> str:
    found = subprocess.run(
        list(command),
        capture_output=True,
        check=True,
        text=True,
        timeout=PROBE_LIMIT_S,
        pass_fds=tuple(descriptors),
    )
    return found.stdout.strip()
