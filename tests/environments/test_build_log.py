"""The log of a build, and the programs that write to it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from lazulite.environments import build_log
from lazulite.environments.build_log import BuildLog


@pytest.fixture
def lock():
    reading, writing = os.pipe()
    yield writing
    os.close(reading)
    os.close(writing)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_output_goes_to_the_log_without_the_credentials_of_urls(tmp_path, lock):
    code = "import sys; print('see https://me:secret@host/x'); print('also', file=sys.stderr)"

    with BuildLog.opened(tmp_path / "log") as log:
        output = log.run(python(code), {}, hold=lock)

    assert sorted(output) == ["also", "see https://***@host/x"]
    assert "secret" not in (tmp_path / "log").read_text()


def test_a_failing_program_raises_with_its_own_output_only(tmp_path, lock):
    with BuildLog.opened(tmp_path / "log") as log:
        log.run(python("print('before')"), {}, hold=lock)
        with pytest.raises(subprocess.CalledProcessError) as failed:
            log.run(python("print('now'); raise SystemExit(3)"), {}, hold=lock)

    assert (failed.value.returncode, failed.value.output) == (3, "now")
    assert (tmp_path / "log").read_text() == "before\nnow\n"


def test_programs_get_the_given_environment_and_nothing_else(tmp_path, lock):
    code = "import os; print(os.environ.get('ASKED'), os.environ.get('HOME'))"

    with BuildLog.opened(tmp_path / "log") as log:
        assert log.run(python(code), {"ASKED": "yes"}, hold=lock) == ["yes None"]


def test_bytes_that_are_no_text_do_not_stop_the_log(tmp_path, lock):
    code = r"import sys; sys.stdout.buffer.write(b'\xff\xfe\n')"

    with BuildLog.opened(tmp_path / "log") as log:
        log.run(python(code), {}, hold=lock)

    assert (tmp_path / "log").read_text() == "\ufffd\ufffd\n"


def test_a_log_is_continued_until_it_is_too_long(tmp_path, monkeypatch):
    path = tmp_path / "log"
    with BuildLog.opened(path) as log:
        log.say("first")
    with BuildLog.opened(path) as log:
        log.say("second")
    assert path.read_text() == "first\nsecond\n"

    monkeypatch.setattr(build_log, "MAX_SIZE", 10)
    with BuildLog.opened(path) as log:
        log.say("third")

    assert path.read_text() == "third\n"
