"""What is said while a command works: in place on a terminal, in whole lines elsewhere."""

import contextlib
import io
import time

import pytest

from lazulite.cli.progress import Progress
from lazulite.cli.report import INTERVAL_S, Report


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def drawn(stream):
    """What stood in the line, one after the other."""
    return [text.strip() for text in stream.getvalue().split("\r") if text.strip()]


def test_where_nobody_watches_what_is_quick_takes_one_line(clock):
    report = Report(io.StringIO(), clock=clock)
    report.begin("Creating d")
    report.phase("environment")
    clock.now = 0.5
    report.end("done")
    assert report.stream.getvalue() == "Creating d: environment 0.5 s, done in 0.5 s\n"


def test_what_takes_long_is_told_after_a_second_and_then_now_and_then(clock):
    report = Report(io.StringIO(), clock=clock)
    report.begin("Creating d")
    for clock.now in (0.0, 2.0, 3.0, 2.0 + INTERVAL_S):
        report.phase("environment", "Resolved 3 packages")
    report.phase("replicas")
    clock.now += 5.0
    report.end("failed")
    assert report.stream.getvalue().splitlines() == [
        "Creating d: environment 2 s | Resolved 3 packages",
        "Creating d: environment 32 s | Resolved 3 packages",
        "Creating d: environment 32.0 s, replicas 5.0 s, failed in 37.0 s",
    ]


def test_on_a_terminal_one_line_is_kept_up_to_date(clock):
    report = Report(Terminal(), clock=clock)
    report.begin("Creating d")
    clock.now = 3.0
    report.phase("environment")
    report.note("A note.")
    report.end("done")
    assert drawn(report.stream) == [
        "Creating d: 0 s",
        "Creating d: environment 0 s",
        ["A note.", "Creating d: environment 0 s"][0],
        "Creating d: environment 0 s",
        "Creating d: environment 0.0 s, done in 3.0 s",
    ]
    assert report.stream.getvalue().endswith("done in 3.0 s\n")


def test_a_line_never_wraps(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    report = Report(Terminal(), clock=clock)
    report.begin("Creating d")
    report.phase("environment", "x" * 100)
    assert max(map(len, drawn(report.stream))) == 39


def test_errors_only_means_no_word(clock):
    for stream in (Terminal(), io.StringIO()):
        report = Report(stream, quiet=True, clock=clock)
        report.begin("Creating d")
        report.phase("environment")
        report.note("Next: that")
        clock.now += 100.0
        with Progress("Uploading", 10, report) as progress:
            clock.now += 100.0
            progress.add(10)
        report.end("done")
        assert stream.getvalue() == ""


def test_bytes_are_counted_on_a_terminal_after_a_second(clock):
    report = Report(Terminal(), clock=clock)
    with Progress("Uploading m", 100_000_000, report) as progress:
        progress.add(10_000_000)
        assert report.stream.getvalue() == ""
        clock.now = 2.0
        progress.add(40_000_000)
        (line,) = drawn(report.stream)
        assert "50% 50 of 100 MB, 25 MB/s" in line
        progress.add(50_000_000)
    assert drawn(report.stream)[-1] == "Uploading m: done, 100 of 100 MB, 50 MB/s, 2 s"


def test_bytes_are_told_in_lines_where_nobody_watches(clock):
    report = Report(io.StringIO(), clock=clock)
    with Progress("Uploading m", 100_000_000, report) as progress:
        for clock.now in (1.0, 2.0, 3.0, 12.0):
            progress.add(20_000_000)
    assert report.stream.getvalue().splitlines() == [
        "Uploading m: 20 of 100 MB, 20 MB/s, 1 s",
        "Uploading m: 80 of 100 MB, 7 MB/s, 12 s",
        "Uploading m: done, 80 of 100 MB, 7 MB/s, 12 s",
    ]


def test_an_upload_that_breaks_off_says_where(clock):
    report = Report(io.StringIO(), clock=clock)
    with contextlib.suppress(ConnectionError), Progress("Up", 100_000_000, report) as progress:
        clock.now = 5.0
        progress.add(30_000_000)
        raise ConnectionError
    assert report.stream.getvalue().splitlines()[-1].startswith("Up: stopped at 30 of 100")


def test_a_step_that_takes_long_is_told_while_it_lasts(monkeypatch):
    monkeypatch.setattr("lazulite.cli.report.PATIENCE_S", 0.0)
    report = Report(io.StringIO())
    with report.waiting("Scoring"):
        deadline = time.monotonic() + 60
        while "Scoring" not in report.stream.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    first, last = report.stream.getvalue().splitlines()
    assert first.startswith("Scoring: ")
    assert last.startswith("Scoring: done in ")


def test_a_step_that_is_quick_is_not_told(clock):
    report = Report(io.StringIO(), clock=clock)
    with report.waiting("Scoring"):
        pass
    assert report.stream.getvalue() == ""
