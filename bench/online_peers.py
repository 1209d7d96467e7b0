"""The servers that bench.online compares with: one row each, and how their venvs are made."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.online_replica import running
from bench.online_work import SCORE, WORK, lua

SCIENCE = ("numpy", "scikit-learn")


@dataclasses.dataclass(frozen=True)
class Asked:
    """One server to start. cores: for taskset."""

    kind: str
    workers: int
    python: str
    folder: Path
    port: int
    cores: str


@dataclasses.dataclass(frozen=True)
class Started:
    """How to start a peer: its command, and where it is scored and asked for health."""

    command: list[str]
    path: str
    template: str = "{rows}"
    health: str = "/"


@dataclasses.dataclass(frozen=True)
class Peer:
    """A server beside which ours is measured."""

    name: str
    requirements: tuple[str, ...]
    start: Callable[[Asked], Started]

    @contextlib.contextmanager
    def running(self, kind: str, workers: int, venvs: Path, cores: str, folder: Path) -> Iterator:
        """Yields (url, script for wrk). Raises CannotRunError where the peer has no such case."""
        with self.started(kind, workers, venvs, cores, folder) as (url, started):
            script = folder / f"{self.name}-{kind}" / "post.lua"
            script.write_text(lua(kind, started.path, started.template))
            yield url, script

    @contextlib.contextmanager
    def started(self, kind: str, workers: int, venvs: Path, cores: str, folder: Path) -> Iterator:
        """Yields (url, Started)."""
        python = installed(venvs, self.name, self.requirements)
        place = folder / f"{self.name}-{kind}"
        place.mkdir(exist_ok=True)
        asked = Asked(kind, workers, python, place, free_port(), cores)
        (place / "work.py").write_text(WORK)
        started = self.start(asked)
        url = f"http://127.0.0.1:{asked.port}"
        env = {
            "KIND": kind,
            "HOME": str(place),
            "PYTHONPATH": str(place),
            "PATH": f"{Path(python).parent}:/usr/sbin:/usr/bin:/bin",
            "BENTOML_DO_NOT_TRACK": "True",
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        with running(started.command, place, env, url + started.health, cores=cores):
            yield url, started


class CannotRunError(Exception):
    """This peer cannot be measured here; the message says why."""


def installed(venvs: Path, name: str, requirements: tuple[str, ...]) -> str:
    """The interpreter of the peer's venv, made on the first call."""
    python = venvs / name / "bin" / "python"
    if requirements and not (venvs / name / "made").exists():
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "-q", "--allow-existing", str(venvs / name)], check=True)
        pip = [uv, "pip", "install", "-q", "--python", str(python), *requirements, *SCIENCE]
        subprocess.run(pip, check=True)
        (venvs / name / "made").touch()
    return str(python)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _genuine(asked: Asked) -> Started:
    (asked.folder / "score.py").write_text(SCORE)
    options = ["--entry_script", "score.py", "--port", str(asked.port)]
    command = [asked.python, "-m", "azureml_inference_server_http", *options]
    return Started([*command, "--worker_count", str(asked.workers)], "/score")


FASTAPI = """
import os
from typing import Any
from fastapi import Body, FastAPI
from work import prepared
app, work = FastAPI(), prepared(os.environ["KIND"])

@app.get("/")
def health():
    return {}

@app.post("/score")
def score(value: Any = Body()):
    return work(value)
"""


def _fastapi(asked: Asked) -> Started:
    (asked.folder / "app.py").write_text(FASTAPI)
    options = ["--port", str(asked.port), "--workers", str(asked.workers), "--log-level", "warning"]
    return Started([asked.python, "-m", "uvicorn", "app:app", *options], "/score")


LITSERVE = """
import os, sys
import litserve
from work import prepared

class Api(litserve.LitAPI):
    def setup(self, device):
        self.work = prepared(os.environ["KIND"])
    def decode_request(self, request):
        return request["value"]
    def predict(self, value):
        return self.work(value)
    def encode_response(self, result):
        return {"result": result}

if __name__ == "__main__":
    server = litserve.LitServer(Api(), accelerator="cpu", workers_per_device=int(sys.argv[2]))
    server.run(port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
"""


def _litserve(asked: Asked) -> Started:
    (asked.folder / "app.py").write_text(LITSERVE)
    command = [asked.python, "app.py", str(asked.port), str(asked.workers)]
    return Started(command, "/predict", '{"value": {rows}}', "/health")


MLSERVER = """
import os
from mlserver import MLModel
from mlserver.types import InferenceResponse, ResponseOutput
from work import prepared

class Work(MLModel):
    async def load(self):
        self.work = prepared(os.environ["KIND"])
        return True
    async def predict(self, payload):
        result = self.work(payload.inputs[0].data.root)
        output = ResponseOutput(name="y", shape=[len(result)], datatype="FP64", data=result)
        return InferenceResponse(model_name="work", outputs=[output])
"""
V2 = '{"inputs": [{"name": "x", "shape": %s, "datatype": "%s", "data": {rows}}]}'


