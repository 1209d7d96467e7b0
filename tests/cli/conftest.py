"""A real HTTP server that keeps what is PUT, answers as told, and records every request."""

import contextlib
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

from lazulite.cli.connection import connect
from lazulite.cli.http import Http
from lazulite.cli.main import main
from lazulite.cli.report import Report
from lazulite.cli.tokens import Tokens
from lazulite.cli.workspace import Workspace

WORKSPACE = (
    "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.MachineLearningServices/workspaces/w1"
)


class Recorded:
    """One request as it came."""

    def __init__(self, method, target, headers, body):
        parts = urlsplit(target)
        self.method, self.path, self.headers, self.body = method, parts.path, headers, body
        self.query = dict(parse_qsl(parts.query))

    @property
    def json(self):
        return json.loads(self.body)


class Server(ThreadingHTTPServer):
    """Resources by ARM path; `answers` override what a (method, path) is answered."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.requests: list[Recorded] = []
        self.resources: dict[str, dict] = {}
        self.blobs: dict[str, bytes] = {}
        self.answers: dict[tuple[str, str], list] = {}
        self.keep("", {"location": "here", "properties": {}})
        self.keep("datastores/workspaceblobstore", {"properties": self.datastore()})
        self.answer("POST", "datastores/workspaceblobstore/listSecrets", 200, {"sasToken": "sig=x"})

    def datastore(self):
        account = f"{self.url.removeprefix('http://')}/store"
        return {
            "datastoreType": "AzureBlob",
            "accountName": account,
            "containerName": "c",
            "endpoint": "core.local",
            "protocol": "http",
        }

    def keep(self, path, body):
        full = f"{WORKSPACE}/{path}".rstrip("/")
        self.resources[full.lower()] = {"id": full, "name": path.rsplit("/", 1)[-1], **body}

    def answer(self, method, path, status, body=None, headers=None):
        """The next answers on a path, in order; the last one stays. A path from / is absolute."""
        full = path if path.startswith("/") else f"{WORKSPACE}/{path}"
        self.answers.setdefault((method, full), []).append((status, body, headers or {}))

    def sent(self, method, path):
        """The requests on a path of the workspace, or on an absolute one."""
        full = path if path.startswith("/") else f"{WORKSPACE}/{path}"
        return [item for item in self.requests if (item.method, item.path) == (method, full)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Recorded(self.command, self.path, dict(self.headers), body)
        self.server.requests.append(asked)
        status, value, headers = self.route(asked)
        data = value if isinstance(value, bytes) else json.dumps(value).encode() if value else b""
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815 - names of http.server

    def route(self, asked):
        scripted = self.server.answers.get((asked.method, asked.path))
        if scripted:
            return scripted.pop(0) if len(scripted) > 1 else scripted[0]
        if asked.path.endswith("/oauth2/v2.0/token"):
            return 200, {"access_token": f"for {dict(parse_qsl(asked.body.decode()))['scope']}",
                         "expires_in": 3600}, {}  # fmt: skip
        if asked.path.startswith("/store.blob.core.local/"):
            return self.blob(asked)
        return self.arm(asked)

    def arm(self, asked):
        key = asked.path.rstrip("/").lower()
        known = self.server.resources
        if asked.method == "PUT":
            status = 200 if key in known else 201
            name = asked.path.rsplit("/", 1)[-1]
            known[key] = {"id": asked.path, "name": name, **asked.json}
            return status, known[key], {}
        if asked.method == "DELETE":
            return (200 if known.pop(key, None) else 204), None, {}
        if key in known:
            return 200, known[key], {}
        below = [
            item for path, item in known.items()
            if path.startswith(key + "/") and "/" not in path[len(key) + 1 :]
        ]  # fmt: skip
        if below:
            return 200, {"value": below}, {}
        return 404, {"error": {"code": "ResourceNotFound", "message": f"no {asked.path}"}}, {}

    def blob(self, asked):
        name = asked.path.removeprefix("/store.blob.core.local/c").lstrip("/")
        if asked.method == "PUT":
            if name in self.server.blobs:
                return 409, b"", {"x-ms-error-code": "BlobAlreadyExists"}
            self.server.blobs[name] = asked.body
            return 201, b"", {}
        if asked.query.get("comp") == "list":
            items = "".join(
                f"<Blob><Name>{key}</Name><Properties><Content-Length>{len(data)}</Content-Length>"
                "</Properties></Blob>"
                for key, data in sorted(self.server.blobs.items())
                if key.startswith(asked.query["prefix"])
            )
            page = f"<EnumerationResults><Blobs>{items}</Blobs><NextMarker/></EnumerationResults>"
            return 200, page.encode(), {}
        if name in self.server.blobs:
            return 200, self.server.blobs[name], {}
        return 404, b"", {"x-ms-error-code": "BlobNotFound"}

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A running server that the environment points at."""
    found = Server()
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    for name, value in {
        "LAZULITE_URL": found.url,
        "LAZULITE_DATA_DIR": str(tmp_path / "data"),
        "LAZULITE_RESOURCE_GROUP": "g1",
        "LAZULITE_WORKSPACE": "w1",
        "AZURE_SUBSCRIPTION_ID": "s1",
        "AZURE_TENANT_ID": "t1",
        "AZURE_CLIENT_ID": "c1",
        "AZURE_CLIENT_SECRET": "hush",
    }.items():
        monkeypatch.setenv(name, value)
    yield found
    found.shutdown()
    found.server_close()
    thread.join()


@pytest.fixture
def workspace(server, tmp_path):
    """A workspace whose waits cost no time; `waited` has their seconds."""
    environ = {
        "LAZULITE_URL": server.url,
        "LAZULITE_RESOURCE_GROUP": "g1",
        "LAZULITE_WORKSPACE": "w1",
        "AZURE_SUBSCRIPTION_ID": "s1",
        "AZURE_TENANT_ID": "t1",
        "AZURE_CLIENT_ID": "c1",
        "AZURE_CLIENT_SECRET": "hush",
    }
    connection = connect(tmp_path, environ)
    http = Http(None)
    waited: list[float] = []
    yield (
        Workspace(
            connection=connection,
            http=http,
            tokens=Tokens(connection, http, lambda: 0.0),
            report=Report(io.StringIO()),
            sleep=waited.append,
            make_id=lambda: "id",
        ),
        waited,
    )
    http.close()


@pytest.fixture
def lazulite(capsys):
    """Runs a command; returns exit code, stdout, stderr."""

    def run(*arguments):
        code = 0
        with contextlib.suppress(SystemExit):
            code = 2
            code = main(list(arguments))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
