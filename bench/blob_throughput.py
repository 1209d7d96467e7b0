"""One gigabyte up and down through the gateway: MB/s, CPU and memory of the server.

python bench/blob_throughput.py [FOLDER]    FOLDER: on the disk to measure, else a temporary one
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

SERVER = Path(__file__).parents[1] / "tests" / "crash" / "blob_server.py"
SIZE, PIECE, BLOCK = 1 << 30, 1 << 20, 8 << 20  # bytes


def main(folder: Path) -> None:
    command = [sys.executable, str(SERVER), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        port = int(server.stdout.readline())
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        print(f"at start: {peak(server.pid)} MB resident")
        with measured("Put Blob", server.pid):
            put(connection, "whole", SIZE)
        with measured("Put Block, 8 MiB each", server.pid):
            for number in range(SIZE // BLOCK):
                put(connection, f"blocks?comp=block&blockid={block_id(number)}", BLOCK)
        with measured("Put Block List", server.pid):
            commit(connection)
        for name in ("whole", "blocks"):
            with measured(f"Get Blob {name}", server.pid):
                get(connection, name)
        for size in (10, 100_000):
            small(connection, size)
        connection.close()
        server.kill()


def put(connection: http.client.HTTPConnection, path: str, size: int) -> None:
    piece = os.urandom(PIECE)
    headers = {"x-ms-blob-type": "BlockBlob", "content-length": str(size)}
    body = (piece for _ in range(size // PIECE))
    connection.request("PUT", f"/mlstore/files/{path}", body, headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 201, answer.status


def commit(connection: http.client.HTTPConnection) -> None:
    names = "".join(f"<Latest>{block_id(number)}</Latest>" for number in range(SIZE // BLOCK))
    document = f"<BlockList>{names}</BlockList>".encode()
    connection.request("PUT", "/mlstore/files/blocks?comp=blocklist", document)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 201, answer.status


def get(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("GET", f"/mlstore/files/{path}")
    answer, size = connection.getresponse(), 0
    while piece := answer.read(PIECE):
        size += len(piece)
    assert size == SIZE


def small(connection: http.client.HTTPConnection, size: int) -> None:
    start, count = time.perf_counter(), 200
    for number in range(count):
        data = os.urandom(size)
        headers = {"x-ms-blob-type": "BlockBlob"}
        connection.request("PUT", f"/mlstore/files/small/{number}", data, headers)
        connection.getresponse().read()
    print(f"Put Blob of {size} bytes: {count / (time.perf_counter() - start):.0f} a second, serial")


def block_id(number: int) -> str:
    return base64.b64encode(f"{number:06}".encode()).decode()


@contextlib.contextmanager
def measured(what: str, pid: int) -> Iterator[None]:
    start, used = time.perf_counter(), cpu(pid)
    yield
    took = time.perf_counter() - start
    print(
        f"{what}: {SIZE / took / 1e6:.0f} MB/s, {cpu(pid) - used:.1f} s of CPU, "
        f"peak {peak(pid)} MB resident"
    )


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak(pid: int) -> int:
    """Since the start, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 // 1_000_000


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
