"""AZUREML_DEBUG_PORT: a debugger is there before anything of the user's is. Source: ONLINE.md 5.2.

The debugger is a stand-in that notes how it was asked; debugpy itself needs an editor behind it.
"""

import dataclasses
import math

import pytest

from lazulite.serving.keeper_spec import Folders, KeeperSpec, replica_environment
from lazulite.serving.standalone_settings import read_standalone
from tests.lazulite_worker.conftest import SRC

DEBUGPY = """
CALLS = []
def connect(port): CALLS.append(["connect", port]) if port != 9 else 1 / 0
def wait_for_client(): CALLS.append(["wait_for_client"])
"""
SCRIPT = """
import debugpy
AT_IMPORT = list(debugpy.CALLS)
def init(): pass
def run(data): return AT_IMPORT
"""


@pytest.fixture
def packages(tmp_path):
    """A folder of packages with a debugger."""
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "debugpy.py").write_text(DEBUGPY)
    return f"{folder}:{SRC}"


def test_the_debugger_is_attached_before_the_script_is_imported(serve, packages):
    replica = serve(SCRIPT, env={"AZUREML_DEBUG_PORT": "5678", "PYTHONPATH": packages})
    assert replica.score(1).json() == [["connect", 5678], ["wait_for_client"]]
    assert "** Connecting to debugger at port 5678..." in replica.log()


def test_a_debugger_that_does_not_listen_is_a_boot_error(serve, packages):
    replica = serve(SCRIPT, env={"AZUREML_DEBUG_PORT": "9", "PYTHONPATH": packages})
    assert "No debugger listens on port 9" in replica.said["error"]
    assert replica.process.wait(10) == 3


def test_an_environment_without_a_debugger_is_told_what_it_lacks(serve):
    replica = serve(SCRIPT, env={"AZUREML_DEBUG_PORT": "5678"})
    assert "the environment has no debugpy: add it" in replica.said["error"]


def test_nothing_is_late_while_it_is_debugged(tmp_path):
    spec = KeeperSpec(
        python="/bin/python",
        worker_path="/w",
        sockets=("/s",),
        waiting_socket="/w",
        env={"AZUREML_DEBUG_PORT": "5678"},
    )
    folders = Folders(tmp_path / "worker", tmp_path / "app")
    assert "SCORING_TIMEOUT_MS" not in replica_environment(spec, {}, folders)
    plain = dataclasses.replace(spec, env={})
    assert replica_environment(plain, {}, folders)["SCORING_TIMEOUT_MS"] == "5000"
    served = read_standalone(["--entry_script", "s.py"], {"AZUREML_DEBUG_PORT": "1"})
    assert served.run_limit_s == math.inf
