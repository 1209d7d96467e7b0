"""The table of routes: who is let in, what is found, and how a refusal looks."""

import asyncio
import contextlib
import dataclasses
import re

import pytest
from pydantic import BaseModel
from starlette.responses import JSONResponse

from lazulite.arm.turns import Turns
from lazulite.dataplane.continuation import next_link, page
from lazulite.dataplane.refusals import hyperdrive_error, model_error, user_error
from lazulite.dataplane.services import Service, ServiceRoute, Services
from lazulite.identity.roles import COMPUTE_OPERATOR, DATA_SCIENTIST, OWNER, READER
from tests.dataplane.requests import ask, in_role, only, token_for


class Letter(BaseModel):
    text: str
    copies: int = 1


async def echo(asked):
    return JSONResponse({"names": asked.names, "query": asked.query})


async def read(asked):
    letter = await asked.model(Letter)
    return JSONResponse({"text": letter.text, "copies": letter.copies})


async def numbers(asked):
    shown = page(range(5), lambda n: f"{n}", token=asked.query.get("token"), size="2")
    return JSONResponse({"value": shown.items, "next": next_link(asked, "token", shown.token)})


def letters(refusal=user_error):
    return Service(
        name="letters",
        version="v1.0",
        routes=(
            ServiceRoute("GET", "letters", "models/read", numbers),
            ServiceRoute("GET", "letters/{id}", "models/read", echo),
            ServiceRoute("GET", "letters/{id}/lines/{line:path}", "models/read", echo),
            ServiceRoute("POST", "letters:read", "models/read", read),
        ),
        refusal=refusal,
    )


@pytest.fixture
async def post(plane):
    """Asks a server that has the letters only, below the workspace unless a whole path is given."""
    async with having(letters(), plane) as send:
        yield send


@contextlib.asynccontextmanager
async def having(service, plane, most=0):
    guard = plane.server.app.services.guard
    services = Services((service,), plane.base.resources, guard, Turns(most))
    prefix = f"{service.prefix}{plane.workspace}/"
    async with only(services, plane) as client:
        there = dataclasses.replace(plane, client=client)

        async def send(method, path, *rest, **given):
            path = path if path.startswith(("/", "https:")) else prefix + path
            return await ask(there, method, path, *rest, **given)

        yield send


async def test_literal_parts_are_read_in_any_case_and_names_are_kept(post):
    for spelled in ("letters/A%20b", "LETTERS/A%20b/"):
        answer = await post("GET", spelled, **{"$Top": "3"})
        assert answer.json() == {"names": {"id": "A b"}, "query": {"$top": "3"}}


async def test_a_path_name_takes_slashes(post):
    answer = await post("GET", "letters/x/lines/a/b.txt")
    assert answer.json()["names"] == {"id": "x", "line": "a/b.txt"}


async def test_any_api_version_or_none_is_accepted(post):
    for query in ({}, {"api-version": "2019-11-01"}, {"api-version": "v1.0"}):
        assert (await post("GET", "letters/x", **query)).status_code == 200


async def test_the_scope_may_be_spelled_in_any_case(post, plane):
    path = "/Letters/V1.0/" + plane.workspace.replace("resourceGroups", "resourcegroups")
    assert (await post("GET", f"{path.upper()}/letters/x")).status_code == 200


async def test_a_token_for_ml_is_as_good(post, plane):
    token = await token_for(plane, "https://ml.azure.com")
    assert (await post("GET", "letters/x", token=token)).status_code == 200
    token = await token_for(plane, "https://storage.azure.com")
    assert (await post("GET", "letters/x", token=token)).status_code == 401


async def test_without_a_token_nothing_is_told(post):
    for method, path in (("GET", "letters/x"), ("GET", "nothing"), ("PUT", "letters")):
        answer = await post(method, path, token=None)
        assert answer.status_code == 401
        assert answer.json()["error"]["innerError"]["code"] == "AuthenticationFailed"
        assert "authorization_uri" in answer.headers["www-authenticate"]


async def test_an_error_of_most_services_has_their_envelope(post):
    sent = {"x-ms-correlation-request-id": "c-1"}
    answer = await post("GET", "nothing", headers=sent)
    body = answer.json()
    assert answer.status_code == 404
    assert body["error"]["code"] == "UserError"
    assert body["error"]["innerError"] == {"code": "NotFound", "innerError": None}
    assert body["correlation"]["operation"] == "c-1"
    assert body["correlation"]["request"] == answer.headers["x-ms-request-id"]
    assert body.keys() >= {"environment", "location", "time"}


