"""Bodies, streams and connections through the front door, to a real script and back."""

import contextlib
import http.client
import json
import re
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

SCRIPT = """
from azureml.contrib.services.aml_request import rawhttp
from azureml.contrib.services.aml_response import AMLResponse
import os, time

def init():
    pass

def parts(folder):
    yield "first"
    deadline = time.monotonic() + 30
    while not os.path.exists(folder) and time.monotonic() < deadline:
        time.sleep(0.01)
    yield "last" if os.path.exists(folder) else "too late"

@rawhttp
def run(request):
    wanted = request.args
    if "until" in wanted:
        return AMLResponse(parts(wanted["until"]), 200)
    if "size" in wanted:
        return AMLResponse(b"x" * int(wanted["size"]), 200)
    if "length" in wanted:
        return len(request.get_data())
    return AMLResponse(request.get_data(), 200)
"""
MEGABYTE = 1_000_000

pytestmark = pytest.mark.slow


class Door:
    """The scoring URI of a deployment, and connections to it."""

    def __init__(self, live, name):
        self.live, self.path = live, f"/inference/{name}/score"
        url = urlsplit(live.base)
        self.address = url.hostname, url.port
        self.headers = {"Authorization": f"Bearer {live.key(name)}", "Content-Type": "text/plain"}

    @contextlib.contextmanager
    def connection(self):
        link = http.client.HTTPConnection(*self.address, timeout=60)
        with contextlib.closing(link):
            yield link

    def post(self, body, query="", link=None, **more):
        """The body of the answer, on a connection of its own unless there is one."""
        with contextlib.nullcontext(link) if link else self.connection() as found:
            found.request("POST", self.path + query, body, {**self.headers, **more})
            answer = found.getresponse()
            data = answer.read()
            assert answer.status == 200, data[:500]
            return data

    def head(self, *lines):
        """The head of a request, for those who send one by hand."""
        fields = (f"{name}: {value}" for name, value in self.headers.items())
        said = [f"POST {self.path} HTTP/1.1", "Host: localhost", *fields, *lines]
        return "".join(f"{line}\r\n" for line in said).encode() + b"\r\n"


@pytest.fixture(scope="module")
def door(server):
    settings = {"requestTimeout": "PT60S", "maxConcurrentRequestsPerInstance": 8}
    server.deploy("bodies", SCRIPT, requestSettings={**settings, "maxQueueWait": "PT30S"})
    return Door(server, "bodies")


def test_the_first_part_of_a_stream_arrives_before_the_last_is_made(door, tmp_path):
    told = tmp_path / "told"
    with door.connection() as link:
        link.request("POST", f"{door.path}?until={told}", b"", door.headers)
        answer = link.getresponse()
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert answer.read1(100) == b"first"
        told.touch()
        assert answer.read() == b"last"


@pytest.mark.parametrize("size", [0, 1, MEGABYTE])
def test_a_body_comes_back_as_it_went(door, size):
    body = bytes(range(256)) * (size // 256) + b"e" * (size % 256)
    assert door.post(body) == body


def test_a_body_in_chunks_of_any_size_is_one_body(door):
    parts = [b"a", b"b" * 70_000, b"c" * 200_000]
    assert door.post(iter(parts)) == b"".join(parts)


def test_many_requests_use_one_connection(door):
    with door.connection() as link:
        names = set()
        for number in range(20):
            assert door.post(b"%d" % number, link=link) == b"%d" % number
            names.add(link.sock.getsockname())
        assert len(names) == 1


def test_requests_that_are_sent_at_once_are_answered_in_turn(door):
    bodies = [b"%d" % number for number in range(8)]
    last = door.head("Content-Length: 4", "Connection: close") + b"last"
    sent = b"".join(door.head(f"Content-Length: {len(body)}") + body for body in bodies) + last
    with socket.create_connection(door.address, timeout=60) as link:
        link.sendall(sent)
        data = b"".join(iter(lambda: link.recv(65536), b""))
    found = re.findall(rb"\r\n\r\n(\w+?)(?=HTTP/1.1 200|\Z)", data)
    assert found == [*bodies, b"last"]


def test_a_client_that_waits_for_permission_is_given_it(door):
    with socket.create_connection(door.address, timeout=60) as link:
        link.sendall(door.head("Expect: 100-continue", "Content-Length: 5", "Connection: close"))
        assert link.recv(65536).startswith(b"HTTP/1.1 100 ")
        link.sendall(b"12345")
        assert b"".join(iter(lambda: link.recv(65536), b"")).endswith(b"\r\n\r\n12345")


def test_a_hundred_megabytes_pass_both_ways_and_are_given_back(door):
    body = b"x" * (100 * MEGABYTE)
    assert json.loads(door.post(body, "?length=1")) == len(body)
    assert len(door.post(b"", f"?size={len(body)}")) == len(body)
    for _ in range(2):
        door.post(body, "?length=1")
    wait = time.monotonic() + 30
    while largest(door.live) > 100 * MEGABYTE and time.monotonic() < wait:
        time.sleep(0.1)
    assert largest(door.live) < 100 * MEGABYTE


def largest(live):
    """Bytes that the largest of all replicas keeps."""
    return max(
        memory(one["pid"])
        for status in live.data_dir.glob("tasks/*/status.json")
        for one in json.loads(status.read_text()).get("replicas", ())
        if one["pid"]
    )


def memory(pid):
    """Bytes that a process and its children keep; none of those that are gone by now."""
    pids, total = [pid], 0
    for one in pids:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").glob("*/children"):
                pids += [int(child) for child in task.read_text().split()]
            said = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{one}/status").read_text())
            total += int(said[1]) * 1024 if said else 0
    return total
