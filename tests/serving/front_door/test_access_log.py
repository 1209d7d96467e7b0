"""A line for each scored request: what it says, and where it goes."""

import os

import pytest

from lazulite.serving import access_recorder
from lazulite.serving.access_log import LOST, parse_line
from lazulite.serving.access_recorder import AccessRecorder, segments


@pytest.fixture
def logged(door):
    """A front door that keeps its lines, and what reads them."""
    folder = door.folder.parent / "access"
    door.front = door.successor(access_log=folder)

    async def requests(count):
        """The first so many, once they are there."""
        found = lambda: [  # noqa: E731
            access
            for path in segments(folder)
            for line in path.read_bytes().splitlines()
            if (access := parse_line(line))
        ]
        await door.until(lambda: len(found()) >= count)
        return found()

    return requests


async def test_a_line_says_who_asked_and_what_came_of_it(door, logged):
    replica = door.replica(behave=lambda request: (500, {}, b"no"))
    await door.apply(door.endpoint(door.deployment(replica)))
    ids = {"x-request-id": "the id", "x-ms-client-request-id": "mine", "user-agent": "a b|c"}

    door.call("/inference/EP/score?key=secret", body=b"x" * 5000, headers=ids)

    [seen] = await logged(1)
    assert (seen.endpoint, seen.deployment, seen.method) == ("ep", "blue", "POST")
    assert (seen.status, seen.model_status, seen.auth) == (424, 500, "key")
    assert (seen.request_id, seen.client_request_id) == ("the id", "mine")
    assert (seen.user_agent, seen.path) == ("a b|c", "/inference/EP/score")
    assert seen.bytes_in > 5000
    assert seen.bytes_out > 0
    assert seen.is_first
    assert 0 <= seen.model_ms <= seen.total_ms


async def test_a_refused_request_has_a_line_too(door, logged):
    await door.apply(door.endpoint(door.deployment(door.replica())))

    door.call(key="wrong")

    [seen] = await logged(1)
    assert (seen.endpoint, seen.deployment, seen.status) == ("ep", "", 401)
    assert seen.model_status is None


async def test_a_client_cannot_write_a_line_of_its_own(door, logged):
    await door.apply(door.endpoint(door.deployment(door.replica())))

    door.call("/inference/ep/a%0Ab", headers={"user-agent": "x\ty 1 2 3 4 5 6"})
    door.call("/elsewhere")
    door.call()

    assert [seen.path for seen in await logged(2)] == ["/inference/ep/a%0Ab", "/inference/ep/score"]


async def test_lines_go_on_behind_a_change_and_a_restart_of_the_edge(door, logged):
    endpoint = door.endpoint(door.deployment(door.replica()))
    await door.apply(endpoint)
    door.call()
    await door.apply(endpoint, door.endpoint(name="other", uid="uid-2"))
    door.call()
    await door.front.stop()
    await door.apply(endpoint)
    door.call()

    assert len(await logged(3)) == 3


def test_files_are_bounded_and_say_how_many_lines_went(tmp_path, monkeypatch):
    monkeypatch.setattr(access_recorder, "SEGMENT_BYTES", 10)
    monkeypatch.setattr(access_recorder, "MOST_SEGMENTS", 2)
    recorder = AccessRecorder(tmp_path)
    for number in range(5):
        os.write(recorder.writer, b"line %d\nmore\n" % number)
        recorder.drain()
    recorder.close()

    text = b"".join(path.read_bytes() for path in segments(tmp_path))
    assert len(segments(tmp_path)) <= 3
    assert text.count(LOST + b"2\n") >= 1
    assert b"line 4" in text


def test_what_is_no_line_is_passed_over():
    assert parse_line(b"Server control is DOWN") is None
    assert parse_line(b"") is None
