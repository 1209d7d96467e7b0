"""The replica under every Python that users' environments may have."""

import subprocess
from pathlib import Path

import pytest

WORKER = Path(__file__).parents[2] / "src" / "lazulite_worker"
VERSIONS = [f"3.{minor}" for minor in range(6, 14)]

SCRIPT = """
from azureml.contrib.services.aml_request import rawhttp
from azureml.contrib.services.aml_response import AMLResponse
import time

def init():
    print("started")

@rawhttp
def run(request):
    if request.args.get("slow"):
        time.sleep(20)
    if request.args.get("stream"):
        return AMLResponse((part for part in ("a", "b")), 200)
    return AMLResponse(request.get_json(), 200, json_str=True)
"""


@pytest.fixture(params=VERSIONS)
def python(request):
    """The newest pyenv interpreter of a minor version."""
    found = sorted(Path("~/.pyenv/versions").expanduser().glob(f"{request.param}.*/bin/python"))
    if not found:
        pytest.skip(f"no Python {request.param} under ~/.pyenv/versions")
    return str(found[-1])


def test_all_of_the_worker_is_valid_syntax(python):
    code = (
        "import pathlib, sys\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).rglob('*.py')):\n"
        "    compile(path.read_text(encoding='utf-8'), str(path), 'exec')\n"
    )

    done = subprocess.run([python, "-c", code, WORKER], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_replica_scores_streams_and_times_out(serve, python):
    replica = serve(SCRIPT, python=python, env={"SCORING_TIMEOUT_MS": "300"})

    scored = replica.score({"a": [1]})
    streamed = replica.call("GET", "/score?stream=1")
    late = replica.call("GET", "/score?slow=1")

    assert replica.said == {"ready": True}
    assert (scored.status, scored.json()) == (200, {"a": [1]})
    assert streamed.body == b"ab"
    assert late.json() == {"message": "Scoring timeout after 300 ms"}
    assert replica.call("GET", "/swagger.json").status == 200
    assert "started" in replica.log()
