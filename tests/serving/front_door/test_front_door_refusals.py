"""Every answer that is not the model's own: its status, code, message and headers."""

import asyncio
import base64
import json
import socket
import threading
import time

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from lazulite.serving.haproxy_process import Console
from lazulite.serving.keeper_spec import LARGEST_BODY
from tests.serving.front_door import http2


async def test_wrong_or_missing_key_is_401_with_a_challenge(door):
    replica = door.replica()
    await door.apply(door.endpoint(door.deployment(replica)))

    for key in ("wrong", "", None):
        answer = door.call(key=key)
        assert (answer.status, answer.error["code"]) == (401, "AuthenticationFailed")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-ms-request-id"]
        assert "ep" in answer.error["message"]
    assert door.call(key=None, headers={"Authorization": "Basic dTpw"}).status == 401
    assert replica.seen == []


async def test_a_refusal_over_http2_does_not_overtake_its_request(door):
    """curl 7.88 shows no answer behind which the stream is reset."""
    await door.apply(door.endpoint(door.deployment(door.replica())))
    address = (door.addresses.https[1], str(door.certificates.authority))
    for path in ("/inference/ep/score", "/inference/nobody/score"):
        headers = {"authorization": "Bearer wrong"}
        seen = await asyncio.to_thread(http2.exchange, *address, path, b"x" * 3000, **headers)
        assert http2.HEADERS in seen
        assert seen[-1] == http2.DATA  # and no RST_STREAM


async def test_unknown_endpoint_deployment_and_no_traffic_are_told_apart(door):
    blue = door.deployment(door.replica())
    await door.apply(door.endpoint(blue), door.endpoint(blue, name="idle", traffic={"blue": 0}))

    unknown = door.call("/inference/nobody/score")
    missing = door.call(headers={"azureml-model-deployment": 'pink"\\'})
    idle = door.call("/inference/idle/score")

    assert [answer.status for answer in (unknown, missing, idle)] == [404, 404, 404]
    assert unknown.error["code"] == "EndpointNotFound"
    assert "nobody" in unknown.error["message"]
    assert missing.error["code"] == "DeploymentNotFound"
    assert 'pink"\\' in missing.error["message"]
    assert idle.error["code"] == "NoDeploymentWithTraffic"
    assert door.call("/inference/").status == 404


@pytest.mark.parametrize("status", [201, 204, 301, 400, 404, 500, 502, 503])
async def test_models_own_failure_is_424_with_its_status_and_body(door, status):
    body = b"" if status == 204 else b'{"message": "mine"}'
    replica = door.replica(behave=lambda request: (status, {"x-mine": "1"}, body))
    await door.apply(door.endpoint(door.deployment(replica)))

    answer = door.call()

    assert answer.status == 424
    assert answer.headers["ms-azureml-model-error-statuscode"] == str(status)
    assert answer.headers["ms-azureml-model-error-reason"] == "model_error"
    assert answer.headers["x-mine"] == "1"
    assert answer.body == body
    assert len(replica.seen) == 1


async def test_replica_that_does_not_answer_in_time_is_408_and_not_asked_again(door):
    released = threading.Event()
    replica = door.replica(behave=lambda request: (released.wait(10), (200, {}, b""))[1])
    other = door.replica("other", behave=lambda request: (released.wait(10), (200, {}, b""))[1])
    await door.apply(door.endpoint(door.deployment(replica, other, request_timeout_ms=100)))

    answer = await asyncio.to_thread(door.call)
    released.set()

    assert (answer.status, answer.error["code"]) == (408, "RequestTimeout")
    assert "100 ms" in answer.error["message"]
    assert answer.headers["azureml-model-deployment"] == "blue"
    assert "x-lazulite-status" not in answer.headers
    assert len(replica.seen) + len(other.seen) == 1


async def test_replicas_own_timeout_is_408_and_keeps_its_body(door):
    def late(request):
        time.sleep(0.15)
        return 500, {}, b'{"message": "Scoring timeout after 100 ms"}'

    replica = door.replica(behave=late)
    await door.apply(door.endpoint(door.deployment(replica, request_timeout_ms=100)))

    answer = door.call()

    assert answer.status == 408
    assert answer.body == b'{"message": "Scoring timeout after 100 ms"}'
    assert "ms-azureml-model-error-statuscode" not in answer.headers


