"""The Azure CLI as it is published, in a venv of its own that `make nightly` makes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import running

AZ = Path(sys.prefix) / "az" / "bin"
FLOW = Path(__file__).with_name("az_flow.sh")
KEPT = {"HOME", "TMPDIR", "LANG"}


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_the_azure_cli_works_as_az_register_sets_it_up(tmp_path):
    if not (AZ / "az").exists():
        pytest.skip("NO AZ: the Azure CLI is missing; use make nightly")
    environ = {name: value for name, value in os.environ.items() if name in KEPT}
    environ["PATH"] = f"{AZ}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    with running(tmp_path) as live:
        environ["LAZULITE_DATA_DIR"] = str(live.data_dir)
        ran = subprocess.run(
            ["bash", FLOW],
            cwd=tmp_path,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    assert ran.returncode == 0, ran.stdout[-5000:]
