"""Questions of callers: what they wait for, and what does not wait for them."""

import contextlib
import json
import threading
import time

import pytest

from lazulite.core.errors import ArmError
from lazulite.telemetry import questions
from lazulite.telemetry.questions import Patience, Questions, encoded
from lazulite.telemetry.store import ASKED_AT_ONCE

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n"


@pytest.fixture
def asked(store):
    asked = Questions(store)
    yield asked
    asked.close()


@pytest.fixture
def busy(store):
    """The store while as many questions are answered as may be at once."""
    with contextlib.ExitStack() as held:
        for _ in range(ASKED_AT_ONCE):
            held.enter_context(store.asked.until(time.monotonic()))
        yield store


async def test_questions_have_threads_of_their_own(asked):
    name = await asked.answer(lambda reader: threading.current_thread().name)
    assert name.startswith("telemetry")
    assert await asked.answer(lambda reader: reader.read("SELECT 1, ?", ["a"])) == [(1, "a")]


def test_the_server_reads_while_callers_ask(busy):
    busy.write({}, (), {"name": [1]})
    assert busy.mark("name") == [1]


def test_waiting_counts_as_time(busy):
    with pytest.raises(ArmError, match="others are being answered") as refused:
        Patience(busy.asked, time.monotonic()).read("SELECT 1")
    assert (refused.value.code, refused.value.status) == ("QueryTimeout", 504)


def test_a_query_ends_at_its_end_and_the_next_one_is_answered(store):
    with pytest.raises(ArmError, match="given up"):
        Patience(store.asked, time.monotonic()).read(ENDLESS)
    for _ in range(ASKED_AT_ONCE):
        assert Patience(store.asked, time.monotonic() + 60).read("SELECT 1") == [(1,)]


async def test_answers_are_bounded_in_bytes(asked, monkeypatch):
    monkeypatch.setattr(questions, "MOST_BYTES", 1 << 20)
    million = "SELECT printf('%.*c', 1000000, 'x')"
    assert len(await asked.answer(lambda reader: reader.read(million))) == 1
    with pytest.raises(ArmError, match="larger than 1 MiB") as refused:
        await asked.answer(lambda reader: reader.read(f"{million} UNION ALL {million}"))
    assert refused.value.code == "QueryResultTooLarge"


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"tables": []},
        {"tables": [{"name": 'a"b', "rows": [[1, None, "ü"], [], [{"x": [1.5]}, True]]}], "n": 0},
    ],
)
def test_json_in_pieces_is_json(value):
    assert json.loads(encoded(value).body) == value
