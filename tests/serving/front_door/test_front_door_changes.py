"""Changes and deaths: what runs goes on, what comes is served, what is lost comes back."""

import asyncio
import dataclasses
import functools
import http.client
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from lazulite.executors.protocol import Phase
from lazulite.serving.front_door import FrontDoorError


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


async def test_same_endpoints_in_any_order_change_nothing(door):
    one = door.endpoint(door.deployment(door.replica("a")), name="one")
    two = door.endpoint(door.deployment(door.replica("b")), name="two")
    await door.apply(one, two)
    before = door.status()

    await door.apply(two, one)

    assert door.status() == before


async def test_next_control_plane_adopts_the_front_door(door):
    blue = door.endpoint(door.deployment(door.replica()))
    await door.apply(blue)
    before = door.status()

    await door.successor().apply([blue])

    assert door.status() == before


async def test_applications_at_one_time_are_served_in_turn(door):
    replica = door.replica()
    endpoints = [door.endpoint(door.deployment(replica), name=f"e{n}") for n in range(5)]

    await asyncio.gather(*(door.apply(endpoint) for endpoint in endpoints))

    assert [door.call(f"/inference/e{n}/score").status for n in range(5)] == [404] * 4 + [200]


async def test_refused_configuration_is_reported_and_the_one_before_stays(door):
    blue = door.endpoint(door.deployment(door.replica()))
    await door.apply(blue)
    before = door.status()
    broken = door.folder.parent / "broken.pem"
    broken.write_text("not a certificate")
    settings = dataclasses.replace(door.settings, certificate=broken)

    with pytest.raises(FrontDoorError, match=r"broken\.pem"):
        await door.successor(settings=settings).apply([blue])

    assert door.status() == before
    assert door.call().status == 200
    folders = [path.name for path in door.folder.iterdir() if path.is_dir()]
    assert folders == [before["configuration"]]


async def test_renewed_certificate_is_loaded(door):
    await door.apply()
    copy = door.folder.parent / "copy.pem"
    copy.write_bytes(door.settings.certificate.read_bytes())
    front = door.successor(settings=dataclasses.replace(door.settings, certificate=copy))
    await front.apply([])
    before = door.status()["configuration"]

    copy.write_bytes(copy.read_bytes() + b"\n")
    await front.apply([])

    assert door.status()["configuration"] != before


async def test_port_that_is_taken_is_an_error_that_names_it(door):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        front = door.successor(http=("127.0.0.1", port))
        with pytest.raises(FrontDoorError, match=f"port {port}"):
            await front.apply([])


async def test_changed_port_moves_the_front_door(door):
    blue = door.endpoint(door.deployment(door.replica()))
    await door.apply(blue)
    port = free_port()

    door.addresses = await door.successor(http=("127.0.0.1", port)).apply([blue])

    assert door.addresses.http == ("127.0.0.1", port)
    assert door.call().status == 200


async def test_connection_kept_over_a_change_cannot_use_a_key_of_before(door):
    blue = door.deployment(door.replica())
    await door.apply(door.endpoint(blue))
    kept = door.connection()
    key = {"Authorization": "Bearer the-primary-key"}
    kept.request("POST", "/inference/ep/score", b"{}", key)
    assert kept.getresponse().read() == b"ok"

    await door.apply(door.endpoint(blue, key_hashes=("0" * 64,)))
    kept.request("POST", "/inference/ep/score", b"{}", key)

    assert kept.getresponse().status == 401


async def test_stop_finishes_the_requests_that_run(door):
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slowly(request):
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(10)
        return 200, {}, b"finished"

    replica = door.replica(behave=slowly)
    await door.apply(door.endpoint(door.deployment(replica)))
    call = asyncio.create_task(asyncio.to_thread(door.call))
    await door.until(lambda: replica.seen)

    stop = asyncio.create_task(door.front.stop())
    await door.until(lambda: not (door.settings.run_folder / "edge.sock").exists())
    release.set()

    assert (await call).body == b"finished"
    await stop
    assert door.haproxy_pids() == set()
    assert await door.executor.observe("front-door") is Phase.LOST
    with pytest.raises(ConnectionRefusedError):
        door.call()


