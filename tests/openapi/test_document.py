"""The document says what is served: no more, no less, in every version."""

import inspect
import re
from pathlib import Path

import jsonschema_rs
import pytest

from lazulite import dataplane
from lazulite.app.asgi import PUBLIC
from lazulite.arm.watching import OPERATIONS
from lazulite.openapi.errors import MEANINGS
from lazulite.openapi.kinds import operations_of
from lazulite.openapi.naming import SUBSCRIPTION, WORKSPACE
from lazulite.openapi.plain import FRONT_DOOR
from lazulite.openapi.roles import SPELLED
from lazulite.openapi.schemas import Schemas
from lazulite.openapi.services import QUERIES
from tests.openapi.world import VERSION

VERSIONS = ("2019-11-01", "2021-03-01-preview", "2021-10-01", "2022-05-01", "2023-10-01")
METHODS = ("get", "head", "put", "patch", "post", "delete")
UNKNOWN = {"InvalidResourceType", "InvalidResourceNamespace", "MethodNotAllowed", "NotFound"}


def operations(document):
    """Every method of every path."""
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield method.upper(), path, methods[method]


def served(plane):
    """Every method of every path that the tables of the code have."""
    registry, app = plane.server.registry, plane.server.app
    for kind in registry.kinds:
        if kind.since <= VERSION <= kind.until:
            yield from (
                (each.method, each.path) for each in operations_of(kind, VERSION, Schemas())
            )
    for report in (each for each in registry.reports if each.until >= VERSION):
        yield report.method, f"{SUBSCRIPTION}/providers/{report.provider}/{report.template}"
    for route in app.routes:
        is_token = route.path.endswith(("/token", "/devicecode"))  # others get their own 405
        yield from (
            (each, route.path) for each in (["POST"] if is_token else route.methods - {"HEAD"})
        )
    yield from roles(plane.server.roles)
    yield from routes(app.services)


def roles(authorization):
    for (kind, is_one), methods in authorization.operations.items():
        one = "/{name}" if is_one else ""
        for method in methods:
            yield method, f"/providers/Microsoft.Authorization/{SPELLED.get(kind, kind)}{one}"


def routes(services):
    for service, route in services.routes():
        below = re.sub(":path", "", route.path)
        yield route.method, f"{service.prefix}.../{below}"
        if service.bare is not None:
            yield route.method, f"{WORKSPACE}/{below}"


def shortened(path):
    """Of services: without the workspace."""
    return re.sub(r"(?<=\w)/subscriptions/.*/\{workspaceName\}/", ".../", path)


async def test_everything_that_is_served_is_described(plane):
    answer = await plane.client.get("/openapi.json", params={"api-version": VERSION})
    described = {
        (method, shortened(path))
        for method, path, operation in operations(answer.json())
        if FRONT_DOOR not in operation["tags"]
    }
    assert set(served(plane)) - described == set()
    beyond = {path for _, path in described - set(served(plane)) if "Authorization" not in path}
    watched = {path.split("/")[-2].lower() for path in beyond}
    assert {f"locations/{name}" for name in watched} == OPERATIONS


def test_everything_that_is_described_is_served(world):
    walked = 0
    for method, path, operation in operations(world.described()):
        if FRONT_DOOR in operation["tags"] or method == "DELETE":
            continue
        answer = world.send(
            method,
            world.path(path),
            params={"api-version": VERSION},
            headers=world.authorized,
        )
        assert answer.status_code != 405, (method, path)
        if answer.status_code == 404 and method != "HEAD":
            assert code(answer) not in UNKNOWN, (method, path, answer.text)
        walked += 1
    assert walked > 80


def code(answer):
    body = answer.json()
    error = body.get("error", body)
    return error.get("innerError", error).get("code")


@pytest.mark.parametrize("token", [{}, {"authorization": "Bearer e30.e30.e30"}])
def test_whatever_is_not_marked_open_wants_a_token(world, token):
    opened = set()
    for method, path, operation in operations(world.described()):
        answer = world.send(
            method, world.path(path), params={"api-version": VERSION}, headers=token
        )
        if not operation["security"]:
            opened.add(path)
        elif FRONT_DOOR not in operation["tags"]:
            assert answer.status_code == 401, (method, path)
    assert opened == PUBLIC


@pytest.mark.parametrize("version", VERSIONS)
def test_the_document_is_sound(world, version):
    document = world.described(version)
    assert document["info"]["version"] == version
    identifiers = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(identifiers) == len(set(identifiers)) > 80
    for reference in references(document):
        found = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert found
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_refusals_are_described_in_the_form_that_they_have(world):
    document = world.described()
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert int(status) in MEANINGS
                assert response["$ref"].endswith(f"Error{status}")


@pytest.mark.parametrize("version", ["2021-03-01-preview", "2021-10-01", "2022-05-01"])
def test_an_example_can_be_put_as_it_stands(world, version):
    answers = list(world.put_examples(version))
    assert len(answers) > 8
    assert {answer.status_code for answer in answers} == {200}, [each.text for each in answers]


def test_properties_are_those_of_the_version(world):
    models = {
        version: world.described(version)["components"]["schemas"]["ModelsVersions.Properties"]
        for version in ("2021-10-01", "2023-10-01")
    }
    assert "modelFormat" in models["2021-10-01"]["properties"]
    assert "modelType" not in models["2021-10-01"]["properties"]
    assert "modelType" in models["2023-10-01"]["properties"]


async def test_a_version_that_is_none_is_refused(plane):
    answer = await plane.client.get("/openapi.json", params={"api-version": "yesterday"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "InvalidApiVersionParameter"
    assert (await plane.client.get("/openapi.json")).json()["info"]["version"] == "2023-10-01"


READ = re.compile(r"(?:asked\.model|read_form)\((\w+)")


def test_the_form_of_a_body_is_the_one_that_is_read(world):
    told = 0
    tables = [(route.handler, route.form) for _, route in world.plane.server.app.services.routes()]
    for kind in world.plane.server.registry.kinds:
        tables += [(action.perform, action.form) for action in kind.actions.values()]
    for handler, form in tables:
        read = READ.findall(inspect.getsource(handler))
        assert read == ([form.__name__] if form else []), handler
        told += bool(read)
    assert told > 20


ASKED = re.compile(r'(?:query\.get|says)\("([^"]+)"')


def test_every_parameter_that_services_read_is_described():
    folder = Path(dataplane.__file__).parent
    read = {name for path in folder.glob("*.py") for name in ASKED.findall(path.read_text())}
    described = {name.lower() for names in QUERIES.values() for name in names}
    assert read - {"token"} == described
