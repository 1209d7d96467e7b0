"""Connections: their forms, and that nobody reads a secret who may not."""

import pytest

B, D = "2021-10-01", "2023-10-01"
FEED = {"category": "PythonFeed", "target": "https://feed.example", "authType": "PAT"}
WITH = {**FEED, "credentials": {"pat": "s3cret"}}


async def put(plane, properties, api=D):
    return await plane.call("PUT", "/connections/c", {"properties": properties}, api=api)


async def secrets(plane):
    answer = await plane.call("POST", "/connections/c/listsecrets", api="2024-04-01-preview")
    return answer.json()["properties"]


async def test_credentials_are_shown_by_listsecrets_only(plane):
    made = await put(plane, WITH)
    assert made.status_code == 200
    got = await plane.call("GET", "/connections/c", api=D)
    listed = await plane.call("GET", "/connections", api=D)
    assert not any("s3cret" in answer.text for answer in (made, got, listed))
    assert got.json()["properties"]["credentials"] is None
    assert (await secrets(plane))["credentials"] == {"pat": "s3cret"}
    row = await plane.base.resources.find(f"{plane.workspace}/connections/c")
    assert "s3cret" not in str(row)


async def test_the_value_of_older_versions_is_a_secret_too(plane):
    made = await put(plane, {**FEED, "value": '{"pat": "s3cret"}', "valueFormat": "json"}, B)
    assert (made.status_code, "s3cret" in made.text) == (200, False)
    assert "credentials" not in made.json()["properties"]
    found = await secrets(plane)
    assert (found["value"], found["valueFormat"]) == ('{"pat": "s3cret"}', "JSON")


async def test_a_put_without_credentials_keeps_them(plane):
    await put(plane, WITH)
    row = await plane.base.resources.find(f"{plane.workspace}/connections/c")
    await put(plane, WITH)
    assert await plane.base.resources.find(row.id) == row
    await put(plane, {**FEED, "target": "https://other.example"})
    found = await secrets(plane)
    assert (found["target"], found["credentials"]) == ("https://other.example", {"pat": "s3cret"})


async def test_another_way_in_forgets_the_credentials_of_the_first(plane):
    await put(plane, WITH)
    await put(plane, {**FEED, "authType": "None"})
    assert "s3cret" not in str(await secrets(plane))
    refused = await put(plane, FEED)
    assert refused.status_code == 400


@pytest.mark.parametrize(
    ("auth_type", "credentials"),
    [
        ("UsernamePassword", {"username": "u", "password": "p"}),
        ("SAS", {"sas": "sv=1"}),
        ("AccessKey", {"accessKeyId": "a", "secretAccessKey": "b"}),
        ("ServicePrincipal", {"clientId": "a", "clientSecret": "b", "tenantId": "c"}),
        ("ApiKey", {"key": "k"}),
        ("CustomKeys", {"keys": {"one": "1"}}),
    ],
)
async def test_every_kind_of_credentials_is_kept(plane, auth_type, credentials):
    shouted = {name.upper(): value for name, value in credentials.items()}
    made = await put(plane, {"authType": auth_type.lower(), "credentials": shouted})
    assert (made.status_code, made.json()["properties"]["authType"]) == (200, auth_type)
    assert (await secrets(plane))["credentials"] == credentials


async def test_an_identity_is_no_secret(plane):
    identity = {"clientId": "a", "resourceId": "b"}
    made = await put(plane, {"authType": "ManagedIdentity", "credentials": identity})
    assert made.json()["properties"]["credentials"] == identity


@pytest.mark.parametrize("given", [{"authType": "Handshake"}, {}, FEED])
async def test_a_connection_without_a_way_in_is_refused(plane, given):
    assert (await put(plane, given)).status_code == 400
    assert (await plane.call("GET", "/connections/c", api=D)).status_code == 404
