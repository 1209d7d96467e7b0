"""kill -9 around a running command job."""

import os
import signal

import pytest

from tests.crash.test_server import pids
from tests.live import wait_for

pytestmark = [pytest.mark.crash, pytest.mark.timeout(180)]

SCRIPT = "echo begun; while [ ! -e {flag} ]; do sleep 0.05; done; echo done"


@pytest.fixture
def job(own_server, tmp_path):
    """A job that runs until go() is called."""

    class Job:
        log = own_server.blobs.parent / "azureml/ExperimentRun/dcid.long/user_logs/std_log.txt"

        def go(self):
            (tmp_path / "go").touch()

        def said(self):
            return self.log.read_text() if self.log.exists() else ""

    properties = {
        "jobType": "Command",
        "command": SCRIPT.format(flag=tmp_path / "go"),
        "environmentId": own_server.environment(),
        "computeId": own_server.cluster(most=1),
    }
    answer = own_server.call("PUT", "/jobs/long", {"properties": properties}, api="2023-10-01")
    assert answer.status_code == 201, answer.text
    found = Job()
    wait_for(lambda: "begun" in found.said())
    return found


def test_a_killed_control_plane_finds_its_run_again(own_server, job):
    own_server.kill()
    job.go()
    wait_for(lambda: "done" in job.said())
    own_server.up()
    ended = own_server.ended("long")
    assert (ended["status"], ended["progress"]["attempt"]) == ("Completed", 1)
    assert job.said() == "begun\ndone\n"


def test_a_run_whose_node_and_then_supervisor_is_killed_starts_again(own_server, job):
    for count, victim in ((2, "lazulite.executors.node"), (3, "lazulite.jobs.supervisor")):
        for pid in pids(own_server, victim):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: job.said().count("begun") == count)  # noqa: B023 - called at once
    job.go()
    ended = own_server.ended("long")
    assert (ended["status"], ended["progress"]["attempt"]) == ("Completed", 3)
    assert "starts again, from the beginning (attempt 3)" in job.said()
