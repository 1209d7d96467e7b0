"""MLflow models without code: real models, real MLflow, in the environment that has it.

LAZULITE_TEST_SCIENCE_PYTHON names an interpreter with mlflow-skinny, pandas, pyarrow, pillow and
scikit-learn; without it (and without mlflow here) these tests are skipped.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src"
PYTHON = os.environ.get("LAZULITE_TEST_SCIENCE_PYTHON") or (
    sys.executable if importlib.util.find_spec("mlflow") else None
)
pytestmark = [
    pytest.mark.skipif(PYTHON is None, reason="needs LAZULITE_TEST_SCIENCE_PYTHON"),
    pytest.mark.slow,
]
MAKE = """
import sys, json, numpy, pandas, mlflow.pyfunc
from pathlib import Path
from PIL import Image
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec
folder = Path(sys.argv[1])

class Sum(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        assert model_input["code"].iloc[0].startswith("00")
        return (model_input["a"] + model_input["b"]).to_numpy()

class Two(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return pandas.DataFrame({"x": [1, 2], "y": [0.5, 1.5]})

class Shape(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [f"{model_input.shape} {model_input.dtype} {model_input.sum():.0f}"]

columns = Schema([ColSpec("double", "a"), ColSpec("double", "b"), ColSpec("string", "code")])
tensor = Schema([TensorSpec(numpy.dtype("float32"), (-1, 2, 2, 3))])
for name, model, schema in (("sum", Sum(), columns), ("two", Two(), None),
                            ("tensor", Shape(), tensor), ("image", Shape(), None)):
    signature = ModelSignature(inputs=schema) if schema is not None else None
    mlflow.pyfunc.save_model(str(folder / name), python_model=model, signature=signature)
frame = pandas.DataFrame({"a": [1, 2], "b": [3.5, 4.5], "code": ["007", "008"]})
frame.to_csv(folder / "t.csv", index=False)
frame.to_parquet(folder / "t.parquet")
Image.fromarray(numpy.ones((2, 2, 3), dtype="uint8")).save(folder / "i.png")
(folder / "broken.csv").write_text("")
(folder / "x.avro").write_text("")
"""
SCORE = """
import json, sys
from lazulite_worker import batch_rows, mlflow_batch
scorer = mlflow_batch.scorer(sys.argv[1])
scorer.init()
try:
    text, rows, succeeded = batch_rows.render(scorer.run(sys.argv[2:]), len(sys.argv) - 2)
    print(json.dumps([text.decode(), rows, succeeded]))
except ValueError as error:
    print(json.dumps(str(error)))
"""


def python(*arguments):
    ran = subprocess.run(
        [PYTHON, "-W", "ignore", "-c", *map(str, arguments)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    python(MAKE, folder)
    return folder


def score(models, name, *files):
    return json.loads(
        python(SCORE, models / name, *(models / file for file in files)).splitlines()[-1]
    )


def test_tables_give_row_prediction_and_file_name(models):
    assert score(models, "sum", "t.csv", "t.parquet") == [
        "0,4.5,t.csv\n1,6.5,t.csv\n0,4.5,t.parquet\n1,6.5,t.parquet\n",
        4,
        2,
    ]


def test_several_outputs_make_one_field(models):
    text = '0,"[1.0, 0.5]",t.csv\n1,"[2.0, 1.5]",t.csv\n'
    assert score(models, "two", "t.csv") == [text, 2, 1]


def test_images_take_the_signatures_shape_and_type(models):
    assert score(models, "tensor", "i.png")[0] == '0,"(1, 2, 2, 3) float32 12",i.png\n'
    assert score(models, "image", "i.png")[0] == '0,"(2, 2, 3) uint8 12",i.png\n'


def test_a_file_that_cannot_be_scored_counts_as_failed_though_others_give_many_rows(models):
    found = score(models, "sum", "broken.csv", "t.csv", "x.avro")
    assert found == ["0,4.5,t.csv\n1,6.5,t.csv\n", 2, 1]


def test_a_mini_batch_without_any_scored_file_fails_with_the_first_reason(models):
    message = score(models, "sum", "x.avro")
    assert "No objects to concatenate" in message
    assert "File type 'avro' is not supported" in message