@pytest.mark.nightly
async def test_client_may_be_silent_for_as_long_as_its_model_computes(door):
    replica = door.replica(behave=lambda request: (time.sleep(32), (200, {}, b"done"))[1])
    await door.apply(door.endpoint(door.deployment(replica, request_timeout_ms=180_000)))

    assert (await asyncio.to_thread(door.call, timeout=40)).body == b"done"


@pytest.mark.slow
async def test_body_that_does_not_arrive_is_408_and_occupies_no_replica(door):
    replica = door.replica()
    await door.apply(door.endpoint(door.deployment(replica)))
    head = b"POST /inference/ep/score HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n"
    head += b"authorization: Bearer the-primary-key\r\n\r\nabc"

    with socket.create_connection(door.addresses.http, timeout=30) as connection:
        connection.sendall(head)
        said = await asyncio.to_thread(connection.recv, 65536)

    assert b" 408 " in said.split(b"\r\n")[0]
    assert replica.seen == []


async def test_more_than_twice_the_concurrency_is_429_that_names_the_limit(door):
    released = threading.Event()
    replica = door.replica(behave=lambda request: (released.wait(10), (200, {}, b""))[1])
    blue = door.deployment(replica, max_concurrent=1, instances=2, max_queue_wait_ms=20_000)
    await door.apply(door.endpoint(blue))

    calls = [asyncio.create_task(asyncio.to_thread(door.call)) for _ in range(7)]
    await door.until(lambda: sum(call.done() for call in calls) == 3)
    released.set()
    answers = await asyncio.gather(*calls)

    refused = [answer for answer in answers if answer.status != 200]
    assert [answer.status for answer in refused] == [429, 429, 429]
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].error["code"] == "TooManyRequests"
    assert "4 requests in flight" in refused[0].error["message"]
    assert len(replica.seen) == 4


async def test_waiting_longer_than_max_queue_wait_is_429(door):
    released = threading.Event()
    replica = door.replica(behave=lambda request: (released.wait(10), (200, {}, b"first"))[1])
    await door.apply(door.endpoint(door.deployment(replica, max_queue_wait_ms=150)))

    first = asyncio.create_task(asyncio.to_thread(door.call))
    await door.until(lambda: replica.seen)
    second = await asyncio.to_thread(door.call)
    released.set()

    assert (second.status, second.error["code"]) == (429, "TooManyRequests")
    assert "150 ms" in second.error["message"]
    assert "stayed busy" in second.error["message"]
    assert second.headers["retry-after"] == "1"
    assert "x-lazulite-status" not in second.headers
    assert (await first).body == b"first"
    assert len(replica.seen) == 1


async def test_deployment_without_a_replica_is_503(door):
    await door.apply(door.endpoint(door.deployment()))

    answer = door.call()

    assert (answer.status, answer.error["code"]) == (503, "ServiceUnavailable")
    assert "No replica is up" in answer.error["message"]
    assert answer.headers["retry-after"] == "1"


async def test_deployment_whose_only_socket_is_gone_is_503(door):
    replica = door.replica()
    await door.apply(door.endpoint(door.deployment(replica)))
    replica.close()

    answer = door.call()

    assert (answer.status, answer.error["code"]) == (503, "ServiceUnavailable")


async def test_replica_that_breaks_off_within_an_answer_is_not_asked_again(door):
    calls = []

    async def broken(reader, writer):
        head = await reader.read(65536)
        if head:
            calls.append(head)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-le")
        writer.close()

    path = door.settings.run_folder / "broken.sock"
    server = await asyncio.start_unix_server(broken, path)
    await door.apply(door.endpoint(door.deployment(door.socket(path))))

    answer = await asyncio.to_thread(door.call)
    server.close()

    assert (answer.status, answer.error["code"]) == (502, "BadGateway")
    assert len(calls) == 1


