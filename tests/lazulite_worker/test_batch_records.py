"""From run()'s result to blocks of named columns."""

import collections
import datetime
import decimal
import json
import subprocess
from pathlib import Path

import pytest

from lazulite_worker import batch_records
from tests.science import science_python

SOURCES = Path(__file__).parents[2] / "src"
FRAMES = """
import numpy, pandas, sys
from lazulite_worker.batch_records import render
frame = pandas.DataFrame({
    "whole": [1, 2], "number": [1.5, float("nan")], "text": ["x", None],
    "time": pandas.to_datetime(["2020-01-01", None]),
    "maybe": pandas.array([1, None], dtype="Int64"),
})
frame["x"] = [numpy.float32(0.5), numpy.array([1, 2])]
frame.columns = [*frame.columns[:-1], "whole"]
for result in (frame, frame["text"], numpy.array([[1, 2.5], [3, 4]]), numpy.array([7, 8])):
    payload, rows, succeeded = render(result, 3)
    assert (rows, succeeded) == (2, 2)
    sys.stdout.write(payload.decode())
"""


def rendered(result, items=9):
    payload, rows, succeeded = batch_records.render(result, items)
    lines = list(map(json.loads, payload.splitlines()))
    return list(zip(lines[::2], lines[1::2], strict=True)), rows, succeeded


@pytest.mark.parametrize(
    ("element", "columns", "values"),
    [
        ("a 1", ["value"], ["a 1"]),
        (2.5, ["value"], [2.5]),
        ({"a": 1, 2: None}, ["a", "2"], [1, None]),
        (("f.txt", 3), ["0", "1"], ["f.txt", 3]),
        ([], [], [None]),
        ({}, [], [None]),
        (collections.namedtuple("Row", "name score")("f", 0.5), ["name", "score"], ["f", 0.5]),
        ({"a": float("nan")}, ["a"], [None]),
        ({"a": datetime.date(2020, 1, 2)}, ["a"], ["2020-01-02"]),
        ({"a": decimal.Decimal("1.10"), "b": b"\xff"}, ["a", "b"], ["1.10", "\\xff"]),
        ({"a": {"b": (float("nan"), True)}}, ["a"], [{"b": [None, True]}]),
    ],
)
def test_an_element_is_a_row(element, columns, values):
    blocks, rows, succeeded = rendered([element])
    assert blocks == [(columns, [[value] for value in values])]
    assert (rows, succeeded) == (1, 1)


def test_rows_may_differ_in_their_columns():
    blocks, rows, _ = rendered([{"a": 1}, {"b": 2}])
    assert (blocks, rows) == ([(["a", "b"], [[1, None], [None, 2]])], 2)


def test_a_result_may_know_better_rows_and_what_succeeded():
    class Rows(list):
        succeeded_items = 1

        def records(self):
            return [{"row": number} for number in range(2)]

    assert rendered(Rows(["0,a", "1,a"]), items=2) == ([(["row"], [[0, 1]])], 2, 1)


def test_many_rows_are_several_blocks(monkeypatch):
    monkeypatch.setattr(batch_records, "BLOCK", 2)
    blocks, rows, succeeded = rendered(range(5), items=3)
    assert [values for _, values in blocks] == [[[0, 1]], [[2, 3]], [[4]]]
    assert (rows, succeeded) == (5, 3)


@pytest.mark.parametrize("result", [None, "text", {"a": 1}, 5])
def test_what_is_no_list_of_results_is_refused(result):
    with pytest.raises(TypeError, match="it must return one element per processed file"):
        batch_records.render(result, 1)


def test_frames_and_arrays_of_the_users_libraries_are_read():
    command = [science_python(), "-c", FRAMES]
    ran = subprocess.run(
        command, env={"PYTHONPATH": str(SOURCES)}, capture_output=True, check=True, text=True
    )
    lines = list(map(json.loads, ran.stdout.splitlines()))
    assert lines[0] == ["whole", "number", "text", "time", "maybe", "whole.5"]
    assert lines[1] == [
        [1, 2],
        [1.5, None],
        ["x", None],
        ["2020-01-01T00:00:00", None],
        [1, None],
        [0.5, [1, 2]],
    ]
    assert lines[2:] == [
        *(["text"], [["x", None]]),
        *(["0", "1"], [[1.0, 3.0], [2.5, 4.0]]),
        *(["value"], [[7, 8]]),
    ]
