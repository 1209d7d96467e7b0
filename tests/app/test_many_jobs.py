"""More jobs than a cluster has nodes."""

import pytest

from tests.live import wait_for

NAMES = """
import os
def run(mini_batch):
    return [os.path.basename(path) for path in mini_batch]
"""
SLOW = """
import os, time
def run(mini_batch):
    if not os.path.exists(os.environ["GO"]):
        time.sleep(0.3)
    return [os.path.basename(path) for path in mini_batch]
"""


@pytest.mark.parametrize("count", [8, pytest.param(50, marks=pytest.mark.nightly)])
def test_jobs_at_once_on_two_nodes_all_complete_in_their_order(server, count):
    server.batch("many", NAMES)
    server.files("many", 1)
    names = [server.invoke("many", "many").json()["name"] for _ in range(count)]
    jobs = [ended(server, name) for name in names]
    assert {job["status"] for job in jobs} == {"Completed"}
    assert all(server.rows(name) == ["0000.txt"] for name in names)
    ends = [job["endTime"] for job in jobs]
    assert max(ends[:3]) < min(ends[-2:])


def test_a_small_job_does_not_wait_for_the_end_of_a_large_one(server, tmp_path):
    go = tmp_path / "go"
    settings = {"miniBatchSize": 1, "environmentVariables": {"GO": str(go)}}
    server.batch("large", SLOW, resources={"instanceCount": 2}, **settings)
    server.batch("small", NAMES)
    server.files("large", 1500)
    server.files("small", 1)
    large = server.invoke("large", "large").json()["name"]
    wait_for(lambda: runs_on(server, large) == 2)
    small = server.invoke("small", "small").json()["name"]
    assert ended(server, small)["status"] == "Completed"
    assert server.job(large)["status"] == "Running"
    wait_for(lambda: runs_on(server, large) == 2)
    go.touch()
    job = ended(server, large)
    assert (job["status"], job["progress"]["retries"]) == ("Completed", 0)
    assert server.rows(large) == [f"{number:04}.txt" for number in range(1500)]


def runs_on(server, run):
    """How many nodes the run has."""
    nodes = server.call("POST", "/computes/cluster/listNodes").json()["nodes"]
    return sum(node["runId"] == run for node in nodes)


def ended(server, name):
    wait_for(lambda: server.job(name)["status"] in {"Completed", "Failed"}, deadline_s=300)
    return server.job(name)
