"""Blobs through the whole server, beside Azurite and the raw disk.

    python -m bench.blob_throughput [--files 10000] [--megabytes 1024] [--azurite FOLDER]

Files of 10 kB and one large file, up and down, eight requests at a time, as clients do it: the
large file in blocks of 8 MiB and a list, then whole in one request; down in ranges. Lazulite
answers through its front door
and has all on the disk before it says so; Azurite does not sync. The raw disk is write and fsync
of the same bytes by as many threads, and reads from the page cache. Rounds take turns. Azurite is
installed into FOLDER (default .bench) by npm on the first run.
"""

import argparse
import base64
import functools
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.azurite import KEY, azurite
from bench.blob_client import Wire, spread
from tests.live import processes_of, running

SMALL, BLOCK, PARALLEL = 10_000, 8 << 20, 8
STORAGE_API = "2022-09-01"
TARGET = 2.0


def main() -> None:
    options = _options()
    blocks = options.megabytes * (1 << 20) // BLOCK
    rows: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="lz-bench-", dir=options.folder) as name:
        folder = Path(name)
        with (
            running(folder) as live,
            azurite(options.azurite, folder / "azurite") as (azurite_pid, azurite_url),
        ):
            account, key = _account(live)
            ours = f"{live.base}/{account}", base64.b64decode(key)
            theirs = azurite_url, base64.b64decode(KEY)
            idle = _resident(live)
            for number in range(options.rounds):
                for title, (url, secret) in {"lazulite": ours, "azurite": theirs}.items():
                    for what, took in _round(url, secret, options.files, blocks, number):
                        rows.setdefault(what, {}).setdefault(title, []).append(took)
                for what, took in _disk(folder / "raw", options.files, blocks):
                    rows.setdefault(what, {}).setdefault("disk", []).append(took)
            print(f"control plane: {idle} MB resident before, {_resident(live)} MB at most since")
            print(f"azurite: {_peak(azurite_pid)} MB at most")
    _report(rows, options.files, blocks)


def _round(url: str, key: bytes, files: int, blocks: int, number: int):
    """What each part of one round took, in seconds, for one server."""
    box = f"bench{number}"
    wire = Wire(url, key)
    wire.send("PUT", f"{box}?restype=container")
    data, block = os.urandom(SMALL), os.urandom(BLOCK)
    run = functools.partial(spread, url, key, parallel=PARALLEL)
    names = [f"{box}/small/{n:06}" for n in range(files)]
    ids = [base64.b64encode(f"{n:06}".encode()).decode() for n in range(blocks)]
    spans = [f"bytes={n * BLOCK}-{(n + 1) * BLOCK - 1}" for n in range(blocks)]
    upload = lambda wire, one: wire.send("PUT", f"{box}/large?comp=block&blockid={one}", block)  # noqa: E731

    def whole() -> None:
        run(upload, ids)
        named = "".join(f"<Latest>{one}</Latest>" for one in ids)
        wire = Wire(url, key)
        wire.send("PUT", f"{box}/large?comp=blocklist", f"<BlockList>{named}</BlockList>".encode())
        wire.close()

    yield "small up", _seconds(lambda: run(lambda wire, name: wire.put(name, data), names))
    yield "small down", _seconds(lambda: run(lambda wire, name: _get(wire, name, SMALL), names))
    yield "large up", _seconds(whole)
    yield "large at once", _seconds(lambda: _put_whole(url, key, f"{box}/whole", block, blocks))
    down = lambda wire, span: _get(wire, f"{box}/large", BLOCK, Range=span)  # noqa: E731
    yield "large down", _seconds(lambda: run(down, spans))
    wire.close()
    wire = Wire(url, key)
    wire.send("DELETE", f"{box}?restype=container")
    wire.close()


def _put_whole(url: str, key: bytes, name: str, block: bytes, blocks: int) -> None:
    wire = Wire(url, key)
    wire.put(name, block, times=blocks)
    wire.close()


def _get(wire: Wire, name: str, size: int, **headers: str) -> None:
    assert wire.send("GET", name, **headers) == size


def _disk(folder: Path, files: int, blocks: int):
    """The same bytes to the disk and back without any server."""
    folder.mkdir()
    small = [(folder / f"{n:06}", os.urandom(SMALL)) for n in range(files)]
    data = os.urandom(BLOCK)
    large = [(folder / f"block{n:06}", data) for n in range(blocks)]
    with ThreadPoolExecutor(PARALLEL) as pool:
        for what, items in {"small": small, "large": large}.items():
            yield f"{what} up", _seconds(lambda items=items: list(pool.map(_write, items)))
            yield f"{what} down", _seconds(lambda items=items: list(pool.map(_read, items)))
    shutil.rmtree(folder)


def _write(item: tuple[Path, bytes]) -> None:
    with item[0].open("wb", buffering=0) as file:
        file.write(item[1])
        os.fsync(file.fileno())


def _read(item: tuple[Path, bytes]) -> None:
    assert len(item[0].read_bytes()) == len(item[1])


def _report(rows: dict[str, dict[str, list[float]]], files: int, blocks: int) -> None:
    amount = {"small": (files, "files/s"), "large": (blocks * BLOCK / 1e6, "MB/s")}
    print(f"{'':14} {'lazulite':>9} {'azurite':>9} {'raw disk':>9}          against Azurite")
    for what, times in rows.items():
        total, unit = amount[what.split()[0]]
        ours, theirs, disk = (
            total / statistics.median(times.get(who) or rows["large up"][who])
            for who in ("lazulite", "azurite", "disk")
        )
        print(
            f"{what:14} {ours:9.0f} {theirs:9.0f} {disk:9.0f} {unit:8} {ours / theirs:4.1f}x"
            f" {'' if ours / theirs >= TARGET else f'(target {TARGET:.0f}x missed)'}"
        )


def _account(live) -> tuple[str, str]:
    """Name and key of the storage account of the server's workspace."""
    whole = live.call("GET", "").json()["properties"]["storageAccount"]
    keys = live.call("POST", f"{whole}/listKeys", api=STORAGE_API).json()["keys"]
    return whole.rsplit("/", 1)[-1], keys[0]["value"]


def _resident(live) -> int:
    """Of the control plane, at most since it started, in MB."""
    pids = [pid for pid, line in processes_of(live.data_dir) if "lazulite up" in line]
    return max((_peak(pid) for pid in pids), default=0)


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 // 10**6


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--azurite", type=Path, default=Path(".bench/azurite"))
    parser.add_argument("--folder", type=Path, help="a folder of the disk to measure")
    return parser.parse_args()


if __name__ == "__main__":
    main()
