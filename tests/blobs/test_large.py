"""Large blobs and large containers in bounded memory, in a server process that is measured."""

import contextlib
import http.client
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

SERVER = Path(__file__).parents[1] / "crash" / "blob_server.py"
PIECE = 1 << 20  # bytes
GROWTH = 150 << 20  # bytes of memory
PAGE = 5000


@contextlib.contextmanager
def server(folder):
    """A blob server's process id, and a connection to it."""
    command = [sys.executable, str(SERVER), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = int(process.stdout.readline())
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
            with contextlib.closing(connection):
                yield process.pid, connection
        finally:
            process.kill()


def resident(pid, field="VmRSS"):
    """Bytes of memory; VmHWM: at most since the start."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024


def asked(connection, method, path, body=None, **headers):
    connection.request(method, f"/mlstore/files/{path}", body, headers)
    return connection.getresponse()


def up_and_down(folder, megabytes):
    """One blob in one request, and the same bytes back; how much the server grew."""
    with server(folder) as (pid, connection):
        before, piece = resident(pid), os.urandom(PIECE)
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Length": str(megabytes * PIECE)}
        body = (piece for _ in range(megabytes))
        answer = asked(connection, "PUT", "large", body, **headers)
        assert (answer.status, answer.read()) == (201, b"")
        answer = asked(connection, "GET", "large")
        for _ in range(megabytes):
            assert answer.read(PIECE) == piece
        assert answer.read() == b""
        return resident(pid, "VmHWM") - before


def test_a_blob_of_600_megabytes_goes_up_and_down_in_bounded_memory(tmp_path):
    assert up_and_down(tmp_path, 600) < GROWTH


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_a_blob_of_4999_megabytes_goes_up_and_down_in_bounded_memory(tmp_path):
    """The most that one Put Blob may have."""
    assert up_and_down(tmp_path, 4999) < GROWTH


def listed(connection):
    """Names of all blobs, page after page, and the seconds that each page took."""
    names, times, marker = [], [], ""
    while True:
        query = {"restype": "container", "comp": "list", "maxresults": PAGE, "marker": marker}
        start = time.perf_counter()
        answer = asked(connection, "GET", f"?{urlencode(query)}")
        page = answer.read()
        times.append(time.perf_counter() - start)
        found = ElementTree.fromstring(page)
        names += [item.text for item in found.iter("Name")]
        marker = found.findtext("NextMarker") or ""
        if not marker:
            return names, times


def fill(folder, count):
    """Files as a job leaves them: no rows."""
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number:06}").touch()


def list_all(folder, count):
    """How much the server grew, and the seconds of each page."""
    fill(folder / "blobs" / "mlstore" / "files" / "many", count)
    with server(folder) as (pid, connection):
        before = resident(pid)
        names, times = listed(connection)
        assert names == [f"many/{number:06}" for number in range(count)]
        return resident(pid, "VmHWM") - before, times


def test_a_container_of_20_000_blobs_lists_in_bounded_memory(tmp_path):
    growth, times = list_all(tmp_path, 20_000)
    assert len(times) == 4
    assert growth < GROWTH / 2


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_a_container_of_200_000_blobs_lists_in_the_same_memory(tmp_path):
    growth, times = list_all(tmp_path, 200_000)
    print(f"{growth >> 20} MiB more; a page of {PAGE}: {max(times):.2f} s at most")
    assert len(times) == 40
    assert growth < GROWTH / 2