async def test_replica_that_always_breaks_before_an_answer_is_502_in_the_end(door):
    calls = []

    async def broken(reader, writer):
        if await reader.read(65536):
            calls.append(1)
        writer.close()

    path = door.settings.run_folder / "broken.sock"
    server = await asyncio.start_unix_server(broken, path)
    await door.apply(door.endpoint(door.deployment(door.socket(path))))

    answer = await asyncio.to_thread(door.call)
    server.close()

    assert answer.status == 502
    assert 1 <= len(calls) <= 5


async def test_control_plane_that_is_down_is_503_with_retry_after(door):
    await door.apply()

    answer = door.call("/subscriptions/s", method="GET", body=None)

    assert (answer.status, answer.error["code"]) == (503, "ServiceUnavailable")
    assert "control plane" in answer.error["message"]
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["content-type"] == "application/json"


async def test_host_that_is_not_ours_is_421(door):
    door.replica("control")
    await door.apply()

    def status(host):
        return door.call("/x", method="GET", body=None, headers={"Host": host}).status

    ours = ("localhost:8080", "LOCALHOST", "a.localhost:1", "[::1]:8443", "127.0.0.1")
    assert [status(host) for host in ours] == [200] * 5
    assert [status(host) for host in ("evil.example", "notlocalhost", "localhost.evil")] == [
        421
    ] * 3


async def test_too_long_url_and_header_are_414_and_431(door):
    door.replica("control")
    await door.apply()

    assert door.call("/" + "a" * 10_000, method="GET", body=None).status == 200
    assert door.call("/" + "a" * 20_000, method="GET", body=None).status == 414
    long = door.call("/", method="GET", body=None, headers={"x-long": "a" * 33_000})
    assert (long.status, long.error["code"]) == (431, "RequestHeaderFieldsTooLarge")
    longest = door.call("/", method="GET", body=None, headers={"x-long": "a" * 66_000})
    assert longest.status == 400


async def test_client_that_left_while_it_waited_is_never_run(door):
    released = threading.Event()
    patient = {"max_queue_wait_ms": 60_000, "request_timeout_ms": 60_000}
    replica = door.replica(behave=lambda request: (released.wait(60), (200, {}, b"first"))[1])
    await door.apply(door.endpoint(door.deployment(replica, **patient)))
    head = b"POST /inference/ep/score HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n"
    head += b"authorization: Bearer the-primary-key\r\n\r\nstale"

    first = asyncio.create_task(asyncio.to_thread(door.call))
    await door.until(lambda: replica.seen)
    with socket.create_connection(door.addresses.http, timeout=20) as connection:
        connection.sendall(head)
        await door.until(lambda: waiting(door) == 1)
    await door.until(lambda: waiting(door) == 0)
    released.set()

    assert (await first).body == b"first"
    assert door.call(body=b"next").body == b"first"
    assert [request.body for request in replica.seen] == [b"{}", b"next"]


def waiting(door) -> int:
    """Requests in the queue of ep.blue."""
    with Console(str(door.settings.run_folder / "stats.sock")) as console:
        lines = console.ask(b"show stat").decode().splitlines()
    names = lines[0].lstrip("# ").split(",")
    rows = [dict(zip(names, line.split(","), strict=False)) for line in lines[1:]]
    [row] = [row for row in rows if (row["pxname"], row.get("svname")) == ("ep.blue", "BACKEND")]
    return int(row["qcur"])


async def test_body_over_the_limit_is_413_whether_or_not_it_tells_its_length(door):
    def refusing(request):
        ran = {"x-ms-run-fn-exec-ms": "1.0"} if request.body == b"ran" else {}
        return 413, {"x-ms-run-function-failed": "False", **ran}, b"mine"

    replica = door.replica(behave=refusing)
    await door.apply(door.endpoint(door.deployment(replica)))

    told = door.call(body=b"", headers={"content-length": str(LARGEST_BODY + 1)})
    untold = door.call()
    own = door.call(body=b"ran")

    assert (untold.status, untold.error["code"]) == (413, "RequestEntityTooLarge")
    assert (told.status, told.error["code"]) == (413, "RequestEntityTooLarge")
    assert str(LARGEST_BODY) in told.error["message"]
    assert (own.status, own.headers["ms-azureml-model-error-statuscode"]) == (424, "413")
    assert len(replica.seen) == 2


