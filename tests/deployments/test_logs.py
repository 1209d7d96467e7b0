"""The ends of logs: as many lines as were asked for, and never more than can be sent."""

from lazulite.deployments.logs import MOST_BYTES, last_lines, tail

ALL = 2**31 - 1


def test_many_lines_of_several_files_are_bounded(tmp_path):
    paths = [tmp_path / name for name in ("a.log", "b.log")]
    for path in paths:
        path.write_bytes(b"%07d\n" % 1 * (MOST_BYTES // 8) + b"end")
    text = tail(paths, ALL)
    assert MOST_BYTES * 0.9 < len(text) < MOST_BYTES + 100
    first, second = text.split("\n==> b.log <==\n")
    assert (first.startswith("==> a.log <==\n"), first[-3:], second[-3:]) == (True, "end", "end")
    assert len(tail(paths[:1], ALL)) <= MOST_BYTES
    assert len(last_lines(b"x\n" * MOST_BYTES, ALL)) <= MOST_BYTES


def test_few_lines_are_the_last_ones(tmp_path):
    path = tmp_path / "a.log"
    path.write_text("one\ntwo\nthree\n")
    assert tail([path], 2) == "two\nthree"
    assert tail([path], ALL) == "one\ntwo\nthree"
    assert tail([], ALL) == tail([tmp_path / "none"], ALL) == ""
