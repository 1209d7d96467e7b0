"""The product is held to docs/batch-options.md: names, defaults, checks, a test for each."""

import ast
import dataclasses
from pathlib import Path

import pytest

from lazulite.arm.kind import Properties
from lazulite.cli import batch_deployments, batch_invocations, deployments
from lazulite.cli.arguments import Arguments
from lazulite.cli.ml_commands import ML
from lazulite.deployments.batch_properties import BatchDeployment
from lazulite.deployments.invocations import Invocation
from tests.examples.batch_options import ASKED, ENDPOINTS, SETTINGS

TESTS = Path(__file__).parents[1]
PATH = "/batchEndpoints/options/deployments/one"
CHECKED = [each for each in SETTINGS if each.good or each.bad]
SELECTED = {"name", "set_values"}


def spelled(path):
    """The parts of a path: a.b[c.d] is a, b and c.d."""
    plain, _, inner = path.partition("[")
    return [*plain.split("."), *([inner.rstrip("]")] if inner else [])]


def said(path, value):
    """Properties with the value at the path."""
    for part in reversed(spelled(path)):
        value = {part: value}
    return value


def found(properties, path):
    """The value at the path."""
    for part in spelled(path):
        properties = (properties or {}).get(part)
    return properties


@pytest.fixture
async def options(plane):
    await plane.put("/batchEndpoints/options", {})
    return plane


async def put(plane, properties):
    return await plane.put(PATH, {"compute": "azureml:cpu", **properties})


async def test_what_is_left_out_has_the_default(options):
    made = (await put(options, {})).json()["properties"]
    shown = {each.yaml: found(made, each.rest) for each in SETTINGS if "[" not in each.rest}
    del shown["compute"], shown["properties"]
    assert shown == {each.yaml: each.default for each in SETTINGS if each.yaml in shown}


async def test_good_values_are_taken_and_bad_ones_refused_by_name(options):
    for each in CHECKED:
        for value in each.good:
            answer = await put(options, said(each.rest, value))
            assert answer.status_code in {200, 201}, (each.rest, value, answer.text)
        for value in each.bad:
            answer = await put(options, said(each.rest, value))
            assert answer.status_code == 400, (each.rest, value, answer.text)
            assert spelled(each.rest)[-1] in answer.text, (each.rest, value, answer.text)


@pytest.mark.parametrize("name", ["1st", "a_b", "ends-", "a" * 33])
async def test_an_endpoint_is_held_to_the_rules_of_its_name(plane, name):
    answer = await plane.put(f"/batchEndpoints/{name}", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidResourceName")


async def test_what_an_endpoint_can_say(plane):
    path = "/batchEndpoints/said"
    made = (await plane.put(path, {})).json()["properties"]
    for each in (each for each in ENDPOINTS if each.good):
        if each.rest != "properties":  # where the operation's URI is
            assert found(made, each.rest) == each.default, each.rest
        for value in each.good:
            assert (await plane.put(path, said(each.rest, value))).status_code == 200, each.rest
        for value in each.bad:
            answer = await plane.put(path, said(each.rest, value))
            assert answer.status_code == 400, (each.rest, value)
            assert spelled(each.rest)[-1] in answer.text, (each.rest, value, answer.text)


async def test_a_job_may_say_otherwise_within_the_same_bounds(options):
    await put(options, {})
    await options.put("/batchEndpoints/options", {"defaults": {"deploymentName": "one"}})
    body = {"dataset": {"path": "https://elsewhere.example/x"}}
    for each in CHECKED:
        for value in each.bad if each.job and each.yaml != "compute" else ():
            path = each.rest.replace("resources", "compute")
            asked = {"properties": {**body, **said(path, value)}}
            answer = await options.call("POST", "/batchEndpoints/options/jobs", asked)
            assert answer.status_code == 400, (path, value, answer.text)
            assert spelled(path)[-1] in answer.text, (path, value, answer.text)


def rest_names(model):
    """The paths of a model's fields, in camelCase."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        camel = field.alias or model.model_config["alias_generator"](name)
        if isinstance(inner, type) and issubclass(inner, Properties):
            yield from (f"{camel}.{each}" for each in rest_names(inner))
        else:
            yield camel


def test_every_field_of_rest_has_a_row():
    known = {each.rest for each in SETTINGS} | {"partitionKeys"}
    known |= {"resources.instanceType", "resources.properties"}  # kept and shown
    listed = {name for name in rest_names(BatchDeployment) if "onfiguration" not in name}
    assert listed - known == set()
    told = " ".join(each.rest for each in ASKED) + " ".join(each.rest for each in SETTINGS)
    assert [name for name in Invocation.model_fields if name.split("_")[0] not in told.lower()] == [
        "partition_keys"
    ]


def test_every_key_of_yaml_and_set_has_a_row():
    roots = {each.yaml.partition(".")[0].partition("[")[0] for each in SETTINGS}
    known = roots | {"name", "endpoint_name", "type", "settings", "tags", "location"}
    assert batch_deployments.SHAPE.keys() - known == set()
    assert deployments.SHAPE.keys() - known == set()
    said_of_jobs = " ".join([*(each.job for each in SETTINGS), *(each.cli for each in ASKED)])
    for key in batch_invocations.SHAPE.keys() - {"settings"}:
        assert key in said_of_jobs, key


def test_every_option_of_invoke_has_a_row():
    (command,) = (each for each in ML if each.name == "batch-endpoint invoke")
    names = {word.partition(":")[0].rstrip("!") for word in command.options.split()} - {"name"}
    fields = {field.name: field.metadata["flags"] for field in dataclasses.fields(Arguments)}
    told = " ".join(f"{each.cli} {each.old}" for each in ASKED).replace(",", "").split()
    assert [name for name in sorted(names) if not set(fields[name]) & set(told)] == []


def test_every_row_names_a_test_that_there_is():
    there = {
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {each.test for each in (*ENDPOINTS, *SETTINGS, *ASKED)} - there == set()
