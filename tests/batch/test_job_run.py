"""A run of a supervisor over an engine of no processes at all."""

import time

import pytest

from lazulite.batch import job_run
from lazulite.batch.engine import Done, ProcessName, ShutdownFailed
from lazulite.batch.job import Job
from lazulite.batch.job_run import JobRun, Wishes
from lazulite.batch.logs import JobLogs
from lazulite.batch.progress import Progress

NAME = ProcessName("node0", "process000")


class Alone:
    """An Engine that scores at once, and tells some things when it is to end."""

    ready, untried = 1, 0

    def __init__(self, *last):
        self._events, self._last = [], list(last)
        self.is_idle = False

    def attach(self, nodes):
        return []

    def feed(self, take, pending):
        for number in take(pending):
            self._events.append(Done(NAME, number, False, 1, 1, 0.0, b"row\n"))
        return True

    def poll(self, seconds):
        events, self._events = self._events, []
        return events

    def finish(self):
        self._events, self.is_idle = self._last, not self._last

    def close(self):
        pass


@pytest.fixture
def run(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a").touch()
    fields = dict.fromkeys(("name", "python", "worker_path", "code_dir"), "x")
    places = {"output_dir": str(tmp_path / "out"), "log_dir": str(tmp_path / "logs")}
    inputs = [str(tmp_path / "in")]
    job = Job.from_json({**fields, **places, "script": None, "env": {}, "inputs": inputs})
    logs = JobLogs(tmp_path / "logs", time.time, each_mini_batch=True)
    return JobRun(tmp_path, job, Progress(tmp_path, time.time), logs, Wishes(bool))


def test_a_shutdown_that_fails_is_told_and_costs_no_row(run, tmp_path, monkeypatch):
    monkeypatch.setattr(job_run, "SHUTDOWN_S", 0.05)
    reason = "the process ended with exit code 1\nTraceback:\n  at\nOSError: no"
    run.run(lambda _: Alone(ShutdownFailed(NAME, reason)))
    assert (tmp_path / "out/predictions.csv").read_text() == "row\n"
    assert "shutdown() did not return within 0.05 s" in run.warning
    in_short = (tmp_path / "logs/user/error.txt").read_text()
    assert "shutdown() in node0 process000: the process ended with exit code 1: OSError" in in_short
    assert "shutdown(): it did not return in time" in in_short
    assert reason in (tmp_path / "logs/user/error/node0/process000.txt").read_text()


def test_a_good_shutdown_is_not_worth_a_word(run, tmp_path):
    run.run(lambda _: Alone())
    assert run.warning == ""
    assert not (tmp_path / "logs/user/error.txt").exists()
