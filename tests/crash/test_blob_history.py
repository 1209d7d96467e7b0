"""kill -9 of a blob server in the middle of appends, snapshots and names that make way."""

from __future__ import annotations

import contextlib
import http.client
import random
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.crash.test_blob_durability import connected, request, running

ROUNDS, NIGHTLY_ROUNDS = 8, 60
WRITERS = 4
SIZES = (1, 3000, 200_000)  # bytes of one append
BROKEN = (OSError, http.client.HTTPException)


class Log:
    """An append blob that one writer grows, snapshots and replaces, as it must be found."""

    def __init__(self, name: str) -> None:
        self.name, self.done, self.pending = name, [], None
        self.taken: dict[str, bytes] = {}
        self.acknowledged = 0

    @property
    def data(self) -> bytes:
        return b"".join(self.done)

    def step(self, connection, chooser: random.Random) -> None:
        """One append, and now and then a snapshot of it or a folder below its name."""
        if not self.done:
            self._send(connection, "PUT", "", b"", **{"x-ms-blob-type": "AppendBlob"})
        piece = chooser.randbytes(chooser.choice(SIZES))
        self.pending = piece
        self._send(connection, "PUT", "?comp=appendblock", piece)
        self.done.append(piece)
        self.pending = None
        if chooser.random() < 0.3:
            answer = self._send(connection, "PUT", "?comp=snapshot")
            self.taken[answer.headers["x-ms-snapshot"]] = self.data
        if chooser.random() < 0.3:
            block = {"x-ms-blob-type": "BlockBlob"}
            self._send(connection, "PUT", f"/below{len(self.done)}", b"x", **block)

    def check(self, connection) -> None:
        """All that was acknowledged is there, and what was not is there whole or not at all."""
        answer, found = request(connection, "GET", self.name)
        if not self.done and self.pending is None and answer.status == 404:
            return
        wanted = self.data
        if self.pending is not None and found != wanted:
            wanted += self.pending
            self.done.append(self.pending)
        assert found == wanted, f"{self.name}: {len(found)} bytes of {len(wanted)}"
        self.pending = None
        for snapshot, data in self.taken.items():
            answer, found = request(connection, "GET", f"{self.name}?snapshot={snapshot}")
            assert (answer.status, found == data) == (200, True), snapshot

    def _send(self, connection, method, query, body=b"", **headers):
        answer, told = request(connection, method, self.name + query, body, **headers)
        assert answer.status == 201, told
        self.acknowledged += 1
        return answer


def work(port: int, log: Log, seed: int) -> None:
    """Until the server dies."""
    chooser = random.Random(seed)
    with contextlib.suppress(*BROKEN), connected(port) as connection:
        while True:
            log.step(connection, chooser)


def orphans(blobs: Path, logs: list[Log]) -> list[str]:
    """Files of snapshots that nobody was told of, beyond the one that was being taken."""
    files = (blobs / ".snapshots").glob("*/*/*/*")
    known = {snapshot for log in logs for snapshot in log.taken}
    return [path.name for path in files if path.name not in known]


def kill_and_check(folder: Path, rounds: int) -> None:
    logs = [Log(f"log{n}") for n in range(WRITERS)]
    chooser = random.Random(20261121)
    for number in range(rounds + 1):
        with running(folder) as (server, port):
            with connected(port) as connection:
                for log in logs:
                    log.check(connection)
            assert list((folder / "blobs" / ".staging").iterdir()) == []
            assert list((folder / "blobs").glob(".way-*")) == []
            assert len(orphans(folder / "blobs", logs)) <= number * WRITERS
            if number == rounds:
                break
            with ThreadPoolExecutor(WRITERS) as pool:
                bursts = [pool.submit(work, port, log, number) for log in logs]
                with contextlib.suppress(subprocess.TimeoutExpired):
                    server.wait(chooser.uniform(0.1, 0.6))  # the moment of death
                server.send_signal(signal.SIGKILL)
            for each in bursts:
                each.result()
    done = sum(log.acknowledged for log in logs)
    print(f"{rounds} kills, {done} acknowledged, 0 lost")
    assert done > rounds
    assert any(log.taken for log in logs)


@pytest.mark.crash
def test_killed_server_has_every_append_and_snapshot_whole(tmp_path):
    kill_and_check(tmp_path, ROUNDS)


@pytest.mark.nightly
@pytest.mark.crash
@pytest.mark.timeout(1800)
def test_sixty_kills_lose_no_append_and_no_snapshot(tmp_path):
    kill_and_check(tmp_path, NIGHTLY_ROUNDS)