async def test_stop_does_not_wait_for_idle_connections(door):
    await door.apply(door.endpoint(door.deployment(door.replica())))
    idle = http.client.HTTPConnection(*door.addresses.http, timeout=30)
    idle.request("POST", "/inference/ep/score", b"{}", {"Authorization": "Bearer the-primary-key"})
    assert idle.getresponse().read() == b"ok"

    await asyncio.wait_for(door.front.stop(), 4)  # HAProxy itself would close it after 5 s

    assert idle.sock.recv(1) == b""
    idle.close()


async def test_stopped_edge_ends_with_exit_code_0(door):
    await door.apply()

    os.kill(door.status()["pid"], signal.SIGTERM)

    folder = door.executor.folder("front-door")
    await door.until((folder / "exit").exists)
    assert (folder / "exit").read_text().strip() == "0"


@pytest.mark.parametrize(("keep_alive", "tls"), [(True, False), (False, True)])
async def test_no_request_fails_while_the_configuration_is_reloaded(door, keep_alive, tls):
    blue = [door.replica(f"b{n}") for n in range(2)]
    green = [door.replica(f"g{n}") for n in range(2)]
    wide = {"max_concurrent": 50, "max_queue_wait_ms": 10_000}

    def shifted(percent):
        return door.endpoint(
            door.deployment(*blue, **wide),
            door.deployment(*green, name="green", **wide),
            traffic={"blue": percent, "green": 100 - percent},
        )

    await door.apply(shifted(100))
    with door.load(threads=6, keep_alive=keep_alive, tls=tls) as load:
        for percent in range(30):
            await door.apply(shifted(percent))
    await door.until(lambda: not door.status()["draining"])

    assert load.failures == []
    assert load.answered > 30
    assert sum(len(replica.seen) for replica in green) > 0
    assert sum(len(replica.seen) for replica in [*blue, *green]) == load.answered


async def test_draining_haproxy_is_not_woken_by_new_connections(door):
    release = threading.Event()
    slow = door.replica("s", lambda request: (release.wait(20), (200, {}, b""))[1])
    endpoint = door.endpoint(door.deployment(slow, request_timeout_ms=60_000))
    await door.apply(endpoint)
    worker = door.workers(door.status()["haproxy"])[0]
    call = asyncio.create_task(asyncio.to_thread(door.call))
    await door.until(lambda: slow.seen)
    public = {
        f"ino:{path.stat().st_ino:x} "
        for path in Path(f"/proc/{door.status()['pid']}/fd").iterdir()
        if path.readlink().name.startswith("socket:")
    }

    def watched():
        polls = Path(f"/proc/{worker}/fdinfo").iterdir()
        return {inode for poll in polls for inode in public if inode in poll.read_text()}

    assert len(watched()) == 2
    await door.apply(endpoint, door.endpoint(door.deployment(), name="other"))

    await door.until(lambda: not watched())
    assert worker in door.haproxy_pids()
    release.set()
    assert (await call).status == 200


@pytest.mark.crash
async def test_no_request_is_lost_when_replicas_are_killed(door):
    replicas = [door.kept_replica(f"r{n}") for n in range(3)]
    blue = door.deployment(*replicas, max_concurrent=50, max_queue_wait_ms=10_000)
    await door.apply(door.endpoint(blue))

    with door.load(threads=6, keep_alive=True) as load:
        for turn in range(6):
            victim = replicas[turn % 3]
            dead, answered = victim.process.pid, load.answered
            victim.kill()
            await door.until(lambda: victim.process.pid != dead)  # noqa: B023 - awaited here
            await door.until(lambda: load.answered > answered + 50)  # noqa: B023 - awaited here

    assert load.failures == []


