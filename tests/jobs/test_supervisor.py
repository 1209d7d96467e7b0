"""The last steps of a command job's supervisor."""

import json

import pytest

from lazulite.jobs.supervisor import main


@pytest.fixture
def folder(tmp_path):
    """A job without a node: its command cannot be started any more."""
    spec = {"name": "j", "argv": ["/bin/sh"], "env": {}, "code_dir": None}
    (tmp_path / "job").mkdir()
    (tmp_path / "job/job.json").write_text(
        json.dumps({**spec, "artifacts": str(tmp_path / "artifacts")})
    )
    return tmp_path / "job"


@pytest.mark.parametrize(
    ("code", "how"),
    [
        (3, "exit code 3."),
        (137, "exit code 137, as by the signal SIGKILL."),
        (160, "exit code 160."),
        (170, "exit code 170."),
        (191, "exit code 191."),
    ],
)
def test_a_command_that_has_ended_is_not_started_again(folder, code, how):
    noted = {"state": "finalizing", "attempt": 1, "exit_code": code}
    (folder / "progress.json").write_text(json.dumps(noted))
    assert main([str(folder)]) == 1
    progress = json.loads((folder / "progress.json").read_text())
    assert (progress["state"], progress["attempt"]) == ("failed", 1)
    assert progress["exit_code"] == code
    assert how in progress["error"]["message"]


def test_a_command_that_has_succeeded_is_not_started_again(folder):
    noted = {"state": "finalizing", "attempt": 1, "exit_code": 0}
    (folder / "progress.json").write_text(json.dumps(noted))
    assert main([str(folder)]) == 0
