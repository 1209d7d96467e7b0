"""What the edge does for HAProxy beside starting it."""

import subprocess
import time

from lazulite.serving.haproxy_process import MOST_DRAINING, SCORING_S, HAProxy


def test_log_that_has_grown_is_moved_aside_and_goes_on_in_the_same_file(tmp_path):
    log = tmp_path / "haproxy.log"
    haproxy = HAProxy("haproxy", tmp_path, tmp_path, log, {})
    with log.open("ab") as writer:
        writer.write(b"x" * (10 * 2**20 + 1))
        writer.flush()

        haproxy.trim_log()
        writer.write(b"next\n")

    assert (tmp_path / "haproxy.log.1").stat().st_size == 10 * 2**20 + 1
    assert log.read_bytes() == b"next\n"


def test_small_or_missing_log_is_left_alone(tmp_path):
    log = tmp_path / "haproxy.log"
    haproxy = HAProxy("haproxy", tmp_path, tmp_path, log, {})
    haproxy.trim_log()
    log.write_bytes(b"little")

    haproxy.trim_log()

    assert [path.name for path in tmp_path.iterdir()] == ["haproxy.log"]


def test_program_that_is_missing_is_a_reason_not_a_crash(tmp_path):
    haproxy = HAProxy(str(tmp_path / "none"), tmp_path, tmp_path, tmp_path / "log", {})

    assert "No such file" in haproxy.load("any")


def test_oldest_processes_are_ended_when_many_drain_but_none_that_may_be_scoring(tmp_path):
    haproxy = HAProxy("haproxy", tmp_path, tmp_path, tmp_path / "log", {})
    draining = [subprocess.Popen(["sleep", "600"]) for _ in range(MOST_DRAINING + 3)]
    now = time.monotonic()
    try:
        for process, age_s in zip(
            draining, [SCORING_S * 9, SCORING_S + 60, *[0.0] * 9], strict=True
        ):
            haproxy.draining[process] = now - age_s

        haproxy.end_oldest()

        assert [process.wait(30) for process in draining[:2]] == [-9, -9]
        haproxy.reap()
        assert list(haproxy.draining) == draining[2:]
        haproxy.draining = dict.fromkeys(draining[2:10], now - SCORING_S * 9)
        haproxy.end_oldest()
        haproxy.reap()
        assert len(haproxy.draining) == MOST_DRAINING
    finally:
        for process in draining:
            process.kill()
            process.wait()
