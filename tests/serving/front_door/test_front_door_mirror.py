"""Mirrored traffic: what is copied, where copies go, and what callers notice of it: nothing."""

import asyncio
import http.client
import threading
import time

from lazulite.serving.mirror_counts import read_copies

KEY = "the-primary-key"
WIDE = {"max_concurrent": 300, "max_queue_wait_ms": 10_000}


def mirrored(door, live, shadow, percent=20, **changes):
    blue = door.deployment(live, **WIDE)
    green = door.deployment(shadow, name="green", **{**WIDE, **changes})
    return door.endpoint(blue, green, traffic={"blue": 100}, mirror={"green": percent})


def scored(door, count, body=b"{}", **headers):
    """How long each of so many requests took, in seconds; all must be answered by blue."""
    connection = http.client.HTTPConnection(*door.addresses.http, timeout=20)
    sent = {"Authorization": f"Bearer {KEY}", **headers}
    took = []
    for number in range(count):
        begin = time.perf_counter()
        connection.request("POST", f"/inference/ep/score?n={number}", body, sent)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"blue")
        assert answer.headers["azureml-model-deployment"] == "blue"
        took.append(time.perf_counter() - begin)
    connection.close()
    return took


def copies(door):
    """What HAProxy counted, by outcome."""
    return read_copies(door.settings.run_folder).get(("ep", "green"), {})


async def test_share_of_the_requests_is_copied_whole_and_its_answers_dropped(door):
    live = door.replica("b", lambda request: (200, {}, b"blue"))
    shadow = door.replica("g", lambda request: (200, {}, b"green" * 20_000))
    await door.apply(mirrored(door, live, shadow, percent=20))

    await asyncio.to_thread(scored, door, 100, b"x" * 30_000, **{"x-mine": "1, 2"})

    await door.until(lambda: copies(door).get("answered", 0) >= 19)
    assert 19 <= len(shadow.seen) <= 21
    assert len(live.seen) == 100
    ids = {request.headers["x-request-id"]: request for request in live.seen}
    for copy in shadow.seen:
        original = ids[copy.headers["x-request-id"]]
        assert (copy.method, copy.path) == (original.method, original.path)
        assert (copy.body, copy.headers["x-mine"]) == (original.body, "1, 2")
        assert "authorization" not in copy.headers
        assert "x-lazulite-copy" not in copy.headers


async def test_request_that_names_its_deployment_is_not_copied(door):
    live = door.replica("b", lambda request: (200, {}, b"blue"))
    shadow = door.replica("g", lambda request: (200, {}, b"green"))
    await door.apply(mirrored(door, live, shadow, percent=50))

    await asyncio.to_thread(scored, door, 10, **{"azureml-model-deployment": "blue"})
    assert copies(door) == {}
    named = door.call(headers={"azureml-model-deployment": "green"})

    assert (named.body, len(shadow.seen)) == (b"green", 1)
    assert len(live.seen) == 10


async def test_mirror_that_hangs_delays_nobody_and_its_surplus_is_dropped(door):
    released = threading.Event()
    live = door.replica("b", lambda request: (200, {}, b"blue"))
    shadow = door.replica("g", lambda request: (released.wait(60), (200, {}, b""))[1])
    await door.apply(mirrored(door, live, shadow, percent=50, request_timeout_ms=60_000))

    await asyncio.to_thread(scored, door, 620)

    await door.until(lambda: copies(door).get("dropped", 0) > 0)
    assert abs(copies(door)["dropped"] - (310 - 256)) <= 1
    assert len(live.seen) == 620
    released.set()
    await door.until(lambda: copies(door)["answered"] == 256)


async def test_mirror_that_is_dead_fails_only_the_copies(door):
    live = door.replica("b", lambda request: (200, {}, b"blue"))
    await door.apply(mirrored(door, live, door.socket(door.settings.run_folder / "none.sock"), 50))

    await asyncio.to_thread(scored, door, 20)

    await door.until(lambda: copies(door).get("failed", 0) >= 9)
    assert len(live.seen) == 20


async def test_body_that_does_not_fit_is_scored_and_not_copied(door):
    live = door.replica("b", lambda request: (200, {}, b"blue"))
    shadow = door.replica("g", lambda request: (200, {}, b"green"))
    await door.apply(mirrored(door, live, shadow, percent=50))

    await asyncio.to_thread(scored, door, 4, b"x" * 300_000)

    await door.until(lambda: copies(door).get("too_large", 0) >= 1)
    assert shadow.seen == []
