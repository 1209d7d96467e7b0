"""A real server on free ports, and a client that speaks to it as curl would."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2

from lazulite.testing.server import start

API = "2021-10-01"
CONDA = "name: plain\ndependencies:\n  - python\n"
DEADLINE_S = 60


class Live:
    """A running server, and the admin's way in."""

    def __init__(self, data_dir, env=()):
        """env: variables of this server alone."""
        self.data_dir, self.process, self.env = data_dir, None, dict(env)
        self.http = httpx2.Client(timeout=60)
        self._tokens = {}

    def up(self):
        """Start the control plane; returns once it is ready."""
        # Scripts of tests tell and are told by files in their tests' folders.
        shown = f"--isolation-show={self.data_dir.parent.parent}:rw"
        environ, log = {**os.environ, **self.env}, self.data_dir.parent / "server.log"
        started = start(self.data_dir, [shown], environ, log)
        self.process, self.state = started.process, started.state
        self.credentials = started.credentials
        self._tokens = {}

    def down(self):
        """Stop it as Ctrl-C would; its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def kill(self):
        """kill -9 of the control plane alone."""
        self.process.kill()
        self.process.wait(10)

    @property
    def base(self):
        return self.state["http_url"]

    @property
    def workspace(self):
        return self.state["workspace_id"]

    def token(self, resource="https://management.azure.com/"):
        if resource not in self._tokens:
            form = {
                "grant_type": "client_credentials",
                "client_id": self.credentials["client_id"],
                "client_secret": self.credentials["client_secret"],
                "resource": resource,
            }
            url = f"{self.base}/{self.credentials['tenant_id']}/oauth2/token"
            self._tokens[resource] = self.http.post(url, data=form).json()["access_token"]
        return self._tokens[resource]

    def call(self, method, path, body=None, *, api=API, headers=None, **query):
        """An ARM call below the workspace, or of a whole path."""
        url = self.base + (path if path.startswith("/subscriptions") else self.workspace + path)
        sent = {"authorization": f"Bearer {self.token()}", **(headers or {})}
        content = json.dumps(body) if isinstance(body, dict) else body
        return self.http.request(
            method, url, params={"api-version": api, **query}, headers=sent, content=content
        )

    def put(self, path, properties, **envelope):
        """PUT with properties; the answer must be good."""
        answer = self.call("PUT", path, {"location": "local", "properties": properties, **envelope})
        assert answer.status_code in {200, 201}, answer.text
        return answer

    def settled(self, path):
        """The resource once its provisioning has ended."""
        wait_for(lambda: self.state_of(path) in {"Succeeded", "Failed"})
        return self.call("GET", path).json()

    def state_of(self, path):
        return self.call("GET", path).json()["properties"]["provisioningState"]

    def outcome(self, put):
        """The operation that a PUT started, once it has ended."""
        url = put.json()["properties"]["properties"]["AzureAsyncOperationUri"]
        headers = {"authorization": f"Bearer {self.token()}"}
        status = lambda: self.http.get(url, headers=headers).json()  # noqa: E731
        wait_for(lambda: status()["status"] != "InProgress")
        return status()

    @property
    def blobs(self):
        """The folder of the default container, which jobs and tests may write into."""
        (account,) = (self.data_dir / "blobs").glob("main*")  # of the workspace of that name
        return account / "azureml-blobstore"

    def code(self, name, text, script="score.py"):
        """Register a script; its id."""
        folder = self.blobs / "code" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / script).write_text(text)
        uri = f"azureml://datastores/workspaceblobstore/paths/code/{name}"
        return self.put(f"/codes/{name}/versions/1", {"codeUri": uri}).json()["id"]

    def environment(self, name="plain", conda=CONDA):
        """Register an environment; its id."""
        return self.put(f"/environments/{name}/versions/1", {"condaFile": conda}).json()["id"]

    def deploy(self, endpoint, script, *, deployment="blue", instances=1, wait=True, **properties):
        """An online endpoint with one deployment that has all traffic."""
        code = self.code(f"{endpoint}-{deployment}-{abs(hash(script))}", script)
        self.put(f"/onlineEndpoints/{endpoint}", {"authMode": "Key", "traffic": {deployment: 100}})
        path = f"/onlineEndpoints/{endpoint}/deployments/{deployment}"
        made = self.put(
            path,
            {
                "endpointComputeType": "Managed",
                "environmentId": self.environment(),
                "codeConfiguration": {"codeId": code, "scoringScript": "score.py"},
                **properties,
            },
            sku={"name": "Default", "capacity": instances},
        )
        if wait:
            assert self.outcome(made)["status"] == "Succeeded", self.outcome(made)
        return made

    def key(self, endpoint):
        return self.call("POST", f"/onlineEndpoints/{endpoint}/listKeys").json()["primaryKey"]

    def score(self, endpoint, body=b"{}", **headers):
        """POST to the scoring URI with the endpoint's key."""
        key = (
            {} if "authorization" in headers else {"authorization": f"Bearer {self.key(endpoint)}"}
        )
        return self.score_with({**key, **headers}, endpoint, body)

    def score_with(self, headers, endpoint, body=b"{}"):
        """The same without asking the control plane for anything."""
        url = f"{self.base}/inference/{endpoint}/score"
        return self.http.post(url, content=body, headers=headers)

    def cluster(self, name="cluster", most=2, idle="PT2M"):
        scale = {"minNodeCount": 0, "maxNodeCount": most, "nodeIdleTimeBeforeScaleDown": idle}
        properties = {"computeType": "AmlCompute", "properties": {"scaleSettings": scale}}
        return self.put(f"/computes/{name}", properties).json()["id"]

    def batch(self, endpoint, script, **properties):
        """A batch endpoint with a default deployment on a cluster."""
        code = self.code(f"{endpoint}-{abs(hash(script))}", script)
        self.put(f"/batchEndpoints/{endpoint}", {"defaults": {"deploymentName": "one"}})
        made = self.put(
            f"/batchEndpoints/{endpoint}/deployments/one",
            {
                "compute": self.cluster(),
                "environmentId": self.environment(),
                "codeConfiguration": {"codeId": code, "scoringScript": "score.py"},
                **properties,
            },
        )
        assert self.outcome(made)["status"] == "Succeeded", self.outcome(made)

    def invoke(self, endpoint, folder, headers=None, **properties):
        """Start a job over a folder of the default datastore; the answer."""
        uri = f"azureml://datastores/workspaceblobstore/paths/{folder}"
        data = {"inputData": {"in": {"jobInputType": "UriFolder", "uri": uri}}, **properties}
        sent = {"authorization": f"Bearer {self.token('https://ml.azure.com')}", **(headers or {})}
        url = f"{self.base}/inference/{endpoint}/jobs"
        return self.http.post(url, json={"properties": data}, headers=sent)

    def files(self, folder, count):
        """Files 0000.txt ... that hold their number."""
        (self.blobs / folder).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (self.blobs / folder / f"{number:04}.txt").write_text(str(number))

    def job(self, name):
        return self.call("GET", f"/jobs/{name}", api="2023-10-01").json()["properties"]

    def ended(self, name):
        """The job once it has ended."""
        wait_for(lambda: self.job(name)["status"] in {"Completed", "Failed", "Canceled"})
        return self.job(name)

    def told(self):
        """The end of its log, and how jobs stand that have not ended."""
        log = (self.data_dir.parent / "server.log").read_text(errors="replace")
        parts = [log[-4000:]]
        for file in sorted(self.data_dir.glob("*/*/progress.json")):
            progress = json.loads(file.read_bytes())
            if progress["state"] not in {"completed", "failed", "canceled"}:
                beside = [f"{each.name}: {each.read_text()[-500:]}" for each in _beside(file)]
                parts += [f"{file.parent}: {progress}", *beside]
        return "\n".join(parts)

    def rows(self, name):
        """The lines of the job's predictions."""
        path = self.job(name)["outputs"]["score"]["uri"].partition("/paths/")[2]
        return (self.blobs / path / "predictions.csv").read_text().splitlines()


