"""The folder of a run, and what is told of its end."""

import pytest

from lazulite.jobs.last_words import last_words
from lazulite.jobs.spec import CommandSpec
from lazulite.jobs.work_folder import WorkFolder


@pytest.fixture
def work(tmp_path):
    code = tmp_path / "code"
    (code / "outputs").mkdir(parents=True)
    (code / "a.py").write_text("1")
    (code / "outputs" / "seed.txt").write_text("from the code")
    spec = CommandSpec(
        name="j",
        argv=("true",),
        code_dir=str(code),
        env={},
        artifacts=str(tmp_path / "artifacts"),
        log_names=("user_logs/std_log.txt", "azureml-logs/70_driver_log.txt"),
        folders=(str(tmp_path / "out"),),
    )
    found = WorkFolder(tmp_path / "work", spec)
    found.make()
    return found


def test_it_is_a_copy_of_the_code(work, tmp_path):
    (work.path / "a.py").write_text("changed by the run")
    assert (tmp_path / "code" / "a.py").read_text() == "1"
    assert (tmp_path / "out").is_dir()


def test_what_is_written_to_outputs_is_an_artifact_at_once(work, tmp_path):
    (work.path / "outputs" / "model.pkl").write_text("m")
    kept = tmp_path / "artifacts" / "outputs"
    assert {path.name for path in kept.iterdir()} == {"model.pkl", "seed.txt"}


def test_a_folder_put_in_its_place_is_kept_too_without_its_links(work, tmp_path):
    (work.path / "logs").unlink()
    (work.path / "logs" / "deep").mkdir(parents=True)
    (work.path / "logs" / "deep" / "a.txt").write_text("a")
    (work.path / "logs" / "leak").symlink_to("/etc/passwd")
    work.collect()
    kept = tmp_path / "artifacts" / "logs"
    assert (kept / "deep" / "a.txt").read_text() == "a"
    assert not (kept / "leak").exists()


def test_nothing_is_written_through_links_that_the_command_made(work, tmp_path):
    outside, kept = tmp_path / "outside", tmp_path / "artifacts" / "outputs"
    outside.mkdir()
    (outside / "key").write_text("as it was")
    (kept / "folder").symlink_to(outside)
    (kept / "file").symlink_to(outside / "key")
    (work.path / "outputs").unlink()
    (work.path / "outputs" / "folder").mkdir(parents=True)
    (work.path / "outputs" / "folder" / "key").write_text("mine")
    (work.path / "outputs" / "file").write_text("mine")
    work.collect()
    assert (outside / "key").read_text() == "as it was"
    assert (kept / "file").read_text() == "mine"


def test_the_next_attempt_starts_afresh_and_its_log_goes_on(work, tmp_path):
    log = tmp_path / "artifacts" / "user_logs" / "std_log.txt"
    log.write_text("first")
    (work.path / "left.txt").touch()
    work.make()
    assert not (work.path / "left.txt").exists()
    assert (tmp_path / "artifacts/azureml-logs/70_driver_log.txt").read_text() == "first"
    work.remove()
    assert not work.path.exists()


TRACEBACK = 'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: bad'


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (f"{TRACEBACK.replace('bad', 'old')}\nwent on\n{TRACEBACK}\n", TRACEBACK),
        ("\n".join(map(str, range(30))), "\n".join(map(str, range(20, 30)))),
        ("", ""),
    ],
)
def test_the_last_traceback_or_the_last_lines_say_why(tmp_path, log, expected):
    (tmp_path / "log").write_text(log)
    assert last_words(tmp_path / "log") == expected


def test_no_log_has_no_words(tmp_path):
    assert last_words(tmp_path / "absent") == ""
