"""Jobs over MLflow models without code, in an environment that has MLflow."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.science import science_python

pytestmark = [pytest.mark.crash, pytest.mark.slow]

MAKE = """
import sys, mlflow.pyfunc
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

class Sum(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return (model_input["a"] + model_input["b"]).to_numpy()

signature = ModelSignature(inputs=Schema([ColSpec("double", "a"), ColSpec("double", "b")]))
mlflow.pyfunc.save_model(sys.argv[1], python_model=Sum(), signature=signature)
"""
FILES = {
    "good.csv": "a,b\n1,3.5\n2,4.5\n",
    "lacks.csv": "a\n1\n",
    "misfit.csv": "a,b\n1,much\n",
    "x.avro": "",
}


def test_a_job_names_the_files_that_failed_and_why(bench):
    """The others of their mini-batch have rows; where none has, each has its own error."""
    model = str(bench.folder / "model")
    make = [science_python(), "-W", "ignore", "-c", MAKE, model]
    subprocess.run(make, capture_output=True, check=True)
    for name, text in FILES.items():
        (bench.inputs / name).write_text(text)
    code, progress = bench.run(
        script=None,
        python=science_python(),
        code_dir=model,
        env=bench.env(LAZULITE_MLFLOW_MODEL=model),
        mini_batch_size=3,
        processes_per_node=1,
        max_retries=0,
    )
    assert (code, progress["rows"], progress["failed_items"]) == (0, 2, 3), progress
    assert bench.output.read_text() == "0,4.5,good.csv\n1,6.5,good.csv\n"
    lines = (bench.job_dir / "failed_items.jsonl").read_text().splitlines()
    errors = {Path(item["file"]).name: item["error"] for item in map(json.loads, lines)}
    assert "has 'much', and the model's signature says double" in errors["misfit.csv"]
    assert "lacks 'b', which the model's signature asks for" in errors["lacks.csv"]
    assert "File type 'avro' is not supported" in errors["x.avro"]
    assert "misfit.csv" in (bench.logs / "user/error.txt").read_text()
