"""A result of an attempt that is over is never counted, whoever delivers it and when."""

import json
import os
import socket
import time

import pytest

from lazulite.batch.engine import Done, FilesFailed, ProcessName
from lazulite.batch.journal import Journal, Kind, Record
from lazulite.batch.policy import Policy, Rules
from lazulite.batch.worker import Worker
from lazulite_worker.batch_wire import FAILURES, FRAME, READY, RESULT, RESULTS, SLOT, TASK


class Process:
    """The far end of a worker's connection: says whatever a process could say."""

    def __init__(self, folder):
        self.worker = Worker(1, ProcessName("node0", "process000"), 0, folder / "stderr.txt")
        connection, slot = self.worker.far_end
        self._socket = socket.socket(fileno=os.dup(connection))
        self._slot = os.dup(slot)
        self.worker.configure({})
        self._socket.sendall(FRAME.pack(0, READY))
        assert self.events() == []

    def runs(self, number):
        os.pwrite(self._slot, SLOT.pack(time.monotonic(), number), 0)

    def returns(self, number, rows=b"row\n"):
        body = RESULT.pack(number, 0, 1, 1, 0.001, len(rows)) + rows
        self._socket.sendall(FRAME.pack(len(body), RESULTS) + body)

    def names(self, number, failures):
        body = TASK.pack(number) + failures
        self._socket.sendall(FRAME.pack(len(body), FAILURES) + body)

    def events(self):
        events = []
        self.worker.receive(events)
        return events

    def close(self):
        self._socket.close()
        os.close(self._slot)
        self.worker.close()


@pytest.fixture
def process(tmp_path):
    process = Process(tmp_path)
    yield process
    process.close()


def test_a_result_counts_once(process):
    process.worker.give([7])
    for _ in range(2):
        process.returns(7)
    assert [(event.mini_batch, event.payload) for event in process.events()] == [(7, b"row\n")]


def test_a_result_that_nobody_asked_for_does_not_count(process):
    process.worker.give([7])
    process.returns(8)
    assert process.events() == []
    assert list(process.worker.given) == [7]


def test_a_result_after_the_time_was_up_does_not_count(process):
    process.worker.give([7, 8])
    process.runs(7)
    process.worker.condemn("run() did not return within 1 s", time.monotonic())
    process.returns(7)
    process.returns(8)
    (done,) = process.events()
    assert isinstance(done, Done)
    assert done.mini_batch == 8
    assert list(process.worker.given) == [7]


def test_of_two_attempts_of_a_mini_batch_the_first_decision_holds(tmp_path):
    """As when a lost node's process and its successor both deliver: the policy knows one winner."""
    policy = Policy(Rules(max_retries=3, error_threshold=-1, failed_starts=3), 2, 2)
    first, _ = policy.take(2)
    policy.give_back([first])
    assert policy.take(1) == [first]
    winner = policy.returned(first, 1, 1, 1, b"winner\n")
    assert policy.returned(first, 1, 1, 1, b"late\n") is None
    assert policy.attempt_failed(first, 1, "late") is None
    journal = Journal(tmp_path, 0, 2)
    journal.commit([winner])
    journal.commit([Record(first, Kind.DONE, 2, 1, 1, 1, b"late\n")])
    assert [b"".join(journal.read_rows(*part)) for part in journal.ranges()] == [b"winner\n"]
    journal.close()


def test_of_failures_what_can_be_so_is_believed(process):
    process.worker.give([7])
    for number, failures in [
        (8, b'[["/a", "no"]]'),
        (7, b"{"),
        (7, b"[[1]]"),
        (7, b"[1]"),
        (7, b""),
    ]:
        process.names(number, failures)
    process.names(7, json.dumps([["/a\udcff", "ValueError: no"]]).encode())
    process.returns(7)
    named, done = process.events()
    assert named == FilesFailed(7, {"/a\udcff": "ValueError: no"})
    assert done.mini_batch == 7
