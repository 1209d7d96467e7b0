import re

from lazulite_worker.log import FLUSH_LINES, AccessLog


def test_lines_are_written_together_when_they_are_due():
    written, now = [], [1_700_000_000.25]
    access = AccessLog(written.append, 7, lambda: now[0])

    access.add("first")
    now[0] += 0.25
    access.add("second")

    assert written == []
    assert access.due == 1_700_000_000.3
    access.flush()
    assert written == [
        "2023-11-14 22:13:20,250 I [7] azmlinfsrv - first\n"
        "2023-11-14 22:13:20,500 I [7] azmlinfsrv - second\n"
    ]
    assert access.due == 0


def test_many_lines_do_not_pile_up():
    written = []
    access = AccessLog(written.append, 7)

    for _ in range(FLUSH_LINES + 1):
        access.add("x")

    assert len(re.findall("- x\n", written[0])) >= FLUSH_LINES


def test_disk_that_is_full_costs_lines_and_nothing_else():
    def write(text):
        raise OSError(28, "No space left on device")

    access = AccessLog(write, 7)
    access.add("lost")

    access.flush()

    assert access.due == 0
