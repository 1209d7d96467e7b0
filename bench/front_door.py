"""What the front door costs: latency, throughput, CPU, start, reload. Needs wrk on PATH.

    PYTHONPATH=$PWD/src python bench/front_door.py

The replica is a HAProxy that answers by itself, reached directly over TCP, or through the front
door over a Unix socket; so the difference is the front door's.
"""

import asyncio
import datetime
import hashlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lazulite.executors.local import LocalExecutor
from lazulite.serving.certificates import ensure_certificates
from lazulite.serving.front_door import FrontDoor, Launch, find_haproxy
from lazulite.serving.haproxy_config import FrontDoorSettings
from lazulite.serving.routing import Deployment, Endpoint

REPLICA = """
global
  nbthread 1
defaults
  mode http
  timeout client 60s
  timeout http-keep-alive 60s
frontend replica
  bind 127.0.0.1:{port}
  bind unix@{folder}/r0.sock
  bind unix@{folder}/r1.sock
  bind unix@{folder}/r2.sock
  bind unix@{folder}/r3.sock
  http-request return status 200 content-type application/json string '{{"result": 1}}'
"""
POST = """
wrk.method = "POST"
wrk.body = '{"data": [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]}'
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer key"
"""
REPLICA_PORT, HTTPS_PORT, HTTP_PORT = 18199, 18198, 18197
ROUNDS, SECONDS = 3, 2


def wrk(folder: Path, url: str, connections: int) -> dict[str, float]:
    """p50 and p99 in milliseconds, requests a second, and failures of one run."""
    script = folder / "post.lua"
    script.write_text(POST)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", "-s", str(script)]
    said = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    scale = {"us": 0.001, "ms": 1.0, "s": 1000.0}

    def latency(percent: int) -> float:
        number, unit = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", said).groups()
        return float(number) * scale[unit]

    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return {
        "p50_ms": latency(50),
        "p99_ms": latency(99),
        "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]),
        "failed": int(failed[1]) if failed else 0,
    }


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def endpoint(folder: Path, *, traffic: int = 100) -> Endpoint:
    sockets = tuple(f"{folder}/r{n}.sock" for n in range(4))
    limits = {"max_concurrent": 1000, "max_queue_wait_ms": 5000, "waiting": f"{folder}/w.sock"}
    return Endpoint(
        name="ep",
        uid="u",
        auth_mode="key",
        key_hashes=(hashlib.sha256(b"key").hexdigest(),),
        traffic={"blue": traffic, "green": 100 - traffic},
        deployments=(
            Deployment(name="blue", sockets=sockets, **limits),
            Deployment(name="green", sockets=sockets, **limits),
        ),
    )


def front_door(folder: Path, executor: LocalExecutor) -> FrontDoor:
    certificates = ensure_certificates(
        folder / "tls", names=(), public_authorities=b"", now=datetime.datetime.now(datetime.UTC)
    )
    settings = FrontDoorSettings(
        run_folder=folder,
        control_socket=folder / "control.sock",
        certificate=certificates.server,
        issuer="bench",
        token_keys=(),
        hosts=("localhost", "127.0.0.1"),
    )
    launch = Launch(
        python=sys.executable,
        haproxy=find_haproxy(),
        https=("127.0.0.1", HTTPS_PORT),
        http=("127.0.0.1", HTTP_PORT),
    )
    return FrontDoor(settings, launch, folder / "configurations", executor)


def measure_paths(folder: Path, haproxy_pid: int) -> None:
    urls = {
        "direct": f"http://127.0.0.1:{REPLICA_PORT}/score",
        "front door": f"http://127.0.0.1:{HTTP_PORT}/inference/ep/score",
        "front door, TLS": f"https://localhost:{HTTPS_PORT}/inference/ep/score",
    }
    for connections in (1, 16):
        results = {name: [] for name in urls}
        for _ in range(ROUNDS):
            for name, url in urls.items():
                before = cpu_seconds(haproxy_pid)
                result = wrk(folder, url, connections)
                spent = cpu_seconds(haproxy_pid) - before
                result["cpu_us"] = 1e6 * spent / (result["rps"] * SECONDS)
                results[name].append(result)
        for name, runs in results.items():
            middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            print(
                f"{connections:3d} connections  {name:16s} p50 {middle['p50_ms']:.3f} ms  "
                f"p99 {middle['p99_ms']:.3f} ms  {middle['rps']:8.0f}/s  "
                f"HAProxy {middle['cpu_us']:5.1f} us/request  failed {middle['failed']:.0f}"
            )


async def measure_reloads(folder: Path, front: FrontDoor) -> None:
    url = f"http://127.0.0.1:{HTTP_PORT}/inference/ep/score"
    load = asyncio.create_task(asyncio.to_thread(wrk, folder, url, 16))
    times = []
    while not load.done():
        begin = time.perf_counter()
        await front.apply([endpoint(folder, traffic=len(times) % 100)])
        times.append(time.perf_counter() - begin)
    result = await load
    print(
        f"{len(times)} reloads under load: {1000 * statistics.median(times):.0f} ms each, "
        f"{result['rps']:.0f}/s, failed {result['failed']}"
    )


async def measure_starts(folder: Path, executor: LocalExecutor, front: FrontDoor) -> None:
    """The edge alone, from exec to its first answer, with a configuration of its last life."""
    await front.apply([endpoint(folder)])
    spec = (executor.folder("front-door") / "spec.json").read_text()
    await front.stop()
    times = []
    for _ in range(7):
        task = executor.folder("front-door")
        task.mkdir()
        (task / "spec.json").write_text(spec)
        begin = time.perf_counter()
        command = [sys.executable, "-m", "lazulite.serving.edge", "spec.json"]
        edge = subprocess.Popen(command, cwd=task)  # noqa: ASYNC220
        await_answer()
        times.append(time.perf_counter() - begin)
        edge.terminate()
        edge.wait()
        await executor.forget("front-door")
    print(
        f"edge start to first answer: {1000 * statistics.median(times):.0f} ms, "
        f"best {1000 * min(times):.0f} ms"
    )


def await_answer() -> None:
    while True:
        try:
            with socket.create_connection(("127.0.0.1", HTTP_PORT)) as connection:
                connection.sendall(b"GET /inference/x HTTP/1.1\r\nhost: localhost\r\n\r\n")
                if connection.recv(100).startswith(b"HTTP/1.1 404"):
                    return
        except OSError:
            time.sleep(0.001)


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="lz-", dir="/tmp") as name:
        folder = Path(name)
        (folder / "replica.cfg").write_text(REPLICA.format(port=REPLICA_PORT, folder=folder))
        command = [find_haproxy(), "-db", "-q", "-f", str(folder / "replica.cfg")]
        replica = subprocess.Popen(command)  # noqa: ASYNC220
        executor = LocalExecutor(folder / "tasks", dict(os.environ))
        front = front_door(folder, executor)
        try:
            await measure_starts(folder, executor, front)
            begin = time.perf_counter()
            await front.apply([endpoint(folder)])
            print(f"apply() that starts everything: {1000 * (time.perf_counter() - begin):.0f} ms")
            status = json.loads((executor.folder("front-door") / "status.json").read_text())
            master = status["haproxy"]
            worker = Path(f"/proc/{master}/task/{master}/children").read_text()
            measure_paths(folder, int(worker))
            await measure_reloads(folder, front)
        finally:
            await front.stop()
            replica.send_signal(signal.SIGKILL)
            replica.wait()


if __name__ == "__main__":
    asyncio.run(main())
