"""Answers that overtake their request."""

import asyncio

import pytest

from lazulite.app import arrival
from lazulite.app.arrival import MOST_READ, WholeRequests

START = {"type": "http.response.start", "status": 401, "headers": [(b"a", b"b")]}
PART = {"type": "http.request", "body": b"x" * 1000, "more_body": True}
LAST = {"type": "http.request", "body": b"x", "more_body": False}
GONE = {"type": "http.disconnect"}


async def refuse(scope, receive, send):
    await send(START)


async def read(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send(START)


async def asked(app, coming, *, x_lazulite_http="2", **headers):
    """Whether the answer closes the connection, and what of the request was left unread."""
    headers["x_lazulite_http"] = x_lazulite_http
    queue, sent = asyncio.Queue(), []
    for message in coming:
        queue.put_nowait(message)
    given = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    scope = {"type": "http", "headers": given}

    async def send(message):
        sent.append(message)

    await WholeRequests(app)(scope, queue.get, send)
    return (b"connection", b"close") in sent[0]["headers"], queue.qsize()


@pytest.mark.parametrize("body", [{"content_length": "2001"}, {"transfer_encoding": "chunked"}])
async def test_what_is_left_of_a_refused_request_is_read(body):
    assert await asked(refuse, [PART, PART, LAST], **body) == (False, 0)


async def test_a_client_that_goes_away_meanwhile_is_not_waited_for():
    assert await asked(refuse, [PART, GONE], content_length="9999") == (False, 0)


async def test_of_a_long_one_the_rest_is_not_read_and_its_connection_ends():
    count = MOST_READ // 1000 + 10
    closes, left = await asked(refuse, [PART] * count, content_length="99999999")
    assert closes
    assert left == 9


async def test_one_that_does_not_come_ends_its_connection(monkeypatch):
    monkeypatch.setattr(arrival, "PATIENCE_S", 0.01)
    assert await asked(refuse, [PART], content_length="2000") == (True, 0)


async def test_a_body_that_waits_for_permission_is_not_asked_for():
    closes, left = await asked(refuse, [PART, LAST], content_length="9", expect="100-continue")
    assert (closes, left) == (True, 2)


async def test_what_was_read_and_what_has_no_body_pass():
    assert await asked(read, [PART, LAST], content_length="1001") == (False, 0)
    assert await asked(read, [PART, LAST], content_length="9", expect="100-continue") == (False, 0)
    assert await asked(refuse, [], content_length="0") == (False, 0)
    assert await asked(refuse, []) == (False, 0)


async def test_over_http_1_an_answer_may_come_first():
    assert await asked(refuse, [LAST], content_length="1", x_lazulite_http="1") == (False, 1)
