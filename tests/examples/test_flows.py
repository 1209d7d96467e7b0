"""The flows of the documents as shell scripts: a shim of az, curl, and nothing of ours beside it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lazulite.cli.main import main

FLOWS = Path(__file__).parent / "flows"
SCRIPTS = [path.name for path in sorted(FLOWS.glob("*.sh"))]
OF_OTHERS = ("LAZULITE_", "AZURE_", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("curl") is None, reason="the scripts call curl")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_flow_runs_as_typed(name, server, tmp_path, capsys):
    assert main(["az-shim", str(tmp_path / "bin")]) == 0
    kept = {key: value for key, value in os.environ.items() if not key.startswith(OF_OTHERS)}
    environ = {
        **kept,
        "PATH": f"{tmp_path / 'bin'}:{kept['PATH']}",
        "LAZULITE_DATA_DIR": str(server.data_dir),
        "CA_FILE": server.state["ca_bundle"],
        "SUBSCRIPTION_ID": server.state["subscription_id"],
        "RESOURCE_GROUP": server.state["resource_group"],
        "WORKSPACE": server.state["workspace"],
        "SERVER": server.state["url"],
    }
    (tmp_path / "work").mkdir()
    command = ["bash", str(FLOWS / name)]
    ran = subprocess.run(
        command, cwd=tmp_path / "work", env=environ, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"{ran.stdout[-3000:]}\n{ran.stderr[-5000:]}"
    assert ran.stdout.endswith("the flow has ended well\n")
