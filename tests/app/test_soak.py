"""Hours of scoring, in short: no process of the server grows.

LAZULITE_SOAK_SECONDS says for how long (default 1800): `pytest -m nightly tests/app/test_soak.py`.
"""

import contextlib
import dataclasses
import os
import random
import re
import socket
import statistics
import threading
import time
from pathlib import Path

import httpx2
import pytest

from tests.live import processes_of, running

SECONDS = float(os.environ.get("LAZULITE_SOAK_SECONDS", "1800"))
CALLERS = 4
SAMPLES = 30
MEBIBYTE = 1 << 20
LIMITS = {"memory": 16 * MEBIBYTE, "descriptors": 16, "threads": 4}
"""What one process may have more of in the last third of the time than in the second."""
SCRIPT = """
from azureml.contrib.services.aml_request import rawhttp
from azureml.contrib.services.aml_response import AMLResponse

def init():
    pass

def parts(count):
    for number in range(count):
        yield "x" * 1000

@rawhttp
def run(request):
    asked = request.args
    if "fail" in asked:
        raise ValueError("asked for")
    if "stream" in asked:
        return AMLResponse(parts(int(asked["stream"])), 200)
    print("scored", len(request.get_data()))
    return len(request.get_data())
"""


@dataclasses.dataclass(frozen=True)
class Size:
    """What one process takes."""

    memory: int  # bytes
    descriptors: int
    threads: int


class Callers:
    """Threads that send all sorts of requests until stopped. answered: how many, by status."""

    def __init__(self, live, name):
        self.url = f"{live.base}/inference/{name}/score"
        self.headers = {"authorization": f"Bearer {live.key(name)}"}
        self.answered, self.stop = {}, threading.Event()
        self._live = live
        self._threads = [threading.Thread(target=self._call, args=(n,)) for n in range(CALLERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self._threads:
            thread.join(60)

    def _call(self, seed):
        chance = random.Random(seed)
        while not self.stop.is_set():  # a new client now and then: connections come and go
            with httpx2.Client(timeout=60, headers=self.headers) as client:
                for _ in range(200):
                    if self.stop.is_set():
                        return
                    status = self._one(client, chance)
                    self.answered[status] = self.answered.get(status, 0) + 1

    def _one(self, client, chance):
        kind = chance.random()
        if kind < 0.02:
            return self._abandoned()
        if kind < 0.04:
            wrong = {"authorization": "Bearer wrong"}
            return client.post(self.url, content=b"x", headers=wrong).status_code
        if kind < 0.06:
            return client.post(f"{self.url}?fail=1", content=b"x").status_code
        if kind < 0.1:
            return client.post(f"{self.url}?stream=20", content=b"x").status_code
        if kind < 0.12:
            return client.post(self.url, content=b"x" * MEBIBYTE).status_code
        time.sleep(0.002)
        return client.post(self.url, content=b"x" * chance.randrange(2000)).status_code

    def _abandoned(self):
        """A client that leaves in the middle of its request."""
        host, port = self._live.base.split("/")[2].split(":")
        with socket.create_connection((host, int(port)), timeout=60) as link:
            path = self.url.partition(f":{port}")[2]
            link.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Le".encode())
        return 0


def sizes(live):
    """The Size of every process of the server, by pid."""
    pids, found = [pid for pid, _line in processes_of(live.data_dir)], {}
    for pid in pids:
        with contextlib.suppress(OSError, TypeError):
            process = Path(f"/proc/{pid}")
            for children in process.glob("task/*/children"):
                pids += [int(child) for child in children.read_text().split()]
            status = (process / "status").read_text()
            found[pid] = Size(
                memory=int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024,
                descriptors=len(list((process / "fd").iterdir())),
                threads=int(re.search(r"Threads:\s+(\d+)", status)[1]),
            )
    return found


def growth(samples, pid, name):
    """What the last third of the samples has over the second."""
    values = [getattr(sample[pid], name) for sample in samples if pid in sample]
    third = len(values) // 3
    return statistics.median(values[-third:]) - statistics.median(values[third : 2 * third])


@pytest.mark.nightly
@pytest.mark.timeout(SECONDS + 300)
def test_no_process_grows(tmp_path):
    with running(tmp_path) as live:
        limits = {"maxConcurrentRequestsPerInstance": 4, "maxQueueWait": "PT30S"}
        live.deploy("soak", SCRIPT, instances=2, requestSettings=limits)
        samples = []
        with Callers(live, "soak") as callers:
            for _ in range(SAMPLES):
                callers.stop.wait(SECONDS / SAMPLES)
                live.state_of("/onlineEndpoints/soak")
                samples.append(sizes(live))
        assert set(callers.answered) <= {0, 200, 401, 424}, callers.answered
        assert callers.answered[200] > SECONDS, callers.answered
        print(callers.answered)
        lines = dict(processes_of(live.data_dir))
    lasting = set.intersection(*map(set, samples))
    assert len(lasting) >= 5, lines
    for name, most in LIMITS.items():
        grown = {pid: growth(samples, pid, name) for pid in lasting}
        print(name, sorted(grown.values()))
        over = {lines.get(pid, pid): more for pid, more in grown.items() if more > most}
        assert over == {}, name