@pytest.mark.parametrize(
    "extra",
    [
        b"content-length: 3\r\ncontent-length: 4\r\n",
        b"content-length: -1\r\n",
        b"content-length: 3\r\ntransfer-encoding: chunked, identity\r\n",
        b"bad header: 1\r\n",
    ],
)
async def test_ambiguous_request_is_refused_before_any_replica(door, extra):
    replica = door.replica()
    await door.apply(door.endpoint(door.deployment(replica)))
    head = b"POST /inference/ep/score HTTP/1.1\r\nhost: localhost\r\n"
    head += b"authorization: Bearer the-primary-key\r\n"

    with socket.create_connection(door.addresses.http, timeout=30) as connection:
        connection.sendall(head + extra + b"\r\nabc")
        said = connection.recv(65536)

    assert b" 400 " in said.split(b"\r\n")[0]
    assert replica.seen == []


async def test_metrics_and_administration_are_on_private_sockets_only(door):
    control = door.replica("control")
    await door.apply()

    assert door.call("/metrics", method="GET", body=None).body == b"ok"
    assert control.seen[0].path == "/metrics"
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(door.settings.run_folder / "metrics.sock"))
        connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b"haproxy_process_build_info" in said
    for name in ("stats.sock", "metrics.sock", "edge.sock"):
        assert (door.settings.run_folder / name).stat().st_mode & 0o777 == 0o600


def token(key, *, algorithm="RS256", **claims) -> str:
    """A JWT of the issuer for "ep", with changes; RS256 signed whatever its header says."""
    body = {
        "iss": "https://localhost/issuer",
        "aud": "uid-1",
        "exp": int(time.time()) + 60,
        **claims,
    }
    parts = [{"alg": algorithm, "typ": "JWT"}, {k: v for k, v in body.items() if v is not None}]
    signed = b".".join(encoded(json.dumps(part).encode()) for part in parts)
    signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return (signed + b"." + encoded(signature)).decode()


def encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


async def test_token_of_the_endpoint_is_accepted(door):
    replica = door.replica()
    await door.apply(door.endpoint(door.deployment(replica), auth_mode="aml_token"))

    assert door.call(key=token(door.token_key)).status == 200
    assert door.call(key=token(door.token_key, nbf=int(time.time()))).status == 200


async def test_expired_token_is_401_that_says_so(door):
    replica = door.replica()
    await door.apply(door.endpoint(door.deployment(replica), auth_mode="aml_token"))

    answer = door.call(key=token(door.token_key, exp=int(time.time()) - 1))

    assert (answer.status, answer.error["code"]) == (401, "ExpiredAuthenticationToken")
    assert replica.seen == []


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "uid-2"},
        {"aud": None},
        {"aud": ["uid-1"]},
        {"iss": "https://elsewhere"},
        {"iss": None},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": int(time.time()) + 3600},
        {"algorithm": "HS256"},
        {"algorithm": "none"},
        {"algorithm": "RS512"},
    ],
)
async def test_token_with_a_wrong_claim_is_401(door, changes):
    replica = door.replica()
    await door.apply(door.endpoint(door.deployment(replica), auth_mode="aml_token"))

    assert door.call(key=token(door.token_key, **changes)).status == 401
    assert replica.seen == []


async def test_token_that_is_not_ours_is_401(door):
    replica = door.replica()
    await door.apply(door.endpoint(door.deployment(replica), auth_mode="aml_token"))
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    good = token(door.token_key)
    head, body, signature = good.split(".")
    other_body = token(door.token_key, aud="uid-2").split(".")[1]

    for bad in (
        token(stranger),
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{other_body}.{signature}",
        "the-primary-key",
        "..",
    ):
        assert door.call(key=bad).status == 401
    assert replica.seen == []


async def test_key_does_not_open_a_token_endpoint_nor_a_token_a_key_endpoint(door):
    blue = door.deployment(door.replica())
    await door.apply(door.endpoint(blue), door.endpoint(blue, name="tokens", auth_mode="aml_token"))

    assert door.call("/inference/tokens/score").status == 401
    assert door.call("/inference/tokens/score", key=token(door.token_key)).status == 200
    assert door.call("/inference/ep/score", key=token(door.token_key)).status == 401
