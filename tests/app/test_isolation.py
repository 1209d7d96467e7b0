"""User code on a real server: what it can reach of the server's files and processes."""

import contextlib
import json
from pathlib import Path

from tests.executors.sandboxes import needs_bubblewrap
from tests.live import wait_for

pytestmark = needs_bubblewrap

PROBE = """
import json, os

def tries(path):
    try:
        return open(path, "rb").read(1) != b"" or "empty"
    except OSError as error:
        return type(error).__name__

def look(data):
    paths = [data + name for name in ("/credentials.json", "/lazulite.db", "/keys", "/server.json")]
    found = {os.path.basename(path): tries(path) for path in paths}
    found["others"] = os.listdir(data + "/assets")
    found["processes"] = len([name for name in os.listdir("/proc") if name.isdigit()])
    found["secrets"] = [name for name in os.environ if name.startswith("LAZULITE_SECRET")]
    try:
        open(os.path.join(os.path.dirname(__file__), "new"), "w")
        found["code"] = "written"
    except OSError as error:
        found["code"] = type(error).__name__
    return found
"""
ONLINE = PROBE + "\ndef init():\n    pass\n\ndef run(data):\n    return look(json.loads(data))\n"
BATCH = PROBE + "\ndef init():\n    pass\n\ndef run(paths):\n    return [json.dumps(look(DATA))]\n"
GONE = dict.fromkeys(
    ("credentials.json", "lazulite.db", "keys", "server.json"), "FileNotFoundError"
)


def is_kept_out(found):
    """Whether a probe saw nothing but its own."""
    assert found == {**found, **GONE}
    assert len(found["others"]) == 1, "a model or code of another deployment is seen"
    assert found["processes"] <= 4
    return found["secrets"] == []


def test_a_scoring_script_sees_its_own_files_only(server):
    server.deploy("other", "def init():\n    pass\n\ndef run(data):\n    return 1\n")
    server.deploy("probe", ONLINE)
    found = server.score("probe", json.dumps(str(server.data_dir)).encode()).json()
    assert is_kept_out(found)
    assert found["code"] == "OSError"
    deployment = server.call("GET", "/onlineEndpoints/probe/deployments/blue").json()
    assert deployment["properties"]["isolation"] == "bubblewrap"


def test_a_batch_script_sees_its_own_files_and_inputs_only(server):
    server.files("probed", 1)
    server.batch("probing", f"DATA = {str(server.data_dir)!r}\n{BATCH}", miniBatchSize=1)
    job = server.invoke("probing", "probed").json()
    ended = server.ended(job["name"])
    assert ended["status"] == "Completed", ended
    assert is_kept_out(json.loads(server.rows(job["name"])[0]))


def test_a_command_sees_its_own_files_only_and_its_daemons_end_with_it(server):
    credentials = server.data_dir / "credentials.json"
    command = (
        f"cat {credentials} || echo none; ls {server.data_dir}; ls -d /proc/[0-9]* | wc -l; "
        "setsid sleep 612 & sleep 0.1"
    )
    properties = {
        "jobType": "Command",
        "command": command,
        "environmentId": server.environment(),
        "computeId": server.cluster(),
    }
    server.call("PUT", "/jobs/probing-command", {"properties": properties}, api="2023-10-01")
    assert server.ended("probing-command")["status"] == "Completed"
    log = server.blobs.parent / "azureml/ExperimentRun/dcid.probing-command/user_logs/std_log.txt"
    said = log.read_text()
    assert "none" in said
    assert "lazulite.db" not in said
    assert set(said.split()) & {"blobs", "environments", "jobs"} == {
        *("blobs", "environments", "jobs")
    }
    wait_for(lambda: not _runs("sleep\0" + "612\0"))


def test_status_tells_the_level(server):
    assert server.state["isolation"] == {
        "level": "bubblewrap",
        "reason": "bubblewrap works here",
    }


def _runs(line):
    """Whether some process has that command line."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cmdline").read_text() == line:
                return True
    return False