async def test_request_whose_replicas_all_die_ends_up_where_it_can_wait(door):
    async def die(reader, writer, index):
        await reader.read(65536)
        servers[index].close()
        paths[index].unlink(missing_ok=True)
        writer.close()

    async def answer(reader, writer):
        await reader.read(65536)
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nsaved")
        writer.close()

    paths = [door.settings.run_folder / f"r{index}.sock" for index in range(5)]
    servers = [
        await asyncio.start_unix_server(functools.partial(die, index=index), path)
        for index, path in enumerate(paths)
    ]
    waiting = await asyncio.start_unix_server(answer, sock=door.waiting_room())
    await door.apply(door.endpoint(door.deployment(*(door.socket(path) for path in paths))))

    answered = await asyncio.to_thread(door.call)

    assert (answered.status, answered.body) == (200, b"saved")
    assert not any(path.exists() for path in paths)
    waiting.close()


@pytest.mark.crash
async def test_requests_wait_for_the_only_replica_to_come_back(door):
    replica = door.kept_replica("r")
    blue = door.deployment(replica, max_concurrent=50, max_queue_wait_ms=10_000)
    await door.apply(door.endpoint(blue))

    with door.load(threads=3, keep_alive=True) as load:
        for _ in range(3):
            dead, answered = replica.process.pid, load.answered
            replica.kill()
            await door.until(lambda: replica.process.pid != dead)  # noqa: B023 - awaited here
            await door.until(lambda: load.answered > answered + 20)  # noqa: B023 - awaited here

    assert load.failures == []


@pytest.mark.crash
@pytest.mark.parametrize("part", ["master", "worker"])
async def test_killed_haproxy_is_replaced_and_new_connections_only_wait(door, part):
    replica = door.replica()
    await door.apply(door.endpoint(door.deployment(replica)))
    for _ in range(3):
        dead = door.status()["haproxy"]
        worker = door.workers(dead)[0]

        os.kill(dead if part == "master" else worker, signal.SIGKILL)

        await door.until(lambda: worker not in door.haproxy_pids())  # noqa: B023 - awaited here
        assert (await asyncio.to_thread(door.call)).status == 200
        await door.until(lambda: door.status()["haproxy"] != dead)  # noqa: B023 - awaited here
        await door.until(lambda: len(door.haproxy_pids()) == 2)


@pytest.mark.crash
async def test_killed_haproxy_costs_at_most_the_requests_in_flight(door):
    replicas = [door.replica(f"r{n}") for n in range(2)]
    blue = door.deployment(*replicas, max_concurrent=50, max_queue_wait_ms=10_000)
    await door.apply(door.endpoint(blue))

    with door.load(threads=4, keep_alive=True) as load:
        for _ in range(3):
            dead, answered = door.status()["haproxy"], load.answered
            os.kill(dead, signal.SIGKILL)
            await door.until(lambda: door.status()["haproxy"] != dead)  # noqa: B023 - awaited here
            await door.until(lambda: load.answered > answered + 50)  # noqa: B023 - awaited here

    assert len(load.failures) <= 3 * 4
    assert all("Refused" not in failure for failure in load.failures)


@pytest.mark.crash
async def test_killed_edge_takes_haproxy_along_and_the_next_one_binds_at_once(door):
    blue = door.endpoint(door.deployment(door.replica()))
    front = door.successor(http=("127.0.0.1", free_port()), https=("127.0.0.1", free_port()))
    door.addresses = await front.apply([blue])
    for _ in range(3):
        before = door.status()

        os.kill(before["pid"], signal.SIGKILL)
        await front.apply([blue])

        assert door.status()["pid"] != before["pid"]
        await door.until(lambda: len(door.haproxy_pids()) == 2)
        assert door.call().status == 200


