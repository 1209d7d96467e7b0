"""A Docker engine for tests, started for them, and an image that is this machine's own Python."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
import uv

IMAGE = "lazulite-test:1"
PYTHON = Path("/usr/bin/python3")
PROGRAMS = ("/bin/sh", "/bin/cat", "/bin/sleep", "/usr/bin/env")
LEFT_OUT = ("test", "idlelib", "tkinter", "__pycache__", "ensurepip", "config-")


@contextlib.contextmanager
def engine(folder):
    """A dockerd below the folder; the path of its socket. Skips where none can be started."""
    missing = [name for name in ("dockerd", "containerd", "docker") if shutil.which(name) is None]
    if missing or os.getuid() != 0 or not PYTHON.exists():
        pytest.skip(
            f"no Docker engine can be started: needs root (uid {os.getuid()}), dockerd, containerd "
            f"and docker (missing: {missing}: apt-get install docker.io) and {PYTHON}"
        )
    socket = folder / "docker.sock"
    command = ["dockerd", f"--host=unix://{socket}", f"--data-root={folder / 'data'}"]
    command += [f"--exec-root={folder / 'exec'}", f"--pidfile={folder / 'pid'}"]
    command += ["--bridge=none", "--iptables=false", "--ip6tables=false"]
    log = folder / "dockerd.log"
    with log.open("wb") as output:
        # Its own session, so that the containerd it starts can be ended with it.
        daemon = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    try:
        if not _answers(daemon, log):
            pytest.skip(f"dockerd does not start here: {log.read_text()[-1500:]}")
        yield socket
    finally:
        daemon.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            daemon.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(daemon.pid, signal.SIGKILL)
        daemon.wait(30)
        _unmount(folder)


def _unmount(folder):
    """Let go of what the engine has mounted, so that the folder can be removed."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in reversed(mounted):
        if Path(place).is_relative_to(folder):
            subprocess.run(["umount", "--lazy", place], check=False)


def _answers(daemon, log):
    deadline = time.monotonic() + 60
    while daemon.poll() is None and time.monotonic() < deadline:
        if b"API listen on" in log.read_bytes():
            return True
        time.sleep(0.05)
    return False


def docker(socket, *arguments, **options):
    """Run docker's own command against the engine; its output."""
    command = ["docker", "--host", f"unix://{socket}", *arguments]
    return subprocess.run(command, capture_output=True, check=True, **options).stdout.decode()


def make_image(socket, folder, name=IMAGE):
    """A minimal root with this machine's /usr/bin/python3, as an image. Nothing is downloaded."""
    archive = folder / "root.tar"
    with tarfile.open(archive, "w") as root:
        for place in ("tmp", "proc", "sys", "dev", "etc", "root"):
            entry = tarfile.TarInfo(place)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if place == "tmp" else 0o755
            root.addfile(entry)
        for link, target in (("bin", "usr/bin"), ("lib", "usr/lib"), ("lib64", "usr/lib64")):
            entry = tarfile.TarInfo(link)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            root.addfile(entry)
        _add_python(root)
    return docker(socket, "import", str(archive), name).strip()


def _add_python(root):
    real = PYTHON.resolve()
    library = Path("/usr/lib") / real.name
    programs = [real, *(Path(program).resolve() for program in PROGRAMS)]
    root.add(real, f"usr/bin/{real.name}")
    root.add(library, f"usr/lib/{real.name}", filter=_wanted)
    entry = tarfile.TarInfo("usr/bin/python3")
    entry.type, entry.linkname = tarfile.SYMTYPE, real.name
    root.addfile(entry)
    for name in PROGRAMS:
        root.add(Path(name).resolve(), f"usr/bin/{Path(name).name}")
    for needed in _libraries([*programs, uv.find_uv_bin(), *library.glob("lib-dynload/*.so")]):
        root.add(needed.resolve(), f"usr/{str(needed).removeprefix('/usr').lstrip('/')}")


def _wanted(entry):
    parts = Path(entry.name).parts[3:]
    return None if any(part.startswith(LEFT_OUT) for part in parts) else entry


def _libraries(programs):
    said = subprocess.run(
        ["ldd", *map(str, programs)], capture_output=True, check=False, text=True
    ).stdout
    return sorted({Path(path) for path in re.findall(r"(/\S+) \(0x", said)})
