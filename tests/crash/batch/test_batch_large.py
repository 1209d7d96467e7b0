"""Large jobs, for the night: images with failures of every sort, and a million files."""

import random
import struct
import time
import zlib
from pathlib import Path

import pytest

pytestmark = [pytest.mark.crash, pytest.mark.nightly, pytest.mark.timeout(1800)]

COUNT, MILLION, MOST_MIB = 10_000, 10**6, 300
CLASSIFY = """
import os, struct, time, zlib
def run(mini_batch):
    return [classify(path) for path in mini_batch]
def classify(path):
    name = os.path.basename(path)
    number, once = int(name[1:6]), os.path.join(os.environ["SEEN"], name)
    with open(path, "rb") as file:
        pixels = zlib.decompress(file.read()[41:-16])
    if number % 500 == 7 and not os.path.exists(once):
        open(once, "w").close()
        {0: lambda: time.sleep(600), 1: lambda: os._exit(139), 2: lambda: 1 / 0}[number % 3]()
    return "%s %d" % (name, sum(pixels) % 10)
"""


def png(number):
    """A grey picture of 28 by 28 pixels."""
    rows = (bytes((number * 7 + y * x) % 256 for x in range(28)) for y in range(28))
    lines = b"".join(b"\0" + row for row in rows)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines)),
        (b"IEND", b""),
    )
    told = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(told), sum(lines) % 10


def test_ten_thousand_images_with_failures_of_every_sort(bench, kill):
    """Hangs, crashes and exceptions that pass with a second try, while processes are killed."""
    expected = []
    for number in range(COUNT):
        data, digit = png(number)
        (bench.inputs / f"i{number:05}.png").write_bytes(data)
        expected.append(f"i{number:05}.png {digit}\n")
    (bench.folder / "seen").mkdir()
    env = bench.env(SEEN=str(bench.folder / "seen"))
    bench.write_job(script=CLASSIFY, max_retries=40, timeout_s=1, env=env)
    for name in ("node0", "node1"):
        bench.start_node(name)
    supervisor, chance, done = bench.start_supervisor(), random.Random(7), 0
    for _ in range(30):
        bench.until_done_or_ended(supervisor, done)
        done = bench.progress["done"]
        victim = chance.choice(["worker", "node", "supervisor"])
        if victim == "worker" and (alive := bench.processes()):
            kill(chance.choice(alive))
        elif victim == "node":
            name = chance.choice(["node0", "node1"])
            bench.nodes[name][0].kill()
            bench.nodes[name][0].wait()
            bench.start_node(name)
        elif supervisor.poll() is None:
            supervisor.kill()
            supervisor.wait()
            supervisor = bench.start_supervisor()
    assert supervisor.wait(600) == 0, bench.progress
    assert bench.output.read_text() == "".join(expected)
    assert bench.progress["failed_items"] == 0


def peak_mib(process):
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return 0
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines.get("VmHWM", "0 kB").split()[0]) // 1024


def test_the_supervisor_of_a_million_files_is_small(bench):
    for number in range(MILLION):
        (bench.inputs / f"f{number:07}.txt").touch()
    bench.write_job(script="def run(b): return ['ok'] * len(b)\n", logging_level="warning")
    bench.start_node()
    supervisor, peak = bench.start_supervisor(), 0
    while supervisor.poll() is None:
        peak = max(peak, peak_mib(supervisor))
        time.sleep(0.05)
    assert supervisor.wait() == 0, bench.progress
    assert bench.progress["rows"] == MILLION
    assert 0 < peak < MOST_MIB