async def test_a_wrong_method_says_which_are_right(post):
    answer = await post("DELETE", "letters/x")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


async def test_an_unknown_workspace_is_not_found(post, plane):
    answer = await post("GET", f"/letters/v1.0{plane.workspace}x/letters/x")
    assert answer.status_code == 404
    assert "main" in answer.json()["error"]["message"]


async def test_a_body_is_read_leniently_and_refused_with_the_fault(post):
    body = b'\xef\xbb\xbf{"Text": "a\nb", "COPIES": "2",}'
    assert (await post("POST", "letters:read", body)).json() == {"text": "a\nb", "copies": 2}
    answer = await post("POST", "letters:read", b'{"copies": "many"}')
    assert answer.status_code == 400
    assert {fault["target"] for fault in answer.json()["error"]["details"]} == {"text", "copies"}
    assert (await post("POST", "letters:read", b"[1]")).status_code == 400


async def test_pages_follow_each_other_and_keep_the_query(post):
    shown, link = [], "letters?colour=red"
    while link:
        body = (await post("GET", link)).json()
        shown, link = shown + body["value"], body["next"]
        assert link is None or "colour=red" in link
    assert shown == [0, 1, 2, 3, 4]
    assert (await post("GET", "letters?token=%F0%28")).status_code == 400


async def test_other_services_have_their_own_form(plane):
    forms = {
        model_error: {"code": "NotFound", "statusCode": 404, "details": []},
        hyperdrive_error: {"code": 404},
    }
    for refusal, expected in forms.items():
        async with having(letters(refusal), plane) as send:
            body = (await send("GET", "nothing")).json()
        assert expected.items() <= body.items()
        assert body["message"]


async def test_computes_answer_under_the_prefix_that_azureml_core_uses(plane):
    path = f"/rp/workspaces{plane.workspace}/computes"
    answer = await ask(plane, "GET", path, **{"api-version": "2020-02-02"})
    assert answer.json()["value"] == []


async def test_any_arm_path_answers_under_the_management_front_end(plane):
    for path in (plane.workspace, f"{plane.workspace}/models", "/subscriptions"):
        prefixed = f"/mferp/managementfrontend{path}"
        answer = await ask(plane, "GET", prefixed, **{"api-version": "2021-10-01"})
        assert answer.json() == (await plane.call("GET", path)).json()
    assert (await plane.client.get(prefixed)).status_code == 401


async def test_the_jobs_of_a_batch_endpoint_that_is_not_there_are_an_arm_error(plane):
    path = f"/mferp/managementfrontend{plane.workspace}/batchEndpoints/e/jobs"
    answer = await ask(plane, "GET", path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "ResourceNotFound")


async def test_every_route_of_every_service_needs_a_token(plane):
    for service, route in plane.server.app.services.routes():
        path = f"{service.prefix}{plane.workspace}/{a_path(route)}"
        answer = await ask(plane, route.method, path, token=None)
        assert answer.status_code == 401, (route.method, path)


def a_path(route):
    return re.sub(r"\{\w+(:path)?\}", "x", route.path)


ROLES = {
    OWNER: lambda permission: True,
    READER: lambda permission: permission.endswith("/read"),
    DATA_SCIENTIST: lambda permission: True,
    COMPUTE_OPERATOR: lambda permission: False,
}


async def test_every_route_asks_for_its_permission(plane):
    for role, allowed in ROLES.items():
        async with in_role(plane, role) as there:
            for service, route in plane.server.app.services.routes():
                path = f"{service.prefix}{plane.workspace}/{a_path(route)}"
                answer = await ask(there, route.method, path)
                may = allowed(route.permission)
                assert (answer.status_code != 403) == may, (role.name, route, answer.text)


async def test_a_caller_has_so_many_turns_at_services_too(plane):
    entered, leave = asyncio.Event(), asyncio.Event()

    async def wait(asked):
        entered.set()
        await leave.wait()
        return JSONResponse({})

    routes = (ServiceRoute("GET", "waiting", "models/read", wait),)
    service = Service(name="slow", version="v1.0", routes=routes)
    async with having(service, plane, most=1) as send:
        first = asyncio.create_task(send("GET", "waiting"))
        await entered.wait()
        refused = await send("GET", "waiting")
        leave.set()
        assert (refused.status_code, (await first).status_code) == (429, 200)
