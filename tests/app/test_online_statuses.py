"""Every status that a caller of an online endpoint can meet, on a whole server.

The table of docs/online.md; what needs a replica that misbehaves on its socket is in
tests/serving/front_door. Source: spec/ONLINE.md 5.5.
"""

import concurrent.futures
import http.client
import json
import socket
import urllib.parse

import pytest

from tests.live import wait_for

SCRIPT = """
import json, os, time
from azureml_inference_server_http.api.aml_response import AMLResponse

def init():
    pass

def run(raw):
    asked = json.loads(raw)
    if "sleep" in asked:
        time.sleep(asked["sleep"])
    if "raise" in asked:
        raise ValueError(asked["raise"])
    if "status" in asked:
        return AMLResponse({"mine": asked["status"]}, asked["status"])
    if "exit" in asked:
        os._exit(1)
    return "fine"
"""
LIMITS = {"requestTimeout": "PT3S", "maxQueueWait": "PT20S"}
BODY_LIMIT = 100 * 1024 * 1024


@pytest.fixture(scope="module")
def statuses(server):
    """A server with an endpoint that answers as it is asked, and one that has no deployment."""
    server.deploy("statuses", SCRIPT, requestSettings=LIMITS)
    server.put("/onlineEndpoints/nobody", {"authMode": "Key"})
    server.settled("/onlineEndpoints/nobody")
    key = {"authorization": f"Bearer {server.key('statuses')}"}

    def ask(body, *, endpoint="statuses", path="score", **headers):
        url = f"{server.base}/inference/{endpoint}/{path}"
        content = json.dumps(body) if isinstance(body, dict) else body
        return server.http.post(url, content=content, headers={**key, **headers})

    ask.server, ask.key = server, key
    return ask


def code(answer):
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "details"}
    assert answer.headers["x-ms-request-id"]
    return answer.status_code, error["code"]


def test_200_says_who_answered(statuses):
    answer = statuses({})
    assert (answer.status_code, answer.json()) == (200, "fine")
    assert answer.headers["azureml-model-deployment"] == "blue"
    assert answer.headers["x-ms-request-id"]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic dTpw"])
def test_401_for_no_key_and_a_wrong_one(statuses, authorization):
    answer = statuses({}, authorization=authorization)
    assert code(answer) == (401, "AuthenticationFailed")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_404_for_an_endpoint_that_is_not_there(statuses):
    assert code(statuses({}, endpoint="unknown")) == (404, "EndpointNotFound")


def test_404_for_a_deployment_that_is_not_there(statuses):
    answer = statuses({}, **{"azureml-model-deployment": "pink"})
    assert code(answer) == (404, "DeploymentNotFound")
    assert "pink" in answer.json()["error"]["message"]


def test_404_for_an_endpoint_without_traffic(statuses):
    key = statuses.server.key("nobody")
    answer = statuses({}, endpoint="nobody", authorization=f"Bearer {key}")
    assert code(answer) == (404, "NoDeploymentWithTraffic")


def test_408_for_a_run_that_takes_too_long(statuses):
    answer = statuses({"sleep": 60})
    assert answer.status_code == 408
    assert answer.headers["azureml-model-deployment"] == "blue"
    assert "ms-azureml-model-error-statuscode" not in answer.headers


def test_413_for_a_body_that_says_it_is_too_long(statuses):
    connection = open_to(statuses.server)
    connection.putrequest("POST", "/inference/statuses/score")
    headers = {**statuses.key, "content-length": str(BODY_LIMIT + 1)}
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["error"]["code"]) == (413, "RequestEntityTooLarge")
    connection.close()


def test_413_for_a_body_that_turns_out_too_long(statuses):
    """It is sent by hand: clients do not look for answers while they send."""
    connection = open_to(statuses.server)
    connection.putrequest("POST", "/inference/statuses/score")
    connection.putheader("transfer-encoding", "chunked")
    connection.putheader("authorization", statuses.key["authorization"])
    connection.endheaders()
    chunk = b"100000\r\n" + b"x" * 2**20 + b"\r\n"
    try:
        for _ in range(BODY_LIMIT // 2**20 + 1):
            connection.send(chunk)
        connection.send(b"0\r\n\r\n")
    except OSError:
        pass  # it was refused before all was sent
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["error"]["code"]) == (413, "RequestEntityTooLarge")
    connection.close()


def test_414_for_a_url_that_is_too_long(statuses):
    assert code(statuses({}, path=f"score?q={'x' * 17_000}")) == (414, "UriTooLong")


def test_431_for_a_header_that_is_too_long(statuses):
    answer = statuses({}, **{"x-long": "x" * 33_000})
    assert code(answer) == (431, "RequestHeaderFieldsTooLarge")


@pytest.mark.parametrize(
    ("asked", "status"),
    [({"raise": "no"}, "500"), ({"status": 201}, "201"), ({"status": 503}, "503"), (b"{", "500")],
)
def test_424_for_a_script_that_fails(statuses, asked, status):
    answer = statuses(asked)
    assert answer.status_code == 424
    assert answer.headers["ms-azureml-model-error-statuscode"] == status
    assert answer.headers["ms-azureml-model-error-reason"] == "model_error"


def test_429_for_too_many_at_once(statuses):
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: statuses({"sleep": 0.5}), range(6)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert all(code(answer) == (429, "TooManyRequests") for answer in refused)
    assert all(answer.headers["retry-after"] == "1" for answer in refused)
    said = refused[0].json()["error"]["message"]
    assert "2 requests in flight" in said  # 2 x 1 x 1


def test_502_or_503_for_a_process_that_dies_of_every_try(statuses):
    answer = statuses({"exit": 1})
    assert code(answer) in {(502, "BadGateway"), (503, "ServiceUnavailable")}
    wait_for(lambda: statuses({}).status_code == 200)


def open_to(server):
    return http.client.HTTPConnection(urllib.parse.urlsplit(server.base).netloc, timeout=60)


def test_400_for_what_is_not_http(statuses):
    address = urllib.parse.urlsplit(statuses.server.base)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(b"POST /inference/statuses/score HTTP/1.1\r\nbad header: 1\r\n\r\n")
        said = connection.recv(65536)
    assert b" 400 " in said.split(b"\r\n")[0]
