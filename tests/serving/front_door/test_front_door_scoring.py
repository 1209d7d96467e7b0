"""Which replica answers, what it sees, and what the caller gets back."""

import asyncio
import collections
import dataclasses
import http.client
import json
import ssl
import subprocess
import uuid

import pytest

KEY = "the-primary-key"


def labelled(name):
    return lambda request: (200, {}, name.encode())


async def test_path_after_the_endpoint_and_the_query_reach_the_replica(door):
    replica = door.replica()
    await door.apply(door.endpoint(door.deployment(replica)))

    door.call("/inference/ep/score?a=1&b=%2F")
    door.call("/inference/ep/swagger.json?version=3", method="GET", body=None)
    door.call("/inference/ep/v2/models/m/infer")
    door.call("/inference/ep/", method="GET", body=None)
    door.call("/inference/ep", method="GET", body=None)
    door.call("/inference/EP/score")

    assert [request.path for request in replica.seen] == [
        "/score?a=1&b=%2F",
        "/swagger.json?version=3",
        "/v2/models/m/infer",
        "/",
        "/",
        "/score",
    ]


async def test_body_status_and_deployment_name_come_back(door):
    replica = door.replica(behave=lambda request: (200, {"x-mine": "yes"}, request.body[::-1]))
    await door.apply(door.endpoint(door.deployment(replica)))

    answer = door.call(body=b"abc")

    assert (answer.status, answer.body) == (200, b"cba")
    assert answer.headers["x-mine"] == "yes"
    assert answer.headers["azureml-model-deployment"] == "blue"


async def test_body_larger_than_the_buffer_passes(door):
    replica = door.replica(behave=lambda request: (200, {}, request.body))
    await door.apply(door.endpoint(door.deployment(replica)))
    body = bytes(range(256)) * 4096

    assert door.call(body=body).body == body


async def test_request_id_of_the_caller_is_kept_and_a_missing_one_is_made(door):
    replica = door.replica()
    await door.apply(door.endpoint(door.deployment(replica)))

    given = door.call(headers={"x-request-id": "mine-1"})
    made = door.call()

    assert replica.seen[0].headers["x-request-id"] == given.headers["x-ms-request-id"] == "mine-1"
    assert replica.seen[1].headers["x-request-id"] == made.headers["x-ms-request-id"]
    assert uuid.UUID(made.headers["x-ms-request-id"])


async def test_request_id_that_the_replica_sets_is_not_replaced(door):
    replica = door.replica(behave=lambda request: (200, {"x-ms-request-id": "legacy"}, b""))
    await door.apply(door.endpoint(door.deployment(replica)))

    assert door.call().headers.get_all("x-ms-request-id") == ["legacy"]


