"""The demo must not succeed on wrong numbers."""

import json
import os
import subprocess
import sys

import pytest

from lazulite.cli.demo import _examples, _own_environment, _packages
from lazulite.cli.demo_checks import Scorer, batch, mlflow, online
from lazulite.cli.documents import read
from lazulite.cli.errors import CommandError

LABELS = {f"digit-{index:04d}.png": str(index % 10) for index in range(40)}


@pytest.fixture
def outputs(tmp_path):
    rows = "\n".join(f"{name},{digit}" for name, digit in LABELS.items())
    (tmp_path / "labels.csv").write_text(f"file,digit\n{rows}\n")
    (tmp_path / "online-request.json").write_text(json.dumps({"data": [[0]] * 20}))
    (tmp_path / "online-labels.json").write_text(json.dumps([1] * 20))
    (tmp_path / "mlflow-request.json").write_text("{}")
    (tmp_path / "mlflow-predictions.json").write_text("[1, 2]")
    return tmp_path


def predicted(tmp_path, rows):
    (tmp_path / "predictions.csv").write_text("".join(f"{name} {digit}\n" for name, digit in rows))
    return tmp_path


def test_one_row_per_image_that_agrees_is_right(outputs):
    assert "40 images, one row each, accuracy 1.0000" in batch(
        predicted(outputs, LABELS.items()), outputs
    )


@pytest.mark.parametrize(
    "rows",
    [
        list(LABELS.items())[1:],
        [*LABELS.items(), *list(LABELS.items())[:1]],
        [*LABELS.items(), ("unknown.png", "1")],
    ],
)
def test_a_missing_a_double_or_an_unknown_row_is_wrong(outputs, rows):
    with pytest.raises(CommandError, match="1 images have no row"):
        batch(predicted(outputs, rows), outputs)


def test_too_many_wrong_digits_are_wrong(outputs):
    rows = [
        (name, "x" if index < 3 else digit) for index, (name, digit) in enumerate(LABELS.items())
    ]
    with pytest.raises(CommandError, match=r"0\.9250"):
        batch(predicted(outputs, rows), outputs)


def test_online_predictions_are_held_against_the_labels(server, outputs):
    scorer = Scorer(uri=f"{server.url}/score", key="k", ca_file=None)
    server.answer("POST", "/score", 200, [1] * 10)
    assert "20 digits in 2 requests" in online(scorer, outputs)
    server.answers.clear()
    server.answer("POST", "/score", 200, [2] * 10)
    with pytest.raises(CommandError, match="accuracy"):
        online(scorer, outputs)


def test_mlflow_predictions_must_be_the_models_own(server, outputs):
    scorer = Scorer(uri=f"{server.url}/score", key="k", ca_file=None)
    server.answer("POST", "/score", 200, [1, 3])
    with pytest.raises(CommandError, match="differ"):
        mlflow(scorer, outputs)


def test_what_points_at_other_servers_is_left_behind(tmp_path):
    given = {"PATH": "/bin", "AZURE_CLIENT_SECRET": "x", "LAZULITE_URL": "y", "SSL_CERT_FILE": "z"}
    kept = _own_environment(given, tmp_path)
    assert kept["PATH"] == "/bin"
    assert not {"AZURE_CLIENT_SECRET", "LAZULITE_URL", "SSL_CERT_FILE"} & set(kept)
    assert kept["LAZULITE_DATA_DIR"] == str(tmp_path)


def test_a_package_index_set_for_pip_is_used_by_uv_too(tmp_path):
    kept = _own_environment({"PIP_INDEX_URL": "https://mirror/simple"}, tmp_path)
    assert kept["UV_DEFAULT_INDEX"] == "https://mirror/simple"
    both = {"PIP_INDEX_URL": "https://mirror/simple", "UV_DEFAULT_INDEX": "https://other"}
    assert _own_environment(both, tmp_path)["UV_DEFAULT_INDEX"] == "https://other"


def test_the_examples_files_are_whole():
    folder = _examples()
    version, packages = _packages(folder / "environment" / "conda.yml")
    assert version == "3.11"
    assert {item.split("~=")[0] for item in packages} >= {"scikit-learn", "mlflow-skinny"}
    for path in folder.rglob("*.yml"):
        assert read(path).values


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_runs_from_nothing_to_right_numbers(tmp_path):
    """The product's main path, as a user takes it: its own server, real training, real scoring."""
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "lazulite", "demo"]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1797 images, one row each" in ran.stdout
    assert "540 predictions, all equal to the model's own" in ran.stdout
    assert list(tmp_path.glob("lazulite-demo-*")) == []
