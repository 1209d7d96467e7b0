"""Requests per second of one replica, without the front door, beside Azure's own server.

    python bench/online_replica.py [--python P ...] [--genuine VENV/bin/python] [--seconds 4]

Needs wrk. The server is pinned to one core and wrk to another; rounds take turns, since a shared
machine drifts. CPU microseconds per request survive noise best.
"""

import argparse
import contextlib
import dataclasses
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

SRC = Path(__file__).parents[1] / "src"
SERVER_CORE, CLIENT_CORE = "0", "1"
NO_OP = "def init():\n    pass\n\ndef run(data):\n    return {'ok': True}\n"
POST = """
wrk.method = "POST"
wrk.body = '{"data": [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]]}'
wrk.headers["Content-Type"] = "application/json"
"""
STOP_S = 10
TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True)
class Load:
    """What wrk measured."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int


@contextlib.contextmanager
def running(command, folder, env, url, pass_fds=(), cores=SERVER_CORE):
    """A server process, from its first answer to the end of the block. Yields (url, pid).

    cores: as taskset wants them.
    """
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            ["taskset", "-c", cores, *command],
            cwd=folder,
            env={"PATH": os.environ["PATH"], **env},
            stdout=log,
            stderr=log,
            pass_fds=pass_fds,
            start_new_session=True,
        )
    try:
        wait_for(url, folder / "log")
        yield url, process.pid
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def replica(python, folder):
    """Our replica, of folder/score.py, on a TCP port."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        number = listener.fileno()
        command = [python, "-m", "lazulite_worker.serve", f"--socket-fd={number}"]
        env = {"PYTHONPATH": str(SRC), "AZUREML_ENTRY_SCRIPT": "score.py"}
        env |= {"AML_APP_ROOT": str(folder), "SCORING_TIMEOUT_MS": "5000"}
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with running(command, folder, env, url, [number]) as server:
            yield server


@contextlib.contextmanager
def genuine(python, folder):
    """azureml-inference-server-http of the python's environment, of folder/score.py."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [python, "-m", "azureml_inference_server_http"]
    command += ["--entry_script", "score.py", "--port", str(port)]
    env = {"AML_APP_ROOT": str(folder), "PATH": f"{Path(python).parent}:{os.environ['PATH']}"}
    with running(command, folder, env, f"http://127.0.0.1:{port}") as server:
        yield server


def wait_for(url, log):
    """Until the server answers; SystemExit with its log after two minutes."""
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit(f"{url} did not start:\n{log.read_text()}") from None
            time.sleep(0.02)


def wrk(url, script, *, connections=16, seconds=4):
    """POST from one thread to url/score, or where the script says."""
    command = ["taskset", "-c", CLIENT_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    command += ["--timeout", "20s", "--latency", "-s", str(script), url + "/score"]
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    errors = re.search(r"connect (\d+), read (\d+), write (\d+), timeout (\d+)", done)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", done)
    failed = sum(int(number) for number in errors.groups()) if errors else 0
    return Load(
        requests=int(re.search(r"(\d+) requests in", done).group(1)),
        per_second=float(re.search(r"Requests/sec:\s+([\d.]+)", done).group(1)),
        p50_ms=milliseconds(re.search(r"^ +50% +(\S+)", done, re.MULTILINE).group(1)),
        p99_ms=milliseconds(re.search(r"^ +99% +(\S+)", done, re.MULTILINE).group(1)),
        failed=failed + (int(bad.group(1)) if bad else 0),
    )


def milliseconds(text):
    """A time as wrk prints it: 97.00us, 1.20ms, 2.00s."""
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def cpu_seconds(session):
    """User and system time of all processes of a session so far."""
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                total += int(fields[11]) + int(fields[12])
    return total / TICKS


def measured(server, python, folder, options):
    """One round: (Load, CPU microseconds per request)."""
    with server(python, folder) as (url, pid):
        wrk(url, folder / "post.lua", seconds=1)
        before = cpu_seconds(pid)
        load = wrk(
            url, folder / "post.lua", connections=options.connections, seconds=options.seconds
        )
        return load, (cpu_seconds(pid) - before) / load.requests * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", action="append", help="interpreter for the replica")
    parser.add_argument("--genuine", help="interpreter that has azureml-inference-server-http")
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    servers = [(replica, python) for python in options.python or [sys.executable]]
    if options.genuine:
        servers.append((genuine, options.genuine))
    found = {server: [] for server in servers}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "score.py").write_text(NO_OP)
        (folder / "post.lua").write_text(POST)
        for _ in range(options.rounds):
            for server, python in servers:
                found[server, python].append(measured(server, python, folder, options))
    print("| server | requests/s | CPU us | p50 ms | p99 ms | failed |\n|---|---|---|---|---|---|")
    for (server, python), rounds in found.items():
        loads = [load for load, _ in rounds]
        print(
            f"| {server.__name__} {python} | {statistics.median(x.per_second for x in loads):,.0f}"
            f" | {statistics.median(cpu for _, cpu in rounds):.1f}"
            f" | {statistics.median(x.p50_ms for x in loads):.2f}"
            f" | {statistics.median(x.p99_ms for x in loads):.2f}"
            f" | {sum(x.failed for x in loads)} |"
        )


if __name__ == "__main__":
    main()
