"""The line that says how far a job is."""

import io

from lazulite.cli.job_logs import streamed
from lazulite.cli.job_progress import LiveLine, progress
from lazulite.cli.report import Report

HALF = {
    "mini_batches": 9,
    "items": 90,
    "left_items": 45,
    "rows": 43,
    "failed_items": 2,
    "retries": 1,
    "items_per_s": 12.5,
    "remaining_s": 3.6,
}


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_told_in_words():
    assert progress({}) == ""
    assert progress(HALF) == (
        "45 of 90 items done, 2 failed, 45 left, 12.5 items/s, 0:00:04 to go, 43 rows, 1 retried"
    )
    ended = {**HALF, "left_items": 0, "remaining_s": 0.0, "retries": 0}
    assert progress(ended) == "90 of 90 items done, 2 failed, 0 left, 12.5 items/s, 43 rows"


def test_on_a_terminal_the_line_stays_in_its_place(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    line = LiveLine(Report(stream=stream), "j")
    line.show(HALF)
    line.show({**HALF, "remaining_s": None})
    line.clear()
    line.show(HALF)
    line.end()
    text = stream.getvalue()  # cut to a width of 80: a line that wraps cannot be redrawn
    assert text.count("\n") == 1
    assert text.endswith("43 rows, 1\n")
    shorter, cleared = text.split("\r")[2:4]
    assert shorter.endswith(" ")
    assert cleared.isspace()


def test_elsewhere_there_is_a_line_now_and_then_and_the_last_one():
    stream, now = io.StringIO(), [0.0]
    line = LiveLine(Report(stream=stream), "j", clock=lambda: now[0])
    for left in (40, 39):
        line.show({**HALF, "left_items": left})
    now[0] = 11.0
    line.show({**HALF, "left_items": 38})
    line.show({**HALF, "left_items": 0}, last=True)
    line.end()
    done = [text.partition(" of ")[0] for text in stream.getvalue().splitlines()]
    assert done == ["j: 50", "j: 52", "j: 90"]


def test_one_log_under_two_names_is_printed_once():
    both = ["azureml-logs/70_driver_log.txt", "logs/readme.txt", "user_logs/std_log.txt"]
    assert streamed(both) == ["user_logs/std_log.txt"]
    assert streamed(both[:2]) == ["azureml-logs/70_driver_log.txt"]
