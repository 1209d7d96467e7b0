"""kill -9 of a blob server in the middle of uploads, and disks that are full."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import http.client
import random
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx2
import pytest

from lazulite.blobs.objects import open_objects
from tests.live import wait_for
from tests.object_stores import s3_server, s3_variables

SERVER = Path(__file__).with_name("blob_server.py")
ROUNDS, NIGHTLY_ROUNDS = 12, 100
WRITERS = 4
SIZES = (0, 10, 1000, 70_000, 1_500_000)  # bytes; up to more than one buffer


GONE = (0, 0)


@dataclasses.dataclass
class Known:
    """What a writer knows of one of its blobs: version and note. Version 0: not there."""

    sent: set[tuple[int, int]] = dataclasses.field(default_factory=lambda: {GONE})
    """What may be there: what was acknowledged last, and what was sent after it."""


@contextlib.contextmanager
def running(folder: Path, url: str = "", **options) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, str(SERVER), str(folder), url]
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
    return contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30))


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


def annotate(connection, name: str, version: int, note: int) -> bool:
    """Replace the metadata; False if there is no blob."""
    said = {"x-ms-meta-version": str(version), "x-ms-meta-note": str(note)}
    answer, told = request(connection, "PUT", f"{name}?comp=metadata", **said)
    assert answer.status in {200, 404}, told
    return answer.status == 200


def remove(connection, name: str) -> None:
    answer, told = request(connection, "DELETE", name)
    assert answer.status in {202, 404}, told


def abandon(connection, name: str, version: int) -> None:
    """A block that nobody commits."""
    block = base64.b64encode(f"{version:013}".encode()).decode()
    request(connection, "PUT", f"{name}?comp=block&blockid={block}", content(name, version))


def step(connection, chooser: random.Random, name: str, blob: Known, number: int) -> None:
    """One change of one blob, with what may be there kept up to date around it."""
    [(version, _)] = blob.sent
    chance = chooser.random()
    if chance < 0.15:
        blob.sent.add(GONE)
        remove(connection, name)
        blob.sent = {GONE}
    elif chance < 0.35 and version:
        blob.sent.add((version, number))
        assert annotate(connection, name, version, number)
        blob.sent = {(version, number)}
    elif chance < 0.45:
        abandon(connection, name, number)
    else:
        blob.sent.add((number, 0))
        write(connection, name, number)
        blob.sent = {(number, 0)}


def burst(port: int, writer: int, known: dict[str, Known], first: int) -> int:
    """Change blobs until the server is gone; the number of acknowledged changes."""
    chooser, done = random.Random(f"{writer} {first}"), 0
    lost = contextlib.suppress(OSError, http.client.HTTPException)
    with lost, connected(port) as connection:
        for number in range(first, first + 100_000):
            name = f"w{writer}/{chooser.choice('abcd')}/{chooser.randrange(5)}"
            step(connection, chooser, name, known.setdefault(name, Known()), number)
            done += 1
    return done


def check(port: int, known: dict[str, Known]) -> None:
    """Every blob is one of the versions that it may be, with its metadata; that is now known."""
    with connected(port) as connection:
        for name, blob in known.items():
            answer, data = request(connection, "GET", name)
            found = GONE
            if answer.status == 200:
                said = answer.headers
                found = int(said["x-ms-meta-version"]), int(said.get("x-ms-meta-note", 0))
            assert found in blob.sent, f"{name}: {found} is there, may be {blob.sent}"
            assert data == content(name, found[0]) if found[0] else answer.status == 404
            blob.sent = {found}


def orphans(folder: Path) -> list[str]:
    """Rows that describe no file, and files that are listed nowhere."""
    files = {
        str(path.relative_to(folder / "blobs")): path.stat()
        for path in (folder / "blobs" / "mlstore").rglob("*")
        if path.is_file()
    }
    with contextlib.closing(sqlite3.connect(folder / "state.db")) as database:
        rows = database.execute("SELECT account, container, name, size, mtime_ns FROM blobs")
        described = {"/".join(row[:3]): row[3:] for row in rows}
        (count,) = database.execute("SELECT count(*) FROM blobs").fetchone()
    found = {name: (status.st_size, status.st_mtime_ns) for name, status in files.items()}
    stale = [name for name in described if found.get(name) != described[name]]
    return stale + ["several rows of one blob"] * (count > len(described))


def check_folders(folder: Path, known: list[dict[str, Known]]) -> None:
    """Nothing is left of uploads that were cut off, and every file is a blob that is known."""
    blobs = folder / "blobs"
    assert list((blobs / ".staging").iterdir()) == []
    wait_for(lambda: orphans(folder) == [])
    there = {f"w{n}/{one}" for n in range(WRITERS) for one in files_of(blobs, f"w{n}")}
    assert there == {name for each in known for name, blob in each.items() if blob.sent != {GONE}}


def files_of(blobs: Path, writer: str) -> list[str]:
    root = blobs / "mlstore" / "files" / writer
    return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]


def check_objects(url: str, folder: Path, known: list[dict[str, Known]]) -> None:
    """The same where an object store keeps the blobs."""
    assert list((folder / "blobs" / ".staging").iterdir()) == []
    wait_for(lambda: unbound(folder) == 0)
    pages = open_objects(url).listed("mlstore/files")
    there = {one.name.removeprefix("mlstore/files/") for page in pages for one in page}
    assert there == {name for each in known for name, blob in each.items() if blob.sent != {GONE}}


def unbound(folder: Path) -> int:
    with contextlib.closing(sqlite3.connect(folder / "state.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM blobs WHERE e_tag IS NULL").fetchone()
    return count


def kill_and_check(folder: Path, rounds: int, url: str = "", look=check_folders) -> None:
    known: list[dict[str, Known]] = [{} for _ in range(WRITERS)]
    done, chooser = [0] * WRITERS, random.Random(1)

    def work(port: int, writer: int, first: int) -> None:
        done[writer] += burst(port, writer, known[writer], first)

    for number in range(rounds + 1):
        with running(folder, url) as (server, port):
            for blobs in known:
                check(port, blobs)
            look(folder, known)
            if number == rounds:
                break
            with ThreadPoolExecutor(WRITERS) as pool:
                first = 1 + number * 100_000
                bursts = [pool.submit(work, port, writer, first) for writer in range(WRITERS)]
                with contextlib.suppress(subprocess.TimeoutExpired):
                    server.wait(chooser.uniform(0.1, 1.0))  # the moment of death
                server.send_signal(signal.SIGKILL)
            for each in bursts:
                each.result()
    print(f"{rounds} kills, {sum(done)} acknowledged, 0 lost")
    assert sum(done) > rounds


@pytest.mark.crash
def test_killed_server_has_every_acknowledged_blob_no_torn_one_and_no_orphan(tmp_path):
    kill_and_check(tmp_path, ROUNDS)


@pytest.mark.crash
@pytest.mark.slow
def test_the_same_is_so_where_an_object_store_keeps_the_blobs(tmp_path, monkeypatch):
    with s3_server() as server:
        for name, value in s3_variables(server).items():
            monkeypatch.setenv(name, value)
        httpx2.put(f"{server}/bucket").raise_for_status()
        url = "s3://bucket/prefix"
        kill_and_check(tmp_path, ROUNDS // 3, url, partial(check_objects, url))


@pytest.mark.nightly
@pytest.mark.crash
@pytest.mark.timeout(1800)
def test_a_hundred_kills_lose_nothing(tmp_path):
    kill_and_check(tmp_path, NIGHTLY_ROUNDS)


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