def _mlserver(asked: Asked) -> Started:
    (asked.folder / "served.py").write_text(MLSERVER)
    model = {"name": "work", "implementation": "served.Work"}
    (asked.folder / "model-settings.json").write_text(json.dumps(model))
    settings = {
        "host": "127.0.0.1",
        "http_port": asked.port,
        "grpc_port": free_port(),
        "metrics_port": free_port(),
        "parallel_workers": asked.workers if asked.workers > 1 else 0,
        "debug": False,
    }
    (asked.folder / "settings.json").write_text(json.dumps(settings))
    command = [str(Path(asked.python).parent / "mlserver"), "start", str(asked.folder)]
    template = V2 % (("[1]", "BYTES") if asked.kind == "megabyte" else ("[2, 10]", "FP64"))
    return Started(command, "/v2/models/work/infer", template, "/v2/models/work/ready")


MLFLOW = """
import os, shutil
import mlflow.pyfunc
from work import prepared

class Work(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.work = prepared(os.environ["KIND"])
    def predict(self, context, model_input, params=None):
        return self.work(model_input)

shutil.rmtree("model", ignore_errors=True)
mlflow.pyfunc.save_model("model", python_model=Work(), code_paths=["work.py"],
                         pip_requirements=["mlflow"])
"""


def _mlflow(asked: Asked) -> Started:
    (asked.folder / "save.py").write_text(MLFLOW)
    done = subprocess.run(
        [asked.python, "save.py"], cwd=asked.folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotRunError(f"the model could not be saved: {done.stderr[-400:]}")
    command = [asked.python, "-m", "mlflow", "models", "serve", "-m", "model"]
    options = ["--env-manager", "local", "-p", str(asked.port), "-w", str(asked.workers)]
    return Started([*command, *options], "/invocations", '{"instances": {rows}}', "/ping")


BENTO = """
import os
import typing
import bentoml
from work import prepared

@bentoml.service(workers=int(os.environ.get("WORKERS", "1")), traffic={"timeout": 60})
class Work:
    def __init__(self):
        self.work = prepared(os.environ["KIND"])
    @bentoml.api
    def score(self, value: typing.Any) -> typing.Any:
        return self.work(value)
"""


def _bentoml(asked: Asked) -> Started:
    (asked.folder / "service.py").write_text(
        f"import os\nos.environ['WORKERS'] = '{asked.workers}'\n{BENTO}"
    )
    command = [asked.python, "-m", "bentoml", "serve", "service:Work", "-p", str(asked.port)]
    return Started(command, "/score", '{"value": {rows}}', "/readyz")


RAY = """
import os, signal, sys
import ray
from ray import serve
from starlette.requests import Request
from work import prepared

@serve.deployment(num_replicas=int(sys.argv[2]), max_ongoing_requests=16)
class Work:
    def __init__(self, kind):
        self.work = prepared(kind)
    async def __call__(self, request: Request):
        if request.method == "GET":
            return {}
        return self.work(await request.json())

ray.init(include_dashboard=False, num_cpus=4, logging_level="error",
         runtime_env={"env_vars": {"PYTHONPATH": os.getcwd()}})
serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
serve.run(Work.bind(os.environ["KIND"]), route_prefix="/")
signal.pause()
"""


def _ray(asked: Asked) -> Started:
    (asked.folder / "app.py").write_text(RAY)
    return Started([asked.python, "app.py", str(asked.port), str(asked.workers)], "/")


NGINX = """
daemon off;
worker_processes {workers};
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_max_body_size 100m;
  client_body_temp_path {folder}/body;
  server {{
    listen 127.0.0.1:{port} reuseport;
    keepalive_requests 1000000000;
    location / {{ default_type application/json; return 200 "[1]"; }}
  }}
}}
"""


def _nginx(asked: Asked) -> Started:
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin")
    if program is None:
        raise CannotRunError("there is no nginx on this machine")
    text = NGINX.format(workers=asked.workers, folder=asked.folder, port=asked.port)
    (asked.folder / "nginx.conf").write_text(text)
    return Started([program, "-p", str(asked.folder), "-c", str(asked.folder / "nginx.conf")], "/")


PEERS = (
    Peer("genuine", ("azureml-inference-server-http==1.5.1",), _genuine),
    Peer("mlflow", ("mlflow==3.17.2",), _mlflow),
    Peer("mlserver", ("mlserver==1.7.1", "uvloop<0.22"), _mlserver),
    Peer("bentoml", ("bentoml==1.4.*",), _bentoml),
    Peer("litserve", ("litserve==0.2.*",), _litserve),
    Peer("ray", ("ray[serve]==2.*",), _ray),
    Peer("fastapi", ("fastapi", "uvicorn[standard]"), _fastapi),
    Peer("nginx", (), _nginx),
)
"""nginx answers a constant: the limit of what a server on one core can do."""
