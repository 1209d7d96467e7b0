"""The supervisor's end of a worker process."""

import json
import os
import socket

import pytest

from lazulite.batch.engine import ProcessName
from lazulite.batch.worker import Worker
from lazulite_worker.batch_wire import CONFIGURE, FRAME


@pytest.fixture
def worker(tmp_path):
    made = Worker(1, ProcessName("node0", "process000"), 0, tmp_path / "stderr")
    yield made
    made.close()


def test_a_configuration_larger_than_a_sockets_buffer_arrives_whole(worker):
    told = {"argv": ["x" * 80] * 50_000}
    with socket.socket(fileno=os.dup(worker.far_end[0])) as far:
        worker.configure(told)
        received, length, kind = bytearray(), 1, None
        while len(received) < FRAME.size + length:
            received += far.recv(1 << 16)
            length, kind = FRAME.unpack_from(received)
            worker.flush()
    assert (kind, json.loads(received[FRAME.size :])) == (CONFIGURE, told)


def test_a_process_that_has_ended_is_told_nothing(worker):
    worker.configure({"argv": ["x" * 80] * 50_000})
    worker.stop()
    assert worker.stopping
