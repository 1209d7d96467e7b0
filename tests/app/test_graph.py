"""Applications, service principals, secrets and signing keys over Graph."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from lazulite.identity.roles import OWNER, READER

SHARED = {"passwordCredential": {"displayName": "ci"}}


async def test_an_application_becomes_a_principal_that_signs_in(plane):
    app = (await plane.graph("POST", "/applications", {"displayName": "ci"})).json()
    made = await plane.graph("POST", "/servicePrincipals", {"appId": app["appId"]})
    answer = await plane.graph("POST", f"/applications/{app['id']}/addPassword", SHARED)

    assert made.status_code == 201
    assert made.json()["appId"] == app["appId"]
    secret = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert secret["hint"] == secret["secretText"][:3]
    token = await plane.token(
        {"client_id": app["appId"].upper(), "client_secret": secret["secretText"]}
    )
    refused = await plane.call("GET", "", headers={"authorization": f"Bearer {token}"})
    assert refused.status_code == 403  # known, but without a role
    assert made.json()["id"] in refused.json()["error"]["message"]


async def test_a_secret_is_shown_once(plane):
    _, client = await plane.colleague()
    for path in ("/applications", "/servicePrincipals"):
        for answer in (
            await plane.graph("GET", path),
            await plane.graph("GET", path, **{"$filter": f"appId eq '{client['client_id']}'"}),
        ):
            assert answer.json()["value"]
            assert client["client_secret"] not in answer.text


async def test_removing_a_secret_voids_it_and_its_tokens_and_no_other(plane):
    object_id, client = await plane.colleague()
    await plane.assign(object_id, READER, plane.workspace)
    wanted = f"appId eq '{client['client_id']}'"
    (app,) = (await plane.graph("GET", "/applications", **{"$filter": wanted})).json()["value"]
    path = f"/applications/{app['id']}"
    second = (await plane.graph("POST", f"{path}/addPassword", {})).json()
    other = client | {"client_secret": second["secretText"]}
    old, new = await plane.token(client), await plane.token(other)
    (first,) = app["passwordCredentials"]

    removed = await plane.graph("POST", f"{path}/removePassword", {"keyId": first["keyId"]})

    assert removed.status_code == 204
    for token, status in ((old, 401), (new, 200)):
        answer = await plane.call("GET", "", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == status
    with pytest.raises(KeyError):
        await plane.token(client)
    again = await plane.graph("POST", f"{path}/removePassword", {"keyId": first["keyId"]})
    assert (again.status_code, again.json()["error"]["code"]) == (400, "Request_BadRequest")


@pytest.mark.parametrize("what", ["applications", "servicePrincipals"])
async def test_who_is_deleted_is_refused_at_once_and_loses_all_roles(plane, what):
    object_id, client = await plane.colleague()
    await plane.assign(object_id, READER, plane.workspace)
    sent = {"headers": {"authorization": f"Bearer {await plane.token(client)}"}}
    assert (await plane.call("GET", "", **sent)).status_code == 200
    found = await plane.graph("GET", f"/{what}", **{"$filter": "displayName eq 'colleague'"})

    deleted = await plane.graph("DELETE", f"/{what}/{found.json()['value'][0]['id']}")

    assert deleted.status_code == 204
    assert (await plane.call("GET", "", **sent)).status_code == 401
    path = f"{plane.workspace}/providers/Microsoft.Authorization/roleAssignments"
    left = await plane.call("GET", path, **{"$filter": f"principalId eq '{object_id}'"})
    assert left.json()["value"] == []


async def test_the_last_owner_cannot_be_deleted(plane):
    (admin,) = (await plane.graph("GET", "/servicePrincipals")).json()["value"]
    answer = await plane.graph("DELETE", f"/servicePrincipals/{admin['id']}")
    assert answer.status_code == 409
    assert (await plane.call("GET", "")).status_code == 200


async def test_an_owner_of_a_workspace_is_nobody_in_the_directory(plane):
    object_id, client = await plane.colleague()
    await plane.assign(object_id, OWNER, plane.workspace)
    bearer = await plane.token(client, "https://graph.microsoft.com")

    for method, path in (
        ("GET", "/applications"),
        ("POST", "/applications"),
        ("POST", f"/applications/{uuid.uuid4()}/addPassword"),
        ("POST", "/tokenSigningKeys"),
    ):
        answer = await plane.graph(method, path, {}, bearer=bearer)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (403, "Authorization_RequestDenied")
        assert set(error["innerError"]) == {"date", "request-id", "client-request-id"}


async def test_lists_are_filtered_as_az_does(plane):
    await plane.colleague("it's one")
    _, two = await plane.colleague("another")
    app_id = two["client_id"]
    for text, names in {
        "displayName eq 'it''s one'": {"it's one"},
        "startswith(displayName,'IT')": {"it's one"},
        f"appId eq '{app_id}'": {"another"},
        f"servicePrincipalNames/any(c:c eq '{app_id}')": {"another"},
        "displayName eq 'nobody'": set(),
    }.items():
        found = await plane.graph("GET", "/servicePrincipals", **{"$filter": text})
        assert {item["displayName"] for item in found.json()["value"]} == names, text
    wrong = await plane.graph("GET", "/applications", **{"$filter": "displayName ne 'x'"})
    assert wrong.status_code == 400


async def test_objects_are_found_by_their_ids(plane):
    object_id, _ = await plane.colleague()
    found = await plane.graph(
        "POST", "/directoryObjects/getByIds", {"ids": [object_id, str(uuid.uuid4())]}
    )
    assert [item["id"] for item in found.json()["value"]] == [object_id]
    shown = await plane.graph("GET", f"/servicePrincipals/{object_id.upper()}")
    assert shown.json() == found.json()["value"][0]
    missing = await plane.graph("GET", f"/servicePrincipals/{uuid.uuid4()}")
    assert missing.json()["error"]["code"] == "Request_ResourceNotFound"


async def test_a_new_name_is_the_principals_too(plane):
    object_id, _ = await plane.colleague("before")
    found = await plane.graph("GET", "/applications", **{"$filter": "displayName eq 'before'"})
    path = f"/applications/{found.json()['value'][0]['id']}"
    assert (await plane.graph("PATCH", path, {"displayName": "after"})).status_code == 204
    shown = await plane.graph("GET", f"/servicePrincipals/{object_id}")
    assert shown.json()["displayName"] == "after"


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/applications", {}, "displayName"),
        ("/applications", {"displayName": ""}, "displayName"),
        ("/applications", {"displayName": "x" * 257}, "256"),
        ("/applications", {"displayName": "a\x1b[2Jb"}, "shown"),
        ("/applications", [1], "object"),
        ("/servicePrincipals", {}, "appId"),
        ("/servicePrincipals", {"appId": "nothing"}, "nothing"),
        ("/directoryObjects/getByIds", {"ids": "x"}, "ids"),
    ],
)
async def test_faulty_requests_are_refused_with_what_is_wrong(plane, path, body, said):
    answer = await plane.graph("POST", path, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Request_BadRequest")
    assert said in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "asked",
    [
        {"endDateTime": "yesterday"},
        {"endDateTime": 7},
        {"endDateTime": "2001-01-01T00:00:00Z"},
        {"endDateTime": "9999-01-01T00:00:00Z"},
        {"startDateTime": "2090-01-01T00:00:00Z", "endDateTime": "2080-01-01T00:00:00Z"},
        {"displayName": 7},
        {"displayName": "device code"},
        [],
    ],
)
async def test_a_secret_with_impossible_times_is_not_made(plane, asked):
    await plane.colleague()
    (app,) = (
        await plane.graph("GET", "/applications", **{"$filter": "displayName eq 'colleague'"})
    ).json()["value"]
    path = f"/applications/{app['id']}"
    answer = await plane.graph("POST", f"{path}/addPassword", {"passwordCredential": asked or [1]})
    assert answer.status_code == 400
    assert len((await plane.graph("GET", path)).json()["passwordCredentials"]) == 1


async def test_an_application_has_a_limited_number_of_secrets(plane):
    app = (await plane.graph("POST", "/applications", {"displayName": "many"})).json()
    path = f"/applications/{app['id']}/addPassword"
    answers = await asyncio.gather(*(plane.graph("POST", path, {}) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 8 + [400] * 2


async def test_ends_of_secrets_are_kept_as_asked(plane):
    app = (await plane.graph("POST", "/applications", {"displayName": "short"})).json()
    end = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    asked = {"passwordCredential": {"endDateTime": end.isoformat()}}
    made = await plane.graph("POST", f"/applications/{app['id']}/addPassword", asked)
    assert made.json()["endDateTime"] == end.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_rotation_keeps_old_tokens_good_and_signs_new_ones_with_the_new_key(plane):
    old = plane.bearer
    before = (await plane.client.get("/common/discovery/v2.0/keys")).json()["keys"]

    rotated = await plane.graph("POST", "/tokenSigningKeys", {})

    assert rotated.status_code == 201
    listed = rotated.json()["value"]
    assert [each["signs"] for each in listed] == [True, False]
    after = (await plane.client.get("/common/discovery/v2.0/keys")).json()["keys"]
    assert [key["kid"] for key in after] == [each["kid"] for each in listed]
    assert after[1] == before[0]
    new = await plane.token(plane.credentials)
    assert new.split(".")[0] != old.split(".")[0]
    for token in (old, new):
        sent = {"authorization": f"Bearer {token}"}
        assert (await plane.call("GET", "", headers=sent)).status_code == 200
    assert (await plane.graph("GET", "/tokenSigningKeys")).json()["value"] == listed
