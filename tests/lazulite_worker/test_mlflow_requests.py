"""MLflow models of other flavours, CSV, and parameters of predict(), with the real MLflow."""

import subprocess

import pytest

MODELS = """
import sys, numpy, pandas, mlflow.sklearn
from mlflow.models import infer_signature
from mlflow.pyfunc import PythonModel, save_model
from sklearn.linear_model import LinearRegression

class Scaled(PythonModel):
    def predict(self, context, model_input, params=None):
        params = params or {"factor": 1.0, "names": ["none"]}
        return [float(value) * params["factor"] for value in model_input["x"]]

root = sys.argv[1]
frame = pandas.DataFrame({"x": [1.0]})
signature = infer_signature(frame, params={"factor": 2.0, "names": ["a"]})
save_model(root + "/params", python_model=Scaled(), signature=signature,
           pip_requirements=["mlflow"])
save_model(root + "/plain", python_model=Scaled(), signature=infer_signature(frame),
           pip_requirements=["mlflow"])
table = pandas.DataFrame({"a": [1.0, 2.0, 3.0], "b": [0, 1, 0]})
line = LinearRegression().fit(table, [1.0, 3.0, 3.0])
mlflow.sklearn.save_model(line, root + "/line", signature=infer_signature(table),
                          serialization_format="pickle", pip_requirements=["mlflow"])
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def models(tmp_path_factory, science_python):
    root = tmp_path_factory.mktemp("models")
    done = subprocess.run(
        [science_python, "-c", MODELS, root], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return root


def post(replica, body, kind):
    return replica.call("POST", "/score", body.encode(), {"Content-Type": kind})


def test_a_model_of_scikit_learn_takes_json_and_csv(serve, science_python, models):
    replica = serve(python=science_python, env={"LAZULITE_MLFLOW_MODEL": str(models / "line")})

    said = replica.score({"input_data": {"columns": ["a", "b"], "data": [[1, 0], [2, 1]]}})
    assert said.json() == pytest.approx([1.0, 3.0])
    for kind in ("text/csv", "text/csv; charset=utf-8", "application/csv"):
        answer = post(replica, "\ufeffb,a,more\n0,1,x\n1,2,y\n", kind)
        assert answer.json() == pytest.approx([1.0, 3.0])

    for body, message in (
        ("a\n1\n", "Columns are missing: b."),
        ("", "'csv' cannot be read: No columns to parse from file"),
        ("a,b\n1,0.5\n", "column 'b' must be long, got 0.5"),
        ("a,b\nx,0\n", "column 'a' must be double"),
    ):
        answer = post(replica, body, "text/csv")
        assert (answer.status, message in answer.json()["message"]) == (400, True), answer.json()
    assert replica.call("POST", "/score", b"a\n\xff", {"Content-Type": "text/csv"}).status == 400


def test_parameters_reach_the_model_if_its_signature_has_them(serve, science_python, models):
    replica = serve(python=science_python, env={"LAZULITE_MLFLOW_MODEL": str(models / "params")})
    rows = {"dataframe_split": {"columns": ["x"], "data": [[3.0]]}}

    assert replica.score(rows).json() == [6.0]
    assert replica.score({**rows, "params": {}}).json() == [6.0]
    assert replica.score({**rows, "params": {"factor": 10.0}}).json() == [30.0]
    for params, message in (
        ({"factor": "many"}, "factor"),
        ([1], '"params" must be an object'),
        ({"names": 5}, "names"),
    ):
        answer = replica.score({**rows, "params": params})
        assert (answer.status, message in answer.json()["message"]) == (400, True), answer.json()


def test_parameters_that_the_signature_lacks_are_left_out_as_mlflow_does(
    serve, science_python, models
):
    replica = serve(python=science_python, env={"LAZULITE_MLFLOW_MODEL": str(models / "plain")})
    rows = {"instances": [{"x": 3.0}]}

    assert replica.score(rows).json() == [3.0]
    assert replica.score({**rows, "params": {"factor": 10.0}}).json() == [3.0]
