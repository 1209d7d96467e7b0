"""What the edge does for HAProxy beside starting it."""

from lazulite.serving.haproxy_process import HAProxy


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
