"""Online endpoints, from PUT to the scored request."""

import concurrent.futures
import threading
import time

import pytest

from tests.live import wait_for

NEW = "2023-10-01"
ECHO = "def init():\n    pass\n\ndef run(data):\n    return 'first'\n"
SECOND = ECHO.replace("first", "second")


def test_a_script_is_deployed_and_scored(server):
    made = server.deploy("echo", ECHO)
    assert made.status_code == 201
    assert made.headers["retry-after"] == "1"
    answer = server.score("echo")
    assert (answer.status_code, answer.json()) == (200, "first")
    assert answer.headers["azureml-model-deployment"] == "blue"


def test_a_wrong_key_is_refused(server):
    server.deploy("locked", ECHO)
    answer = server.score("locked", authorization="Bearer nonsense")
    assert answer.status_code == 401


def test_the_other_key_stays_good_when_one_is_made_anew(server):
    server.deploy("keys", ECHO)
    before = server.call("POST", "/onlineEndpoints/keys/listKeys").json()
    body = {"keyType": "Primary", "keyValue": before["primaryKey"]}
    assert server.call("POST", "/onlineEndpoints/keys/regenerateKeys", body).status_code == 200
    after = server.call("POST", "/onlineEndpoints/keys/listKeys").json()
    assert after["primaryKey"] != before["primaryKey"]
    assert after["secondaryKey"] == before["secondaryKey"]
    old = server.score("keys", authorization=f"Bearer {before['primaryKey']}")
    other = server.score("keys", authorization=f"Bearer {before['secondaryKey']}")
    assert (old.status_code, other.status_code) == (401, 200)


def test_tokens_of_an_endpoint_open_that_endpoint_only(server):
    server.deploy("tokens", ECHO)
    server.put("/onlineEndpoints/tokens", {"authMode": "AMLToken", "traffic": {"blue": 100}})
    token = server.call("POST", "/onlineEndpoints/tokens/token").json()["accessToken"]
    server.settled("/onlineEndpoints/tokens")
    assert server.call("POST", "/onlineEndpoints/tokens/listKeys").status_code == 400
    url = f"{server.base}/inference/tokens/score"
    sent = {"authorization": f"Bearer {token}"}
    assert server.http.post(url, content=b"{}", headers=sent).status_code == 200
    assert server.score("echo", authorization=f"Bearer {token}").status_code == 401


def test_a_deployment_without_traffic_is_reached_by_header(server):
    server.deploy("colours", ECHO)
    server.deploy("colours", SECOND, deployment="green")
    server.put("/onlineEndpoints/colours", {"authMode": "Key", "traffic": {"blue": 100}})
    server.settled("/onlineEndpoints/colours")
    assert server.score("colours").json() == "first"
    named = server.score("colours", **{"azureml-model-deployment": "green"})
    assert named.json() == "second"


def test_instances_answer_at_the_same_time(server):
    # In sandboxes, processes of different instances may have the same pid.
    who = "(os.readlink('/proc/self/ns/pid'), os.getpid())"
    slow = ECHO.replace("return 'first'", f"import os, time; time.sleep(0.5); return str({who})")
    server.deploy("many", slow, instances=3)
    key = {"authorization": f"Bearer {server.key('many')}"}
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: server.score("many", **key).json(), range(3)))
    assert len(set(answers)) == 3


def test_a_queue_that_is_full_answers_429(server):
    slow = "import time\ndef init():\n    pass\ndef run(data):\n    time.sleep(1)\n    return 1\n"
    limits = {"maxConcurrentRequestsPerInstance": 1, "maxQueueWait": "PT0.2S"}
    server.deploy("busy", slow, requestSettings=limits)
    key = {"authorization": f"Bearer {server.key('busy')}"}
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: server.score("busy", **key), range(6)))
    assert sorted({answer.status_code for answer in answers}) == [200, 429]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert "retry-after" in refused.headers


def test_a_request_over_its_time_answers_408(server):
    slow = "import time\ndef init():\n    pass\ndef run(data):\n    time.sleep(30)\n"
    server.deploy("late", slow, requestSettings={"requestTimeout": "PT0.5S"})
    assert server.score("late").status_code == 408


def test_a_failing_script_answers_424_and_shows_in_the_log(server):
    server.deploy(
        "broken", "def init():\n    pass\ndef run(data):\n    raise KeyError('missing')\n"
    )
    answer = server.score("broken")
    assert answer.status_code == 424
    assert answer.headers["ms-azureml-model-error-statuscode"] == "500"
    logs = server.call("POST", "/onlineEndpoints/broken/deployments/blue/getLogs", {"tail": 50})
    assert "KeyError: 'missing'" in logs.json()["content"]


def test_an_init_that_raises_fails_the_deployment_with_its_traceback(server):
    script = "def init():\n    raise RuntimeError('no model here')\ndef run(data):\n    pass\n"
    made = server.deploy("noinit", script, wait=False)
    outcome = server.outcome(made)
    assert outcome["status"] == "Failed"
    assert "no model here" in outcome["error"]["message"]
    assert server.score("noinit").status_code == 404


