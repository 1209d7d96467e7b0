"""@input_schema of inference-schema: types, refusals, swagger. Source: spec/ONLINE.md 5.3."""

import json

import pytest

SCRIPT = """
import datetime, numpy, pandas
from inference_schema.schema_decorators import input_schema, output_schema
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import (
    StandardPythonParameterType as Standard,
)

def init():
    pass

@input_schema("array", NumpyParameterType(numpy.array([[1.5, 2.5]])), convert_to_provided_type=True)
@input_schema("frame", PandasParameterType(pandas.DataFrame({"a": [1], "b": ["x"]})))
@input_schema("text", Standard("word"))
@input_schema("count", Standard(1))
@input_schema("options", Standard({"k": [1.5]}))
@output_schema(Standard({"sum": 1.5, "words": ["w"]}))
def run(array, frame, text="none", count=2, options={"k": [0.5]}):
    return {
        "sum": float(array.sum()),
        "shape": list(array.shape),
        "columns": list(frame.columns),
        "words": [text] * count,
        "options": options,
    }
"""
GOOD = {"array": [[1, 2]], "frame": [{"a": 1, "b": "y"}]}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(shared, science_python):
    return shared(SCRIPT, python=science_python)


def post(server, value, kind="application/json"):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return server.call("POST", "/score", body, {"Content-Type": kind})


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, {"words": ["none", "none"], "options": {"k": [0.5]}}),
        ({"text": "a", "count": 1}, {"words": ["a"]}),
        ({"options": {"k": [2.0]}}, {"options": {"k": [2.0]}}),
        ({"unknown": 1}, {"sum": 3.0}),
        ({"array": [[1.5, 2], [0, 0]]}, {"sum": 3.5, "shape": [2, 2]}),
        ({"frame": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}, {"columns": ["a", "b"]}),
    ],
)
def test_values_become_what_the_samples_are(server, more, found):
    answer = post(server, {**GOOD, **more})
    assert answer.status == 200
    assert {name: answer.json()[name] for name in found} == found


def test_any_kind_of_json_will_do(server):
    assert post(server, GOOD, "application/vnd.x+json; charset=utf-8").json()["sum"] == 3.0


def test_a_get_takes_its_arguments_from_the_query(server):
    query = "array=[[1,2]]&frame=[%7B%22a%22:1,%22b%22:%22x%22%7D]&text=w"
    answer = server.call("GET", f"/score?{query}")
    assert answer.json()["words"] == ["w", "w"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "message"),
    [
        (b"{}", "text/plain", 415, "Expects Content-Type to be application/json"),
        (b"{}", "application/jsonl", 415, "Expects Content-Type to be application/json"),
        (b"", "application/json", 400, "POST body is empty. Expecting a JSON dictionary."),
        (b"{", "application/json", 400, "POST body could not be decoded as JSON: Expecting"),
        (b"[1]", "application/json", 400, "POST body should be a JSON dictionary."),
        (b"{}", "application/json", 400, "A value is not provided for the 'array' parameter."),
        (
            b'{"array": 1}',
            "application/json",
            *(400, "A value is not provided for the 'frame' parameter."),
        ),
    ],
)
def test_a_body_that_does_not_fit_is_refused(server, body, kind, status, message):
    answer = post(server, body, kind)
    assert answer.status == status
    assert answer.json()["message"].startswith(message)
    assert answer.headers["x-ms-run-function-failed"] == "False"


def test_a_value_that_cannot_be_converted_fails_the_run(server):
    answer = post(server, {**GOOD, "array": "no array"})
    assert answer.status == 500
    assert answer.headers["x-ms-run-function-failed"] == "True"


def test_options_are_answered_without_run(server):
    assert server.call("OPTIONS", "/score").status == 200


@pytest.mark.parametrize("version", ["2", "3", "3.1"])
def test_the_document_has_the_schema_of_run(server, version):
    document = server.call("GET", f"/swagger.json?version={version}").json()
    schemas = document.get("definitions") or document["components"]["schemas"]
    taken = schemas["ServiceInput"]["properties"]
    assert list(taken) == ["array", "frame", "text", "count", "options"]
    assert taken["array"]["type"] == "array"
    assert taken["text"]["type"] == "string"
    assert taken["frame"]["items"]["properties"]["b"]["type"] == "string"
    assert set(schemas["ServiceOutput"]["properties"]) == {"sum", "words"}


def test_the_arguments_are_told_in_the_log(server):
    assert server.has_logged(
        r"run\(\) is decorated with @input_schema\. Server will invoke it with the following "
        r"arguments: array, frame, text, count, options\.$"
    )


def test_the_file_of_the_user_wins(serve, science_python, tmp_path):
    for name in ("swagger.json", "swagger3.json", "swagger3.1.json"):
        (tmp_path / name).write_text(f'{{"mine": "{name}"}}')
    server = serve(SCRIPT, python=science_python).ready()
    found = [
        server.call("GET", f"/swagger.json?version={version}").json()["mine"]
        for version in ("2", "3", "3.1")
    ]
    assert found == ["swagger.json", "swagger3.json", "swagger3.1.json"]
    assert server.has_logged(r"azmlinfsrv\.swagger - Loaded user's swagger file for version \[3\]")


def test_a_schema_that_swagger_2_cannot_say_is_skipped(serve, science_python):
    script = """
    from inference_schema.schema_decorators import input_schema
    from inference_schema.parameter_types.standard_py_parameter_type import (
        StandardPythonParameterType as Standard,
    )
    def init(): pass
    @input_schema("mixed", Standard([1, "x"]))
    def run(mixed): return mixed
    """
    server = serve(script, python=science_python).ready()
    refused = server.call("GET", "/swagger.json")
    assert refused.status == 404
    assert refused.json()["message"] == (
        "Swagger version [2] is not supported for the scoring script. "
        "Supported swagger versions: [3, 3.1]."
    )
    assert server.call("GET", "/swagger.json?version=3.1").status == 200


def test_both_decorators_are_a_boot_error(serve, science_python):
    text = "from azureml_inference_server_http.api.aml_request import rawhttp\n"
    script = text + SCRIPT.replace("@input_schema", "@rawhttp\n@input_schema", 1)
    server = serve(script, python=science_python)
    assert server.ends() == 3
    assert "run() cannot be decorated with both @rawhttp and @input_schema" in server.text
