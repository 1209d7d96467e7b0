"""Deployments change their number of instances, fall asleep, fail to grow, and serve all along."""

import collections
import concurrent.futures
import contextlib
import json
import os
import signal
import threading

from tests.live import wait_for

# In sandboxes, processes of different instances may have the same pid.
WHO = """
import os, time
def init():
    if os.path.exists({broken!r}): raise RuntimeError("no room for more")
    global born
    born = time.time()
def run(data):
    time.sleep(float(data))
    return born
"""
PATIENT = {"requestTimeout": "PT20S", "maxQueueWait": "PT10S"}


def path(endpoint):
    return f"/onlineEndpoints/{endpoint}/deployments/blue"


def properties(server, endpoint):
    return server.call("GET", path(endpoint), api="2023-10-01").json()["properties"]


def keyed(server, endpoint):
    return {"authorization": f"Bearer {server.key(endpoint)}"}


@contextlib.contextmanager
def load(server, endpoint):
    """Answers under load, counted by status and body."""
    key, stop, seen = keyed(server, endpoint), threading.Event(), collections.Counter()

    def call():
        while not stop.is_set():
            answer = server.score_with(key, endpoint, b"0.005")
            seen[answer.status_code, answer.text] += 1

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def scale(server, endpoint, count, state="Succeeded"):
    answer = server.call("PATCH", path(endpoint), {"sku": {"name": "Default", "capacity": count}})
    assert answer.status_code < 300, answer.text
    assert server.settled(path(endpoint))["properties"]["provisioningState"] == state


def kill_replicas(server, endpoint):
    """kill -9 of all replicas of its deployment."""
    url = server.call("GET", path(endpoint)).json()["properties"]["properties"]
    uid = url["AzureAsyncOperationUri"].partition("odidp:")[2].partition(":")[0]
    (status,) = (server.data_dir / "tasks").glob(f"{uid}-*/status.json")
    for replica in json.loads(status.read_text())["replicas"]:
        os.kill(replica["pid"], signal.SIGKILL)


def test_instances_come_and_go_under_load_and_the_first_one_stays(server, tmp_path):
    broken = str(tmp_path / "broken")
    server.deploy("grow", WHO.format(broken=broken), requestSettings=PATIENT)
    first = server.score("grow", b"0").text
    with load(server, "grow") as seen:
        for count in (3, 1):
            scale(server, "grow", count)
            assert properties(server, "grow")["runningInstances"] == count
        settings = {**PATIENT, "maxQueueWait": "PT9S"}
        server.call("PATCH", path("grow"), {"properties": {"requestSettings": settings}})
        server.settled(path("grow"))
    assert {status for status, _ in seen} == {200}
    assert server.score("grow", b"0").text == first


def test_instances_that_do_not_start_fail_the_update_and_those_there_serve_on(server, tmp_path):
    broken = tmp_path / "broken"
    server.deploy("full", WHO.format(broken=str(broken)), requestSettings=PATIENT)
    first = server.score("full", b"0").text
    broken.touch()
    scale(server, "full", 2, state="Failed")
    shown = properties(server, "full")
    assert shown["runningInstances"] == 1
    error = server.call("GET", path("full")).json()["properties"]["properties"]
    status = server.http.get(
        error["AzureAsyncOperationUri"], headers={"authorization": f"Bearer {server.token()}"}
    ).json()
    assert "RuntimeError: no room for more" in status["error"]["message"]
    assert server.score("full", b"0").text == first
    broken.unlink()
    scale(server, "full", 1)
    scale(server, "full", 2)


def test_a_deployment_without_requests_falls_asleep_and_a_request_wakes_it(server, tmp_path):
    scale_settings = {
        "scaleType": "TargetUtilization",
        "minInstances": 0,
        "maxInstances": 2,
        "pollingInterval": "PT0.1S",
        "targetUtilizationPercentage": 70,
    }
    settings = {
        "requestTimeout": "PT2S",
        "maxQueueWait": "PT3S",
        "maxConcurrentRequestsPerInstance": 8,
    }
    script = WHO.format(broken=str(tmp_path / "broken"))
    server.deploy("nap", script, scaleSettings=scale_settings, requestSettings=settings)
    key = keyed(server, "nap")
    first = server.score_with(key, "nap", b"0").text
    wait_for(lambda: not properties(server, "nap")["replicas"])
    assert properties(server, "nap")["runningInstances"] == 0
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: server.score_with(key, "nap", b"0.01"), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.text for answer in answers} != {first}
    wait_for(lambda: properties(server, "nap")["runningInstances"] == 1)


def test_a_queue_makes_a_deployment_grow(server, tmp_path):
    scale_settings = {
        "scaleType": "TargetUtilization",
        "minInstances": 1,
        "maxInstances": 2,
        "pollingInterval": "PT0.1S",
    }
    script = WHO.format(broken=str(tmp_path / "broken"))
    server.deploy("rush", script, scaleSettings=scale_settings, requestSettings=PATIENT)
    key = keyed(server, "rush")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(server.score_with, key, "rush", b"0.5") for _ in range(12)]
        wait_for(lambda: properties(server, "rush")["runningInstances"] == 2)
        assert {call.result().status_code for call in calls} == {200}


def test_a_crash_loop_is_shown_and_ends_when_its_reason_does(server, tmp_path):
    broken = tmp_path / "broken"
    server.deploy("loop", WHO.format(broken=str(broken)))
    broken.touch()
    kill_replicas(server, "loop")
    wait_for(lambda: server.state_of(path("loop")) == "Failed")
    (replica,) = properties(server, "loop")["replicas"]
    assert replica["state"] == "crash-loop"
    assert "no room for more" in replica["error"]
    broken.unlink()
    wait_for(lambda: server.state_of(path("loop")) == "Succeeded")
    assert server.score("loop", b"0").status_code == 200
