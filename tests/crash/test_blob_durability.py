"""kill -9 of a blob server in the middle of uploads, and disks that are full."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import http.client
import os
import random
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVER = Path(__file__).with_name("blob_server.py")
ROUNDS = int(os.environ.get("LAZULITE_TEST_KILLS", "8"))
WRITERS = 4
SIZES = (0, 10, 1000, 70_000, 1_500_000)  # bytes; up to more than one buffer


@dataclasses.dataclass
class Known:
    """What a writer knows of one of its blobs. Version 0: not there."""

    sent: set[int] = dataclasses.field(default_factory=lambda: {0})
    """Versions that may be there: the acknowledged one, and those sent after it."""


@contextlib.contextmanager
def running(folder: Path, **options) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, str(SERVER), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as server:
        try:
            yield server, int(server.stdout.readline())
        finally:
            server.kill()


def content(name: str, version: int) -> bytes:
    text = f"{name} {version}\n".encode()
    size = SIZES[(version * 7 + len(name)) % len(SIZES)]
    return text * (size // len(text) + 1)


def connected(port: int) -> contextlib.closing[http.client.HTTPConnection]:
    return contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20))


def request(connection, method: str, path: str, body: bytes = b"", **headers: str):
    connection.request(method, f"/mlstore/files/{path}", body, headers)
    answer = connection.getresponse()
    return answer, answer.read()


def write(connection, name: str, version: int) -> None:
    """One version, whole or in blocks. Raises unless it was acknowledged."""
    data, meta = content(name, version), {"x-ms-meta-version": str(version)}
    if version % 3:
        answer, _ = request(
            connection, "PUT", name, data, **meta, **{"x-ms-blob-type": "BlockBlob"}
        )
        assert answer.status == 201, answer.headers
        return
    pieces = [data[start : start + 400_000] for start in range(0, len(data), 400_000)]
    ids = [base64.b64encode(f"{version:09}{n:04}".encode()).decode() for n in range(len(pieces))]
    for block, piece in zip(ids, pieces, strict=True):
        answer, told = request(connection, "PUT", f"{name}?comp=block&blockid={block}", piece)
        assert answer.status == 201, told
    document = "".join(f"<Latest>{block}</Latest>" for block in ids)
    document = f"<BlockList>{document}</BlockList>"
    answer, told = request(connection, "PUT", f"{name}?comp=blocklist", document.encode(), **meta)
    assert answer.status == 201, told


def burst(port: int, writer: int, known: dict[str, Known], first: int) -> int:
    """Write until the server is gone; the number of acknowledged requests."""
    chooser, done = random.Random(f"{writer} {first}"), 0
    lost = contextlib.suppress(OSError, http.client.HTTPException)
    with lost, connected(port) as connection:
        for version in range(first, first + 100_000):
            name = f"w{writer}/{chooser.choice('abcd')}/{chooser.randrange(5)}"
            blob = known.setdefault(name, Known())
            if chooser.random() < 0.15:
                blob.sent.add(0)
                answer, _ = request(connection, "DELETE", name)
                assert answer.status in {202, 404}
                blob.sent = {0}
            else:
                blob.sent.add(version)
                write(connection, name, version)
                blob.sent = {version}
            done += 1
    return done


def check(port: int, known: dict[str, Known]) -> None:
    """Every blob is one of the versions that it may be, with its metadata; that is now known."""
    with connected(port) as connection:
        for name, blob in known.items():
            answer, data = request(connection, "GET", name)
            version = int(answer.headers["x-ms-meta-version"]) if answer.status == 200 else 0
            assert version in blob.sent, f"{name}: {version} is there, may be {blob.sent}"
            assert data == content(name, version) if version else answer.status == 404
            blob.sent = {version}


@pytest.mark.crash
@pytest.mark.timeout(60 + 20 * ROUNDS)
def test_killed_server_has_every_acknowledged_blob_and_no_torn_one(tmp_path):
    known: list[dict[str, Known]] = [{} for _ in range(WRITERS)]
    done, chooser = [0] * WRITERS, random.Random(1)

    def work(port: int, writer: int, first: int) -> None:
        done[writer] += burst(port, writer, known[writer], first)

    for number in range(ROUNDS):
        with running(tmp_path) as (server, port):
            staging = tmp_path / "blobs" / ".staging"
            assert list(staging.iterdir()) == []
            for blobs in known:
                check(port, blobs)
            threads = [
                threading.Thread(target=work, args=(port, writer, 1 + number * 100_000))
                for writer in range(WRITERS)
            ]
            for thread in threads:
                thread.start()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(chooser.uniform(0.1, 1.0))  # the moment of death
            server.send_signal(signal.SIGKILL)
            for thread in threads:
                thread.join()
    with running(tmp_path) as (_, port):
        for blobs in known:
            check(port, blobs)
    print(f"{ROUNDS} kills, {sum(done)} acknowledged, 0 lost")
    assert sum(done) > ROUNDS


def test_file_size_limit_is_answered_with_507_and_leaves_nothing(tmp_path):
    limit = 8 << 20

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    with running(tmp_path, preexec_fn=limited) as (_, port), connected(port) as connection:
        block = {"x-ms-blob-type": "BlockBlob"}
        answer, body = request(connection, "PUT", "big", b"x" * (limit + 1), **block)
        assert (answer.status, answer.headers["x-ms-error-code"]) == (507, "InsufficientStorage")
        assert b"disk" in body
        assert request(connection, "GET", "big")[0].status == 404
        assert request(connection, "PUT", "small", b"x", **block)[0].status == 201
        assert list((tmp_path / "blobs" / ".staging").iterdir()) == []


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 6 MiB for the blobs; the database stays outside."""
    disk = tmp_path / "blobs"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a tmpfs is not allowed here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_full_disk_is_answered_with_507_and_passes_when_there_is_space_again(small_disk, tmp_path):
    with running(tmp_path) as (_, port), connected(port) as connection:
        block = {"x-ms-blob-type": "BlockBlob"}
        assert request(connection, "PUT", "old", b"o" * (4 << 20), **block)[0].status == 201
        for path in ("new", "old", "new?comp=block&blockid=AA=="):
            answer, _ = request(connection, "PUT", path, b"n" * (4 << 20), **block)
            assert (answer.status, answer.headers["x-ms-error-code"]) == (
                507,
                "InsufficientStorage",
            )
        assert request(connection, "GET", "new")[0].status == 404
        assert request(connection, "GET", "old")[1] == b"o" * (4 << 20)
        assert list((small_disk / ".staging").iterdir()) == []
        assert request(connection, "DELETE", "old")[0].status == 202
        assert request(connection, "PUT", "new", b"n" * (4 << 20), **block)[0].status == 201
