"""Azurite, Microsoft's emulator of Azure Storage, as a process with a disk folder of its own."""

import base64
import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

VERSION = "3.35.0"
KEY = base64.b64encode(b"azurite " * 8).decode()
ACCOUNT = "benchaccount"


def install(cache: Path) -> Path:
    """Its command; npm brings it into the cache folder on the first call."""
    command = cache / "node_modules" / ".bin" / "azurite-blob"
    if not command.exists():
        cache.mkdir(parents=True, exist_ok=True)
        npm = [
            "npm",
            "install",
            "--no-fund",
            "--no-audit",
            "--loglevel=error",
            f"azurite@{VERSION}",
        ]
        subprocess.run(npm, cwd=cache, check=True)
    return command


@contextlib.contextmanager
def azurite(cache: Path, folder: Path) -> Iterator[tuple[int, str]]:
    """Runs until the block is left: process id and the account's URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)
    options = ["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--blobPort", str(port)]
    environ = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}
    command = ["node", str(install(cache)), *options, "--location", str(folder)]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as server:
        try:
            _wait(port)
            yield server.pid, f"http://127.0.0.1:{port}/{ACCOUNT}"
        finally:
            server.terminate()


def _wait(port: int) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise TimeoutError("Azurite does not answer")
