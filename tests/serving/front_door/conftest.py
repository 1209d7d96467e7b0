"""A real HAProxy behind a real edge, and tiny replicas on Unix sockets."""

import asyncio
import contextlib
import dataclasses
import datetime
import hashlib
import http.client
import json
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lazulite.executors.local import LocalExecutor
from lazulite.serving.access_tokens import NO_ACCESS_TOKENS
from lazulite.serving.certificates import ensure_certificates
from lazulite.serving.front_door import FrontDoor, Launch, find_haproxy
from lazulite.serving.haproxy_config import FrontDoorSettings
from lazulite.serving.routing import Deployment, Endpoint

SOURCES = Path(__file__).parents[3] / "src"
KEY = "the-primary-key"


@dataclasses.dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def error(self) -> dict:
        return json.loads(self.body)["error"]


@dataclasses.dataclass
class Request:
    """What a replica received."""

    method: str
    path: str
    headers: http.client.HTTPMessage
    body: bytes


class Replica(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """An HTTP/1.1 server on a Unix socket that answers with behave(request)."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, path: str, behave: Callable[[Request], tuple[int, dict, bytes]]):
        self.path, self.behave, self.seen = path, behave, []
        super().__init__(path, ReplicaHandler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def handle_error(self, request, client_address):
        """Broken connections are part of these tests."""

    def close(self):
        self.shutdown()
        self.server_close()
        Path(self.path).unlink(missing_ok=True)


class ReplicaHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """No access log."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        request = Request(self.command, self.path, self.headers, body)
        self.server.seen.append(request)
        status, headers, answer = self.server.behave(request)
        self.send_response(status)
        for name, value in {"content-length": str(len(answer)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_OPTIONS = do_PUT = do_POST  # noqa: N815 - names of the base class


@dataclasses.dataclass
class Door:
    """The front door of one test, and what the test puts behind it."""

    front: FrontDoor
    settings: FrontDoorSettings
    executor: LocalExecutor
    token_key: rsa.RSAPrivateKey
    certificates: object
    folder: Path
    addresses: object = None
    replicas: list = dataclasses.field(default_factory=list)
    waiting: socket.socket | None = None

    async def apply(self, *endpoints: Endpoint, trusted=NO_ACCESS_TOKENS) -> None:
        self.addresses = await self.front.apply(endpoints, trusted)

    def replica(self, name: str = "r", behave=lambda request: (200, {}, b"ok")) -> Replica:
        replica = Replica(str(self.settings.run_folder / f"{name}.sock"), behave)
        self.replicas.append(replica)
        return replica

    def call(
        self,
        path="/inference/ep/score",
        *,
        method="POST",
        body=b"{}",
        headers=None,
        key=KEY,
        timeout=20,
    ):
        """One request over plain HTTP on a connection of its own."""
        sent = {"Authorization": f"Bearer {key}"} if key is not None else {}
        connection = http.client.HTTPConnection(*self.addresses.http, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers={**sent, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def connection(self, *, tls=False) -> http.client.HTTPConnection:
        if not tls:
            return http.client.HTTPConnection(*self.addresses.http, timeout=30)
        context = ssl.create_default_context(cafile=self.certificates.authority)
        port = self.addresses.https[1]
        return http.client.HTTPSConnection("localhost", port, context=context, timeout=30)

    def deployment(self, *replicas, name="blue", **changes) -> Deployment:
        """Nothing listens where its requests could wait, unless there is a waiting_room()."""
        waiting = str(self.settings.run_folder / "w.sock")
        sockets = tuple(replica.path for replica in replicas)
        return Deployment(name=name, sockets=sockets, waiting=waiting, **changes)

    def waiting_room(self) -> socket.socket:
        """Listens where requests of every deployment() wait while no replica is up."""
        self.waiting = listening(self.settings.run_folder / "w.sock")
        return self.waiting

    @staticmethod
    def endpoint(*deployments: Deployment, traffic=None, **changes) -> Endpoint:
        """Endpoint "ep" with KEY, all traffic on its first deployment if not said otherwise."""
        if traffic is None:
            traffic = {deployments[0].name: 100} if deployments else {}
        values = {
            "name": "ep",
            "uid": "uid-1",
            "auth_mode": "key",
            "key_hashes": (Door.hashed(KEY),),
            "traffic": traffic,
            "deployments": deployments,
        }
        return Endpoint(**{**values, **changes})

    @staticmethod
    async def until(condition: Callable[[], object], patience_s: float = 30) -> None:
        """Wait until the condition holds; fail when it does not in time."""
        deadline = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true"
            await asyncio.sleep(0.01)

    @staticmethod
    def hashed(key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()

    @staticmethod
    def socket(path: Path) -> types.SimpleNamespace:
        """Stands for a replica that the test serves itself."""
        return types.SimpleNamespace(path=str(path))

    def successor(self, settings=None, **changes) -> FrontDoor:
        """The front door of the next control plane on the same machine."""
        return FrontDoor(settings or self.settings, launch(**changes), self.folder, self.executor)

    def kept_replica(self, name: str) -> "KeptReplica":
        path = self.settings.run_folder / f"{name}.sock"
        replica = KeptReplica(path, self.waiting or self.waiting_room())
        self.replicas.append(replica)
        return replica

    def load(self, *, threads: int, keep_alive: bool, tls: bool = False) -> "Load":
        return Load(self, threads=threads, keep_alive=keep_alive, tls=tls)

    def log(self) -> Path:
        return self.executor.folder("front-door") / "haproxy.log"

    def haproxy_pids(self) -> set[int]:
        """Every HAProxy process of this test: masters and workers, serving and draining."""
        mark = str(self.folder).encode()
        return {
            int(path.parent.name) for path in Path("/proc").glob("*/cmdline") if mark in seen(path)
        }

    def workers(self, master: int) -> list[int]:
        children = Path(f"/proc/{master}/task/{master}/children")
        return [int(pid) for pid in seen(children).split()]

    def status(self) -> dict:
        return json.loads((self.executor.folder("front-door") / "status.json").read_text())


def seen(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


class Load:
    """Threads that score without a pause, and what came of it."""

    def __init__(self, door: Door, *, threads: int, keep_alive: bool, tls: bool = False):
        self.failures, self.answered = [], 0
        self._door, self._keep_alive, self._tls = door, keep_alive, tls
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    def _run(self):
        connection = self._door.connection(tls=self._tls)
        while not self._stop.is_set():
            failure = self._score(connection)
            with self._lock:
                self.answered += failure is None
                if failure is not None:
                    self.failures.append(failure)
            if failure is not None or not self._keep_alive:
                connection.close()
        connection.close()

    def _score(self, connection):
        """None if the answer is the model's, else what came instead."""
        try:
            headers = {"Authorization": f"Bearer {KEY}"}
            connection.request("POST", "/inference/ep/score", b"{}", headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            return repr(error)
        return None if response.status == 200 else f"{response.status} {body!r}"


def listening(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(128)
    return listener


class KeptReplica:
    """A replica process whose sockets are kept as the keeper keeps them.

    Its own closes when the process dies, until the next one is ready; the shared one stays open,
    so that requests wait there.
    """

    def __init__(self, path: Path, waiting: socket.socket):
        self.path, self._waiting = str(path), waiting
        self._closing = threading.Event()
        self._spawn()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def kill(self):
        self.process.kill()

    def close(self):
        self._closing.set()
        self.process.kill()
        self._thread.join(10)

    def _spawn(self):
        hidden = Path(self.path + ".new")
        self._listener = listening(hidden)
        numbers = [self._listener.fileno(), self._waiting.fileno()]
        script = Path(__file__).with_name("replica.py")
        command = [sys.executable, str(script), *map(str, numbers)]
        process = subprocess.Popen(command, pass_fds=numbers, stdout=subprocess.PIPE)
        process.stdout.readline()
        hidden.rename(self.path)
        self.process = process

    def _keep(self):
        while not self._closing.is_set():
            self.process.wait()
            self.process.stdout.close()
            Path(self.path).unlink()
            self._listener.close()
            self._spawn()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self._listener.close()


@pytest.fixture(scope="session")
def token_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return ensure_certificates(
        tmp_path_factory.mktemp("tls"),
        names=[socket.gethostname()],
        public_authorities=b"",
        now=datetime.datetime.now(datetime.UTC),
    )


def launch(**changes) -> Launch:
    values = {
        "python": sys.executable,
        "haproxy": find_haproxy(),
        "https": ("127.0.0.1", 0),
        "http": ("127.0.0.1", 0),
        "drain_s": 5.0,
    }
    return Launch(**{**values, **changes})


@pytest.fixture
async def door(tmp_path, token_key, certificates):
    run_folder = Path(tempfile.mkdtemp(prefix="lz-", dir="/tmp"))
    settings = FrontDoorSettings(
        run_folder=run_folder,
        control_socket=run_folder / "control.sock",
        certificate=certificates.server,
        issuer="https://localhost/issuer",
        token_keys=(public_pem(token_key),),
        hosts=("localhost", "127.0.0.1", "::1", "*.localhost"),
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES)}
    executor = LocalExecutor(tmp_path / "tasks", environment)
    front = FrontDoor(settings, launch(), tmp_path / "configurations", executor)
    door = Door(front, settings, executor, token_key, certificates, tmp_path / "configurations")
    yield door
    await executor.stop("front-door", kill=True)
    for replica in door.replicas:
        replica.close()
    if door.waiting is not None:
        door.waiting.close()
    shutil.rmtree(run_folder)


def public_pem(key: rsa.RSAPrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
