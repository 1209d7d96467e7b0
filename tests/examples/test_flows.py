"""The flows of the documents as shell scripts: a shim of az, curl, and nothing of ours beside it.

`docs/documents.md` says which part of which document stands where.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lazulite.cli.main import main
from tests.live import running
from tests.web import container, serving

HERE = Path(__file__).parent
FLOWS = HERE / "flows"
SAMPLES = HERE.parents[1] / "examples" / "documents"
SLOW = {"batch_mlflow.sh"}
"""Flows that install packages."""
SCRIPTS = [
    pytest.param(path.name, marks=[pytest.mark.nightly] if path.name in SLOW else [])
    for path in sorted(FLOWS.glob("*.sh"))
]
TOOLS = ("bash", "curl", "jq")
OF_OTHERS = ("LAZULITE_", "AZURE_", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_", "PYTHON")
PUBLISHED = "https://pipelinedata.blob.core.windows.net"
RIDES = b"fare,passengers,distance\n10.0,1,2.0\n20.0,2,5.0\n"


def image(digit):
    """A picture in PGM format with as much ink as the digit takes."""
    ink = 5 + 9 * digit
    return b"P5\n10 10\n255\n" + b"\xff" * ink + b"\0" * (100 - ink)


DIGITS = {f"mnist/{digit}.pgm": image(digit) for digit in range(10)}


@pytest.fixture(scope="module")
def published():
    """The container that the documents take their data from."""
    with serving() as web:
        container(web, "/mirror/sampledata", {**DIGITS, "nytaxi/taxi-tip-data.csv": RIDES})
        yield f"{web.url}/mirror"


@pytest.fixture(scope="module")
def mirrored(published, tmp_path_factory):
    """A server for all flows that reaches published data in a mirror."""
    aliases = {"LAZULITE_URL_ALIASES": f"{PUBLISHED}={published}"}
    with running(tmp_path_factory.mktemp("flows"), **aliases) as live:
        yield live


@pytest.mark.skipif(None in map(shutil.which, TOOLS), reason=f"the scripts call {TOOLS}")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_flow_runs_as_typed(name, mirrored, published, tmp_path, capsys):
    assert main(["az-shim", str(tmp_path / "bin")]) == 0
    work = tmp_path / "work"
    shutil.copytree(SAMPLES, work / "azureml-examples")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(OF_OTHERS)}
    environ = {
        **kept,
        "PATH": f"{tmp_path / 'bin'}:{kept['PATH']}",
        "CURL_CA_BUNDLE": mirrored.state["ca_bundle"],
        "EXPECT": str(FLOWS / "expect.bash"),
        "LAZULITE_DATA_DIR": str(mirrored.data_dir),
        "RESOURCE_GROUP": mirrored.state["resource_group"],
        "SAMPLEDATA": f"{published}/sampledata",
        "SERVER": mirrored.state["url"],
        "WORKSPACE": mirrored.state["workspace"],
    }
    command = ["bash", str(FLOWS / name)]
    ran = subprocess.run(
        command, cwd=work, env=environ, capture_output=True, text=True, check=False, timeout=280
    )
    assert ran.returncode == 0, f"{ran.stdout[-3000:]}\n{ran.stderr[-5000:]}"
    assert ran.stdout.endswith("the flow has ended well\n")
