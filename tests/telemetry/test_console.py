"""Following the logs of replicas: every line once, whatever becomes of the file."""

import shutil

import pytest

from lazulite.serving.kept_logs import GENERATIONS, KeptLogs
from lazulite.serving.replica_log import ReplicaLog
from lazulite.telemetry import console
from lazulite.telemetry.console import Console

STAMP = "2026-11-21 12:00:00,250"
TASK = "uid-2"


class Follower:
    """A replica's log, and who follows it."""

    def __init__(self, folder):
        self.tasks, self.kept = folder / "tasks", KeptLogs(folder / "kept")
        self.logs = self.tasks / TASK / "logs"
        self.logs.mkdir(parents=True)
        self.path = self.logs / "replica-0.log"
        self.console = Console(self.tasks, self.kept.folder)
        self.position = None

    def write(self, text):
        with self.path.open("a") as file:
            file.write(text)

    def rows(self):
        """What is new: time, instance, level and text of each line."""
        [stream] = self.console.streams(TASK, "blue", 7)
        rows, self.position = self.console.read(stream, self.position, 1000)
        return [(row[0], row[2], row[5], row[6]) for row in rows]

    def texts(self):
        return [row[3] for row in self.rows()]


@pytest.fixture
def follower(tmp_path):
    return Follower(tmp_path)


def test_a_line_has_its_own_time_and_level_or_those_of_the_line_before(follower):
    follower.write(f"started\n{STAMP} E [7] azmlinfsrv - broken\nTraceback ...\nWARNING:root:x\n")
    at = 1795262400250
    assert follower.rows() == [
        (1000, "blue-2-0", "Information", "started"),
        (at, "blue-2-0", "Error", f"{STAMP} E [7] azmlinfsrv - broken"),
        (at, "blue-2-0", "Error", "Traceback ..."),
        (at, "blue-2-0", "Warning", "WARNING:root:x"),
    ]


def test_a_line_is_read_once_and_only_when_it_is_whole(follower):
    follower.write("one\ntw")
    assert follower.texts() == ["one"]
    assert follower.texts() == []
    follower.write("o\n")
    assert follower.texts() == ["two"]


def test_nothing_is_lost_when_the_file_is_rotated(follower):
    follower.write("one\ntwo\n")
    assert follower.texts() == ["one", "two"]
    follower.write("three\n")
    ReplicaLog(follower.path, limit=5).rotate()
    follower.write("four\n")
    assert follower.texts() == ["three", "four"]


def test_the_last_lines_of_a_set_that_ends_are_read(follower):
    follower.write("one\n")
    assert follower.texts() == ["one"]
    follower.write("last\n")
    follower.kept.keep(TASK, follower.logs)
    shutil.rmtree(follower.tasks / TASK)
    assert follower.texts() == ["last"]
    assert follower.texts() == []


def test_a_new_keeper_of_the_set_begins_a_new_file(follower):
    follower.write("one\n")
    assert follower.texts() == ["one"]
    follower.write("last\n")
    follower.kept.keep(TASK, follower.logs)
    follower.write("again\n")
    assert follower.texts() == ["last", "again"]
    assert follower.texts() == []


def test_what_nobody_could_read_in_time_is_passed_over_and_said(follower, monkeypatch):
    monkeypatch.setattr(console, "_BEHIND", 100)
    monkeypatch.setattr(console, "_KEEP", 20)
    follower.write("".join(f"line {n}\n" for n in range(50)))
    first, *rest = follower.texts()
    assert first.endswith("bytes left out ...")
    assert rest == ["line 48", "line 49"]


def test_logs_of_the_last_generations_are_kept(tmp_path):
    kept = KeptLogs(tmp_path / "kept")
    for generation in range(1, GENERATIONS + 3):
        logs = tmp_path / "logs"
        logs.mkdir(exist_ok=True)
        (logs / "replica-0.log").write_text(f"generation {generation}")
        kept.keep(f"uid-{generation}", logs)
    assert kept.of("uid-1") == []
    assert len(list(kept.folder.iterdir())) == GENERATIONS
    [newest] = kept.of(f"uid-{GENERATIONS + 2}")
    assert newest.read_text() == f"generation {GENERATIONS + 2}"
    [before] = kept.before(f"uid-{GENERATIONS + 2}")
    assert before.read_text() == f"generation {GENERATIONS + 1}"
    assert kept.before("uid-3") == []


def test_the_file_of_an_earlier_keeper_becomes_the_older_one(tmp_path):
    kept, logs = KeptLogs(tmp_path / "kept"), tmp_path / "logs"
    logs.mkdir()
    for text in ("first", "second"):
        (logs / "replica-0.log").write_text(text)
        kept.keep("uid-1", logs)
        kept.keep("uid-1", logs)
    names = sorted(path.name for path in (kept.folder / "uid-1").iterdir())
    assert names == ["replica-0.log", "replica-0.log.1"]
    assert (kept.folder / "uid-1/replica-0.log.1").read_text() == "first"


def test_logs_of_what_is_gone_are_removed_with_age(tmp_path):
    kept, logs = KeptLogs(tmp_path / "kept"), tmp_path / "logs"
    logs.mkdir()
    (logs / "replica-0.log").write_text("x")
    kept.keep("uid-1", logs)
    at = (kept.folder / "uid-1").stat().st_mtime
    kept.drop(at - 1)
    assert kept.of("uid-1") != []
    kept.drop(at + 1)
    assert kept.of("uid-1") == []