@pytest.mark.crash
async def test_edge_that_hangs_is_replaced(door):
    blue = door.endpoint(door.deployment(door.replica()))
    await door.apply(blue)
    before = door.status()
    os.kill(before["pid"], signal.SIGSTOP)

    door.addresses = await door.successor(patience_s=1.0).apply([blue])

    assert door.status()["pid"] != before["pid"]
    assert door.call().status == 200


@pytest.mark.crash
async def test_crash_of_the_control_plane_amid_a_change_leaves_one_whole_configuration(door):
    blue = door.endpoint(door.deployment(door.replica()))
    await door.apply(blue)
    torn = door.folder / ("0" * 32)
    torn.mkdir()
    (torn / "haproxy.cfg").write_text("global\n  half a li")

    worker = door.workers(door.status()["haproxy"])[0]

    os.kill(worker, signal.SIGKILL)

    await door.until(lambda: worker not in door.haproxy_pids())
    assert (await asyncio.to_thread(door.call)).status == 200
    await door.apply(door.endpoint(door.deployment(), name="other"))
    assert not torn.exists()


def seen_by(request):
    """Where the replica believes that a request came from."""
    seen = [request.headers["x-forwarded-for"], request.headers["x-forwarded-proto"]]
    return 200, {}, " ".join(seen).encode()


@pytest.mark.parametrize("tls", [False, True])
async def test_connection_kept_idle_leads_to_the_endpoints_of_now(door, tls):
    """A client that has scored asks over the same connection for what was deployed since."""
    blue, green = door.deployment(door.replica("b")), door.replica("g", seen_by)
    await door.apply(door.endpoint(blue))
    idle = door.connection(tls=tls)
    key = {"Authorization": "Bearer the-primary-key"}
    idle.request("POST", "/inference/ep/score", b"{}", key)
    assert idle.getresponse().read() == b"ok"

    await door.apply(door.endpoint(blue, door.deployment(green, name="green")))
    asked = {**key, "azureml-model-deployment": "green"}
    idle.request("POST", "/inference/ep/score", b"{}", asked)
    answer = idle.getresponse()

    assert (answer.status, answer.headers["azureml-model-deployment"]) == (200, "green")
    assert answer.read().decode() == f"127.0.0.1 {'https' if tls else 'http'}"
    idle.close()


def claimed_by(request):
    """What the front door tells the control plane of a request."""
    told = [request.headers.get(f"x-{name}") for name in ("forwarded-proto", "lazulite-http")]
    return 200, {}, " ".join(map(str, told)).encode()


def asked_over(kept, version):
    kept.request("GET", "/subscriptions", headers={"x-lazulite-http": version})
    return kept.getresponse().read().decode()


@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_a_request_that_is_handed_on_twice_keeps_its_scheme_and_version(door, scheme):
    door.replica("control", claimed_by)
    await door.apply()
    kept = http.client.HTTPConnection("localhost")
    kept.sock = socket.socket(socket.AF_UNIX)
    kept.sock.connect(str(door.settings.run_folder / f"newest-{scheme}.sock"))
    kept.sock.sendall(b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n")
    assert await asyncio.to_thread(asked_over, kept, "2") == f"{scheme} 2"

    await door.apply(door.endpoint(door.deployment(door.replica())))

    assert await asyncio.to_thread(asked_over, kept, "2") == f"{scheme} 2"
    kept.close()


async def test_a_version_that_a_client_claims_is_not_believed(door):
    door.replica("control", claimed_by)
    await door.apply()
    kept = door.connection(tls=True)
    assert await asyncio.to_thread(asked_over, kept, "2") == "https None"

    await door.apply(door.endpoint(door.deployment(door.replica())))

    assert await asyncio.to_thread(asked_over, kept, "2") == "https None"
    kept.close()
    command = ["curl", "-sS", "--http2", "--cacert", str(door.certificates.authority)]
    command += ["-H", "x-lazulite-http: 1", f"https://localhost:{door.addresses.https[1]}/"]
    said = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=20)
    assert said.stdout == b"https 2"