def _beside(progress):
    """What a supervisor that has not ended says of itself."""
    job, tasks = progress.parent, progress.parents[2] / "tasks"
    found = [job / "nodes.json", tasks / f"job-{job.name}" / "log"]
    return [file for file in found if file.exists()]


def wait_for(is_done, deadline_s=DEADLINE_S):
    """Poll until it is so."""
    end = time.monotonic() + deadline_s
    while not is_done():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


def processes_of(data_dir):
    """The command lines of all processes that mention a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            where = str((process / "cwd").readlink())
            if line and (str(data_dir) in line or where.startswith(str(data_dir))):
                found.append((int(process.name), line))
    return found


@contextlib.contextmanager
def running(folder, **env):
    """A server in a folder; everything it started is gone afterwards. env: for it alone."""
    data_dir = folder / "data"
    data_dir.mkdir()
    live = Live(data_dir, env)
    try:
        live.up()
        yield live
        assert live.down() == 0
    finally:
        if live.process is not None and live.process.poll() is None:
            live.process.kill()
            live.process.wait(10)
        command = [sys.executable, "-m", "lazulite", "down", f"--data-dir={data_dir}"]
        subprocess.run(command, capture_output=True, check=False, timeout=60)
        live.http.close()
        left = processes_of(data_dir)
        for pid, _ in left:
            os.kill(pid, signal.SIGKILL)
    assert left == [], "the server left processes behind"
