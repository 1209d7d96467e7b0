"""@input_schema of the package inference-schema, where the user's environment has it."""

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
from inference_schema.schema_decorators import input_schema, output_schema
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType

def init():
    pass

@input_schema("data", StandardPythonParameterType([1, 2]))
@input_schema("scale", StandardPythonParameterType(1.5))
@output_schema(StandardPythonParameterType([1.0]))
def run(data, scale=2.0):
    return [value * scale for value in data]
"""


@pytest.fixture
def replica(serve, science_python):
    return serve(SCRIPT, python=science_python)


def test_values_of_the_body_become_arguments_of_run(replica):
    full, default = (
        replica.score({"data": [1], "scale": 3, "more": 0}),
        replica.score({"data": [1]}),
    )

    assert [full.json(), default.json()] == [[3], [2.0]]


def test_get_takes_its_arguments_from_the_query(replica):
    assert replica.call("GET", "/score?data=[4]&scale=0.5").json() == [2.0]


@pytest.mark.parametrize(
    ("body", "kind", "status", "message"),
    [
        (b"{}", "text/plain", 415, "Expects Content-Type to be application/json"),
        (b"", "application/json", 400, "POST body is empty. Expecting a JSON dictionary."),
        (b"{", "application/json", 400, "POST body could not be decoded as JSON: Expecting"),
        (b"[1]", "application/json", 400, "POST body should be a JSON dictionary."),
        (b"{}", "application/json", 400, "A value is not provided for the 'data' parameter."),
    ],
)
def test_body_that_does_not_fit_is_refused(replica, body, kind, status, message):
    answer = replica.call("POST", "/score", body, {"Content-Type": kind})

    assert answer.status == status
    assert answer.json()["message"].startswith(message)


def test_swagger_has_the_schema_of_run(replica):
    document = replica.call("GET", "/swagger.json").json()

    assert set(document["definitions"]["ServiceInput"]["properties"]) == {"data", "scale"}
    assert document["definitions"]["ServiceOutput"]["type"] == "array"


def test_both_decorators_are_a_boot_error(serve, science_python):
    script = SCRIPT.replace("@input_schema", "@rawhttp\n@input_schema", 1)

    replica = serve(
        "from azureml.contrib.services.aml_request import rawhttp\n" + script, python=science_python
    )

    assert "both @rawhttp and @input_schema" in replica.said["error"]
