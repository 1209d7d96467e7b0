"""Microsoft's clients run whole flows here, unmodified, told by `lazulite env` alone.

They live in a venv of their own, which `make test` makes; each flow is a script in the folder ml.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import running

PYTHON = Path(sys.prefix) / "ml-clients" / "bin" / "python"
FLOWS = sorted(
    path for path in Path(__file__).with_name("ml").glob("*.py") if path.stem != "session"
)
KEPT = {"PATH", "HOME", "TMPDIR", "LANG"}
"""What a user's shell has besides."""


@pytest.fixture(scope="module")
def variables(tmp_path_factory):
    with running(tmp_path_factory.mktemp("ml")) as live:
        yield exported(live)


def exported(live):
    """What `eval "$(lazulite env)"` exports, as a shell understands it."""
    command = 'eval "$("$0" -m lazulite env --data-dir "$1")" && env -0'
    shell = ["bash", "-c", command, sys.executable, str(live.data_dir)]
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    said = subprocess.run(shell, capture_output=True, text=True, check=True, env=kept)
    return dict(line.split("=", 1) for line in said.stdout.split("\0") if line)


@pytest.mark.slow
@pytest.mark.parametrize("flow", FLOWS, ids=lambda path: path.stem)
def test_flow_runs_to_its_end(variables, tmp_path, flow):
    run(PYTHON, flow, tmp_path, variables)


@pytest.mark.nightly
@pytest.mark.parametrize("flow", ["assets", "online"])
def test_flow_runs_with_the_oldest_client_that_can_be_told_of_this_cloud(variables, tmp_path, flow):
    """Before 1.5.0 azure-ai-ml knew Microsoft's clouds only."""
    python = Path(sys.prefix) / "ml-clients-oldest" / "bin" / "python"
    script = Path(__file__).parent / "ml" / f"{flow}.py"
    run(python, script, tmp_path, variables)


def run(python, flow, folder, variables):
    """The script, to its end; what it says is told if it fails."""
    if not python.exists():
        pytest.skip("NO CLIENTS: azure-ai-ml is missing; use make test, or make nightly")
    ended = subprocess.run(
        [python, flow],
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
