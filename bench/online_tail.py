"""Latency of two workers at 80 % of what they can do, and the cold start of a replica.

    python -m bench.online_tail [--peers genuine,mlserver] [--seconds 20] [--venvs FOLDER]

Requests come when they come (a Poisson process), whether earlier ones are answered or not. run()
sleeps 5 ms, and 50 ms one time in ten, so that two workers can do 210 in a second: how requests
wait is measured, not how fast a processor is. Latency counts from when a request was due. Peers
hand requests out in turn or to whoever accepts first; ours go to the process with the fewest.
"""

import argparse
import asyncio
import contextlib
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from bench.online_peers import PEERS, CannotRunError
from bench.online_replica import NO_OP, replica
from bench.online_work import SCORE
from tests.live import running as whole_server

WORKERS, LOAD = 2, 0.8
SHORT_S, LONG_S, LONG_SHARE = 0.005, 0.05, 0.1
MEAN_S = SHORT_S * (1 - LONG_SHARE) + LONG_S * LONG_SHARE
NONE_REFUSED = 64
"""So many at once that nobody is told 429: peers refuse nobody either."""
COLD_STARTS = 7


def main():
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # servers end with their contexts
    rate = LOAD * WORKERS / MEAN_S
    with tempfile.TemporaryDirectory(prefix="lz-bench-") as name:
        folder = Path(name)
        _report_cold_start(folder)
        print(f"\n{WORKERS} workers, {rate:.0f} requests/s       p50 ms   p99 ms  failed  p99 is")
        ours = None
        for title, server in _servers(folder, options):
            try:
                with server as (url, path, key, body):
                    found = asyncio.run(_loaded(url, path, key, body, rate, options.seconds))
            except (CannotRunError, SystemExit, subprocess.CalledProcessError) as error:
                print(f"{title} is left out: {str(error)[-600:]}")
                continue
            ours = _report(title, found, ours)


def _servers(folder, options):
    """(title, context of (url, path, key, body)) one after the other."""
    yield "lazulite", _ours(folder)
    for peer in PEERS:
        if peer.name in options.peers:
            yield peer.name, _peer(peer, folder, options.venvs)


@contextlib.contextmanager
def _ours(folder):
    with whole_server(folder) as live:
        live.deploy(
            "tail",
            SCORE,
            environmentVariables={"KIND": "sleep", "WORKER_COUNT": str(WORKERS)},
            requestSettings={
                "maxConcurrentRequestsPerInstance": NONE_REFUSED,
                "requestTimeout": "PT20S",
                "maxQueueWait": "PT20S",
            },
        )
        yield live.base, "/inference/tail/score", live.key("tail"), "{rows}"


@contextlib.contextmanager
def _peer(peer, folder, venvs):
    with peer.started("sleep", WORKERS, venvs, "0,1", folder) as (url, started):
        yield url, started.path, "none", started.template


async def _loaded(url, path, key, body, rate, seconds):
    """Latencies in seconds of all requests, and how many failed."""
    where = urlsplit(url)
    chance = random.Random(0)
    tasks = []
    begin = time.perf_counter()
    due = begin
    while due < begin + seconds:
        due += chance.expovariate(rate)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        wanted = LONG_S if chance.random() < LONG_SHARE else SHORT_S
        text = body.replace("{rows}", f"[{wanted}]").replace("[2, 10]", "[1]")
        sent = _message(where.netloc, path, key, text)
        tasks.append(asyncio.create_task(_asked(where, sent, due)))
    return await asyncio.gather(*tasks)


def _message(host, path, key, text):
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
    kind = "Content-Type: application/json\r\n"
    return f"{head}{kind}Content-Length: {len(text)}\r\n\r\n{text}".encode()


async def _asked(where, sent, due):
    """The latency of one request on a connection of its own, or None if it failed."""
    try:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        with contextlib.closing(writer):
            writer.write(sent)
            status = await asyncio.wait_for(reader.readline(), 60)
    except (OSError, TimeoutError):
        return None
    return time.perf_counter() - due if b" 200 " in status else None


def _report(title, found, ours):
    good = sorted(one for one in found if one is not None)
    if not good:
        print(f"{title:32} all {len(found)} failed")
        return ours
    p50, p99 = (good[int(share * (len(good) - 1))] * 1000 for share in (0.5, 0.99))
    ours = ours or p99
    print(
        f"{title:32} {p50:8.1f} {p99:8.1f} {len(found) - len(good):7}  {p99 / ours:.2f}x",
        flush=True,
    )
    return ours


def _report_cold_start(folder):
    """From exec of a replica to its first answer."""
    (folder / "score.py").write_text(NO_OP)
    times = []
    for _ in range(COLD_STARTS):
        begin = time.perf_counter()
        with replica(sys.executable, folder):
            times.append(time.perf_counter() - begin)
    median = statistics.median(times)
    print(f"replica: exec to first answer {median:.3f} s, {median / 0.3:.2f} of the 0.3 s allowed")


def _options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [peer.name for peer in PEERS]
    known = ("genuine", "mlserver")
    add = parser.add_argument
    add("--peers", type=lambda text: text.split(","), default=known, help=", ".join(names))
    add("--seconds", type=int, default=20)
    add("--venvs", type=Path, default=Path(".bench").absolute(), help="where the peers are")
    return parser.parse_args()


if __name__ == "__main__":
    main()
