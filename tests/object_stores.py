"""Emulators of object stores, as processes on free ports."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import wait_for

MOTO = Path(sys.prefix) / "object-stores" / "bin" / "moto_server"
AZURITE = Path(sys.prefix) / "storage-clients" / "node_modules/azurite/dist/src/blob/main.js"
ACCOUNT, KEY = "foreign", base64.b64encode(b"of a foreign account").decode()


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """The URL of a server with the protocol of S3, which forgets all at its end."""
    if not MOTO.exists():
        pytest.skip("no S3 server: make .venv/.ready-objects")
    port = _free_port()
    with _running([str(MOTO), "-H", "127.0.0.1", "-p", str(port)], port):
        yield f"http://127.0.0.1:{port}"


def s3_variables(url: str) -> dict[str, str]:
    """What a process must know to use it."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }


@contextlib.contextmanager
def azure_server(folder: Path) -> Iterator[str]:
    """The URL of a foreign Azure, with one account."""
    if not AZURITE.exists():
        pytest.skip("no Azurite: make .venv/.ready-storage, with npm")
    port = _free_port()
    options = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    command = ["node", str(AZURITE), *options, "--blobPort", str(port), "--location", str(folder)]
    with _running(command, port):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    env = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=env, **quiet) as server:
        try:
            wait_for(lambda: _answers(port), 60)
            yield
        finally:
            server.terminate()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