async def test_replica_sees_no_credential_and_no_forged_origin(door):
    replica = door.replica()
    await door.apply(door.endpoint(door.deployment(replica)))

    door.call(headers={"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "gopher"})

    headers = replica.seen[0].headers
    assert "authorization" not in headers
    assert headers.get_all("x-forwarded-for") == ["127.0.0.1"]
    assert headers.get_all("x-forwarded-proto") == ["http"]


async def test_traffic_is_split_exactly_and_each_endpoint_counts_for_itself(door):
    blue, green = door.replica("b", labelled("blue")), door.replica("g", labelled("green"))
    two = (
        door.deployment(blue, max_concurrent=10),
        door.deployment(green, name="green", max_concurrent=10),
    )
    await door.apply(
        door.endpoint(*two, traffic={"blue": 70, "green": 30}),
        door.endpoint(*two, name="other", traffic={"blue": 1, "green": 99}),
    )
    connection = http.client.HTTPConnection(*door.addresses.http)
    counts = collections.Counter()

    def score(name, **headers):
        sent = {"Authorization": "Bearer the-primary-key", **headers}
        connection.request("POST", f"/inference/{name}/score", b"", sent)
        return connection.getresponse().read()

    for turn in range(300):
        counts["ep", score("ep")] += 1
        if turn % 3 == 0:
            counts["other", score("other")] += 1
        if turn % 5 == 0:  # whoever names a deployment takes no turn
            score("ep", **{"azureml-model-deployment": "green"})
    connection.close()

    assert counts == {
        ("ep", b"blue"): 210,
        ("ep", b"green"): 90,
        ("other", b"blue"): 1,
        ("other", b"green"): 99,
    }


async def test_header_reaches_a_deployment_without_traffic(door):
    blue, green = door.replica("b", labelled("blue")), door.replica("g", labelled("green"))
    await door.apply(
        door.endpoint(
            door.deployment(blue), door.deployment(green, name="green"), traffic={"blue": 100}
        )
    )

    assert {door.call().body for _ in range(20)} == {b"blue"}
    answer = door.call(headers={"azureml-model-deployment": "green"})
    assert (answer.body, answer.headers["azureml-model-deployment"]) == (b"green", "green")


async def test_many_endpoints_do_not_mix(door):
    replicas = [door.replica(f"r{n}", labelled(f"e{n}")) for n in range(5)]
    await door.apply(
        *(
            door.endpoint(
                door.deployment(replica), name=f"e{n}", key_hashes=(door.hashed(f"k{n}"),)
            )
            for n, replica in enumerate(replicas)
        )
    )

    for n in range(5):
        assert door.call(f"/inference/e{n}/score", key=f"k{n}").body == f"e{n}".encode()
        assert door.call(f"/inference/e{n}/score", key=f"k{(n + 1) % 5}").status == 401


async def test_headers_that_are_not_the_models_to_set_are_dropped(door):
    forged = {
        "Set-Cookie": "session=1",
        "Keep-Alive": "timeout=99",
        "azureml-model-deployment": "other",
        "ms-azureml-model-error-reason": "forged",
        "x-lazulite-status": "429",
        "Proxy-Authenticate": "Basic",
    }
    replica = door.replica(behave=lambda request: (200, forged, b"fine"))
    await door.apply(door.endpoint(door.deployment(replica)))

    answer = door.call()

    assert answer.status == 200
    assert answer.headers.get_all("azureml-model-deployment") == ["blue"]
    assert {name.lower() for name in answer.headers}.isdisjoint(
        {name.lower() for name in forged} - {"azureml-model-deployment"}
    )


async def test_everything_else_goes_to_the_control_plane_unchanged(door):
    control = door.replica("control", labelled("control"))
    await door.apply(door.endpoint(door.deployment(door.replica())))
    paths = [
        "/subscriptions/s/resourceGroups/g?api-version=2023-10-01",
        "/inference/ep/jobs",
        "/inference/nobody/jobs/j1?x=1",
        "/",
        "/metrics",
    ]

    for path in paths:
        assert door.call(path, method="PUT", key="a-token").body == b"control"

    assert [request.path for request in control.seen] == paths
    assert control.seen[0].headers["authorization"] == "Bearer a-token"


async def test_control_plane_learns_the_true_origin(door):
    control = door.replica("control")
    await door.apply()
    context = ssl.create_default_context(cafile=door.certificates.authority)
    connection = http.client.HTTPSConnection(
        "localhost", door.addresses.https[1], context=context, timeout=10
    )
    connection.request("GET", "/x", headers={"X-Forwarded-Host": "evil", "X-Forwarded-For": "9"})
    assert connection.getresponse().read() == b"ok"
    connection.close()

    headers = control.seen[0].headers
    assert headers.get_all("x-forwarded-proto") == ["https"]
    assert headers.get_all("x-forwarded-host") == [f"localhost:{door.addresses.https[1]}"]
    assert headers.get_all("x-forwarded-for") == ["127.0.0.1"]


async def test_http2_is_offered_over_tls(door):
    replica = door.replica(behave=labelled("over h2"))
    await door.apply(door.endpoint(door.deployment(replica)))
    command = ["curl", "-sS", "--http2", "--cacert", str(door.certificates.authority)]
    command += ["-H", "Authorization: Bearer the-primary-key", "-d", "{}"]
    command += ["-w", " %{http_version} %{http_code}"]
    url = f"https://localhost:{door.addresses.https[1]}/inference/ep/score"

    said = await asyncio.to_thread(
        subprocess.run, [*command, url], capture_output=True, check=True, timeout=20
    )

    assert said.stdout == b"over h2 2 200"


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
async def test_large_body_that_waits_for_permission_is_accepted(door, version):
    replica = door.replica(behave=lambda request: (200, {}, str(len(request.body)).encode()))
    await door.apply(door.endpoint(door.deployment(replica)))
    command = ["curl", "-sS", version, "--cacert", str(door.certificates.authority)]
    command += ["-H", "Authorization: Bearer the-primary-key", "-H", "Expect: 100-continue"]
    command += ["--data-binary", "@-", f"https://localhost:{door.addresses.https[1]}"]
    command[-1] += "/inference/ep/score"

    said = await asyncio.to_thread(
        subprocess.run, command, input=b"a" * 3_000_000, capture_output=True, timeout=20
    )

    assert said.stdout == b"3000000"


async def test_streamed_answer_is_passed_on_before_it_ends(door):
    released = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def stream(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        await writer.drain()
        await released.wait()
        writer.write(b"3\r\ntwo\r\n0\r\n\r\n")
        await writer.drain()
        writer.close()

    path = door.settings.run_folder / "stream.sock"
    server = await asyncio.start_unix_server(stream, path)
    streaming = dataclasses.replace(door.deployment(), sockets=(str(path),))
    await door.apply(door.endpoint(streaming))

    def read_halves():
        connection = http.client.HTTPConnection(*door.addresses.http, timeout=30)
        connection.request("GET", "/inference/ep/score", headers={"Authorization": f"Bearer {KEY}"})
        response = connection.getresponse()
        first = response.read(3)
        loop.call_soon_threadsafe(released.set)
        rest = response.read()
        connection.close()
        return first, rest

    assert await asyncio.to_thread(read_halves) == (b"one", b"two")
    server.close()


async def test_keys_can_be_rotated_without_a_gap(door):
    replica = door.replica()
    blue = door.deployment(replica)
    old, new = door.hashed("old"), door.hashed("new")
    for hashes, expected in [
        ((old,), {"old": 200, "new": 401}),
        ((old, new), {"old": 200, "new": 200}),
        ((new,), {"old": 401, "new": 200}),
    ]:
        await door.apply(door.endpoint(blue, key_hashes=hashes))
        assert {key: door.call(key=key).status for key in expected} == expected


async def test_keys_stand_nowhere_in_the_configuration(door):
    await door.apply(door.endpoint(door.deployment(door.replica())))
    door.call()

    written = [path for path in door.folder.rglob("*") if path.is_file()]
    texts = [path.read_bytes() for path in [*written, door.log()]]

    assert len(written) > 5
    assert not any(KEY.encode() in text for text in texts)


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
async def test_methods_without_a_body_are_scored_too(door, method):
    replica = door.replica(behave=lambda request: (200, {}, json.dumps(request.method).encode()))
    await door.apply(door.endpoint(door.deployment(replica)))

    assert json.loads(door.call(method=method, body=None).body) == method
