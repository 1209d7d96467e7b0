"""MLflow models without a script, with the real MLflow."""

import subprocess

import pytest

from lazulite_worker.mlflow_scoring import json_ready, model_folder

MODELS = """
import sys, numpy, pandas, mlflow
from mlflow.models import infer_signature
from mlflow.pyfunc import PythonModel, save_model

class Sums(PythonModel):
    def predict(self, context, model_input, params=None):
        if isinstance(model_input, dict):
            return {name: value * 2 for name, value in model_input.items()}
        if isinstance(model_input, pandas.DataFrame):
            return pandas.DataFrame({"sum": model_input.sum(axis=1, numeric_only=True),
                                     "columns": [list(model_input.columns)] * len(model_input)})
        return model_input.sum(axis=1)

root = sys.argv[1]
frame = pandas.DataFrame({"a": [1.5], "b": [2]})
save_model(root + "/table", python_model=Sums(), signature=infer_signature(frame),
           pip_requirements=["mlflow"])
save_model(root + "/tensor", python_model=Sums(), pip_requirements=["mlflow"],
           signature=infer_signature(numpy.zeros((2, 3), dtype="float32")))
save_model(root + "/bare", python_model=Sums(), pip_requirements=["mlflow"])
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def models(tmp_path_factory, science_python):
    """A folder with MLflow models: of a table, of a tensor, without a signature."""
    root = tmp_path_factory.mktemp("models")
    subprocess.run([science_python, "-c", MODELS, root], check=True, capture_output=True)
    return root


def test_model_of_a_table_takes_every_form_and_names_what_is_wrong(serve, science_python, models):
    replica = serve(python=science_python, env={"LAZULITE_MLFLOW_MODEL": str(models / "table")})
    expected = [{"sum": 3.0, "columns": ["a", "b"]}]
    split = {"columns": ["a", "b"], "data": [[1, 2]]}

    for body in (
        {"input_data": {**split, "index": [0]}},
        {"input_data": {"columns": ["b", "a"], "data": [[2, 1]]}},
        {"input_data": {"data": [[1, 2]]}},
        {"input_data": [[1, 2]]},
        {"input_data": [{"b": 2, "a": 1}]},
        {"input_data": {"a": [1], "b": [2]}},
        {"dataframe_split": split},
        {"dataframe_records": [{"a": 1, "b": 2}]},
        {"instances": [{"a": 1, "b": 2}]},
        {"inputs": {"a": [1], "b": [2]}},
    ):
        assert replica.score(body).json() == expected, body

    for body, message in (
        ({"input_data": {"columns": ["a"], "data": [[1]]}}, "Columns are missing: b."),
        ({"input_data": {"columns": ["a", "b"], "data": [[1, 2.5]]}}, "'b' must be long, got 2.5"),
        ({"input_data": {"columns": ["a", "b"], "data": [["x", 2]]}}, "'a' must be double"),
        ({"input_data": {"columns": ["a"], "data": [[1, 2]]}}, "'input_data' cannot be read"),
        ({"input_data": 5}, "neither a list nor an object"),
        ({"dataframe_split": [1]}, 'it needs "columns" and "data"'),
        ({"data": 1}, 'The body must have "input_data"'),
        ([1], "POST body should be a JSON dictionary."),
    ):
        answer = replica.score(body)
        assert (answer.status, message in answer.json()["message"]) == (400, True), answer.json()

    assert "The model expects the columns: a (double), b (long)." in replica.score(
        {"input_data": []}
    ).json().get("message", "")
    schema = replica.call("GET", "/swagger.json").json()["definitions"]["ServiceInput"]
    assert schema["properties"]["input_data"]["example"]["columns"] == ["a", "b"]


def test_model_of_a_tensor_gets_arrays_of_its_type(serve, science_python, models):
    replica = serve(python=science_python, env={"LAZULITE_MLFLOW_MODEL": str(models / "tensor")})

    for form in ("input_data", "instances", "inputs"):
        assert replica.score({form: [[1, 2, 3], [4, 5, 6]]}).json() == [6.0, 15.0]

    wrong = replica.score({"input_data": [[1, 2]]})
    assert wrong.status == 400
    assert "The model expects: " in wrong.json()["message"]


def test_model_without_a_signature_gets_what_is_sent(serve, science_python, models):
    replica = serve(python=science_python, env={"LAZULITE_MLFLOW_MODEL": str(models / "bare")})

    assert replica.score({"input_data": [[1, 2]]}).json() == [3]
    assert replica.score({"inputs": {"x": [1, 2]}}).json() == {"x": [2, 4]}
    assert replica.call("GET", "/score").status == 405


def test_folder_without_a_model_is_a_boot_error(serve, tmp_path):
    replica = serve(env={"LAZULITE_MLFLOW_MODEL": str(tmp_path)})

    assert "is no MLflow model: there is no MLmodel file in it" in replica.said["error"]


def test_model_one_folder_below_is_found(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "MLmodel").touch()

    assert model_folder(str(tmp_path)) == str(tmp_path / "inner")


def test_predictions_of_plain_python_become_json_types():
    assert json_ready({"a": (1, b"\x00"), 2: [None]}) == {"a": [1, "AA=="], "2": [None]}
