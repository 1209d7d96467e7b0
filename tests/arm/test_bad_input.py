"""Bad input is answered with 4xx in Azure's shape, and leaves nothing. Source: SECURITY.md 2.8."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lazulite.arm.json_reader import LARGEST_BODY
from lazulite.arm.turns import Turns
from lazulite.core.errors import ArmError

PATH = "/models/m/versions/1"
URI = '"modelUri": "azureml://datastores/d/paths/x"'


def model(more):
    return f'{{"properties": {{{URI}, {more}}}}}'.encode()


REFUSED = (
    (b"[]", 400, "InvalidRequestContent"),
    (b'"text"', 400, "InvalidRequestContent"),
    (b"null", 400, "InvalidRequestContent"),
    (b"12345678901234567890123456789012345678901234567890", 400, "InvalidRequestContent"),
    (b'{"properties": []}', 400, "InvalidRequestContent"),
    (b'{"properties": 5}', 400, "InvalidRequestContent"),
    (b'{"properties": {}, "properties": {}}', 400, "InvalidRequestContent"),
    (b'{"properties": {}, "Properties": {}}', 400, "InvalidRequestContent"),
    (model('"a": 1, "a": 2'), 400, "InvalidRequestContent"),
    (model('"description": "1", "Description": "2"'), 400, "InvalidRequestContent"),
    (model('"properties": {"x": NaN}'), 400, "InvalidRequestContent"),
    (model('"properties": {"x": -Infinity}'), 400, "InvalidRequestContent"),
    (model('"properties": {"x": 1e999}'), 400, "InvalidRequestContent"),
    (model('"properties": {"x": 9223372036854775808}'), 400, "InvalidRequestContent"),
    (model('"properties": {"x": 18446744073709551616}'), 400, "InvalidRequestContent"),
    (model('"description": "\\ud800"'), 400, "InvalidRequestContent"),
    (model('"properties": ' + '{"a":' * 100_000), 400, "InvalidRequestContent"),
    (b"[" * 100_000, 400, "InvalidRequestContent"),
    (b'{"properties": \xff}', 400, "InvalidRequestContent"),
    (model('"x": 1').decode().encode("utf-16"), 400, "InvalidRequestContent"),
    (b'{"properties": {"modelUri": null}}', 400, "ValidationError"),
    (b'{"properties": {"modelUri": {"a": 1}}}', 400, "ValidationError"),
    (model('"tags": [1]'), 400, "ValidationError"),
    (model('"isArchived": "perhaps"'), 400, "ValidationError"),
    (b"x" * (LARGEST_BODY + 1), 413, "RequestEntityTooLarge"),
)
MEDIA = (
    {"content-type": "text/plain"},
    {"content-type": "application/x-www-form-urlencoded"},
    {"content-type": "application/json; charset=utf-16"},
    {"content-type": "application/vnd.pickle"},
    {"content-encoding": "gzip"},
    {"content-encoding": "identity, gzip"},
)
ACCEPTED = (
    b"\xef\xbb\xbf" + model('"description": "a bom"'),
    model('"description": "two\nlines\tand a tab",'),
    b"// a comment\n" + model('"isarchived": "TRUE" /* another */'),
    b'{"PROPERTIES": {"MODELURI": "azureml://datastores/d/paths/x", "TAGS": {"a": "1"}},}',
    model('"unknown": {"deep": [9223372036854775807, -0.0, 1e-999]}'),
)


async def test_bodies_that_cannot_be_meant_are_refused_and_leave_nothing(plane):
    for body, status, code in REFUSED:
        answer = await plane.call("PUT", PATH, body)
        found = (answer.status_code, answer.json()["error"]["code"])
        assert found == (status, code), body[:60]
    assert (await plane.call("GET", "/models")).json()["value"] == []


async def test_bodies_that_say_they_are_something_else_are_refused(plane):
    for method in ("PUT", "PATCH"):
        await plane.call("PUT", PATH, ACCEPTED[0])
        for headers in MEDIA:
            answer = await plane.call(method, PATH, ACCEPTED[0], headers=headers)
            found = (answer.status_code, answer.json()["error"]["code"])
            assert found == (415, "UnsupportedMediaType"), headers


async def test_bodies_of_real_scripts_are_read(plane):
    for number, body in enumerate(ACCEPTED, 1):
        answer = await plane.call("PUT", f"/models/m/versions/{number}", body)
        assert answer.status_code == 201, (body, answer.text)
        json.loads(answer.text, parse_constant=pytest.fail)
    read = (await plane.call("GET", "/models/m/versions", listViewType="All")).json()["value"]
    shown = [item["properties"] for item in read]
    assert shown[1]["description"] == "two\nlines\tand a tab"
    assert shown[2]["isArchived"] is True
    assert shown[3]["tags"] == {"a": "1"}


NAMES = (
    *("..%5cx", "a%00b", "a%0d%0ab", "x%3Fy", "x%23y", "é", "a b", "-a", "_a", "a" * 256),
    *("%F0%9F%98%80", "a|b", "a;b", "a:b", "a'b", 'a"b', "%25", "CON.", "a\u202eb"),
)


async def test_names_that_no_resource_can_have_are_refused_by_name(plane):
    assert (await plane.call("PUT", "/computes/%2e%2e", {"location": "local"})).status_code == 403
    for name in NAMES:
        answer = await plane.call("PUT", f"/computes/{name}", {"location": "local"})
        found = (answer.status_code, answer.json()["error"]["code"])
        assert found == (400, "InvalidResourceName"), name
        assert (await plane.call("GET", f"/computes/{name}")).status_code == 404, name


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
KNOWN = ("modelUri", "modelType", "tags", "properties", "isArchived", "description", "computeType",
         "scaleSettings", "maxNodeCount", "nodeIdleTimeBeforeScaleDown", "traffic", "authMode",
         "accountName", "credentials", "condaFile", "docker", "image", "build")  # fmt: skip
OBJECTS = st.dictionaries(st.sampled_from(KNOWN), VALUES)
PATHS = ("/models/m/versions/1", "/models/m", "/computes/c", "/onlineEndpoints/e",
         "/onlineEndpoints/e/deployments/d", "/batchEndpoints/b", "/datastores/d",
         "/environments/e/versions/1", "/codes/c/versions/1", "/data/d/versions/1")  # fmt: skip


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.sampled_from(PATHS), st.sampled_from(("PUT", "PATCH")), OBJECTS, VALUES)
async def test_no_body_is_a_fault_of_the_server(plane, path, method, properties, tags):
    body = json.dumps({"location": "local", "properties": properties, "tags": tags})
    answer = await plane.call(method, path, body)
    assert answer.status_code < 500, (path, body, answer.text)
    shown = await plane.call("GET", path)
    assert shown.status_code in {200, 404}, (path, body, shown.text)


def test_a_caller_has_so_many_turns_and_others_have_theirs():
    turns = Turns(2)
    with turns.one_of("me"), turns.one_of("me"):
        with pytest.raises(ArmError) as caught, turns.one_of("me"):
            pass
        assert (caught.value.status, caught.value.code) == (429, "TooManyRequests")
        assert caught.value.headers == {"Retry-After": "1"}
        with turns.one_of("you"):
            pass
    with turns.one_of("me"):
        pass


def test_zero_turns_are_any_number():
    turns = Turns(0)
    with turns.one_of("me"), turns.one_of("me"), turns.one_of("me"):
        pass


ENDPOINT = {"location": "local", "properties": {"authMode": "Key"}}


@pytest.mark.parametrize(
    "said",
    [
        {"location": ["local"]},
        {"tags": ["a"]},
        {"tags": {"a": {}}},
        {"kind": {}},
        {"sku": 4},
        {"identity": "SystemAssigned"},
    ],
)
async def test_what_stands_beside_properties_has_its_type(plane, said):
    answer = await plane.call("PUT", "/onlineEndpoints/e", {**ENDPOINT, **said})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ValidationError")
    assert next(iter(said)) in answer.json()["error"]["message"]
    assert (await plane.call("GET", "/onlineEndpoints/e")).status_code == 404


async def test_a_number_in_tags_is_its_text_and_null_is_no_tag(plane):
    tags = {"a": 1, "b": None}
    shown = await plane.call("PUT", "/onlineEndpoints/e", {**ENDPOINT, "tags": tags})
    assert shown.json()["tags"] == {"a": "1"}


async def test_a_version_makes_no_asset_of_a_name_that_it_cannot_have(plane):
    body = {"properties": {"modelUri": "azureml://datastores/d/paths/x"}}
    answer = await plane.call("PUT", "/models/a%20b/versions/1", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidResourceName")
    assert (await plane.call("GET", "/models")).json()["value"] == []


@pytest.mark.parametrize("text", ["P99999999999999D", f"PT{'9' * 400}S"])
async def test_a_duration_beyond_all_bounds_is_a_fault_of_the_caller(plane, text):
    scale = {"maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": text}
    properties = {"computeType": "AmlCompute", "properties": {"scaleSettings": scale}}
    answer = await plane.put("/computes/c", properties)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ValidationError")