def test_a_missing_script_fails_the_deployment_with_its_name(server):
    code = server.code("empty", "", script="other.py")
    server.put("/onlineEndpoints/missing", {"authMode": "Key"})
    configuration = {"codeId": code, "scoringScript": "score.py"}
    made = server.put(
        "/onlineEndpoints/missing/deployments/blue",
        {
            "endpointComputeType": "Managed",
            "environmentId": server.environment(),
            "codeConfiguration": configuration,
        },
    )
    assert "'score.py'" in server.outcome(made)["error"]["message"]


def test_an_update_replaces_the_script_without_a_failed_request(server):
    limits = {"requestSettings": {"maxConcurrentRequestsPerInstance": 10, "maxQueueWait": "PT5S"}}
    server.deploy("rolling", ECHO, **limits)
    key = {"authorization": f"Bearer {server.key('rolling')}"}
    seen, stop = [], threading.Event()

    def load():
        while not stop.is_set():
            seen.append(server.score("rolling", **key))

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    server.deploy("rolling", SECOND, **limits)
    deadline = time.monotonic() + 30
    while server.score("rolling", **key).json() != "second":
        assert time.monotonic() < deadline
    stop.set()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in seen} == {200}
    assert [answer.json() for answer in seen][-1] == "second"


def test_a_failed_update_keeps_the_old_version_serving(server):
    server.deploy("careful", ECHO)
    made = server.deploy("careful", "def init():\n    raise ValueError('bad')\n", wait=False)
    assert server.outcome(made)["status"] == "Failed"
    assert server.score("careful").json() == "first"


def test_a_deployment_with_traffic_is_not_deleted(server):
    server.deploy("kept", ECHO)
    answer = server.call("DELETE", "/onlineEndpoints/kept/deployments/blue")
    assert answer.status_code == 409
    assert "100 %" in answer.json()["error"]["message"]


def test_deleting_an_endpoint_deletes_what_it_runs(server):
    server.deploy("gone", ECHO)
    answer = server.call("DELETE", "/onlineEndpoints/gone")
    assert answer.status_code == 202
    deadline = time.monotonic() + 30
    while server.call("GET", "/onlineEndpoints/gone").status_code != 404:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert server.call("GET", "/onlineEndpoints/gone/deployments/blue").status_code == 404
    assert server.call("DELETE", "/onlineEndpoints/gone").status_code == 204


def test_what_serves_goes_on_without_the_assets_it_was_made_from(server):
    made = server.deploy("pinned", ECHO)
    code = made.json()["properties"]["codeConfiguration"]["codeId"]
    assert server.call("DELETE", code.rpartition("/versions/")[0]).status_code == 200
    time.sleep(2.5)  # longer than the watch of a deployment
    assert server.state_of("/onlineEndpoints/pinned/deployments/blue") == "Succeeded"
    assert server.score("pinned").json() == "first"


@pytest.mark.parametrize(
    "settings",
    [{"maxQueueWait": "P30D"}, {"requestTimeout": "PT0.0005S"}, {"requestTimeout": "soon"}],
)
def test_limits_that_nothing_could_keep_are_refused(server, settings):
    server.put("/onlineEndpoints/limits", {"authMode": "Key"})
    properties = {"endpointComputeType": "Managed", "requestSettings": settings}
    body = {"location": "local", "properties": properties}
    answer = server.call("PUT", "/onlineEndpoints/limits/deployments/blue", body)
    assert answer.status_code == 400
    assert next(iter(settings.values())) in answer.json()["error"]["message"]


TOLD = "def init():\n    pass\n\ndef run(data):\n    print('saw', data)\n    return 'live'\n"


def test_mirrored_requests_come_to_the_shadow_and_callers_see_the_live_answer(server):
    mirror = {"authMode": "Key", "traffic": {"blue": 100}, "mirrorTraffic": {"green": 50}}
    server.deploy("mirrored", TOLD)
    server.deploy("mirrored", TOLD.replace("live", "shadow"), deployment="green")
    answer = server.call(
        "PUT", "/onlineEndpoints/mirrored", {"location": "l", "properties": mirror}, api=NEW
    )
    assert answer.status_code == 200, answer.text
    server.settled("/onlineEndpoints/mirrored")

    answers = [server.score("mirrored", f'"number {n}"'.encode()) for n in range(20)]

    assert {(each.status_code, each.json()) for each in answers} == {(200, "live")}

    def copies():
        path = "/onlineEndpoints/mirrored/deployments/green/getLogs"
        said = server.call("POST", path, {"tail": 500}).json()["content"]
        return {n for n in range(20) if f'saw "number {n}"' in said}

    wait_for(lambda: len(copies()) in {9, 10, 11})
