"""What the Azure CLI sends, command by command, and the fields that it reads.

Recorded from azure-cli 2.91; the CLI itself runs nightly (tests/clients/test_az.py).
"""

import json
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

GROUPS = "2024-11-01"
STORAGE = "2025-08-01"
URL = "https://localhost:8443"


@pytest.fixture
def subscription(plane):
    return plane.workspace.partition("/resourceGroups/")[0]


async def test_cloud_register_reads_one_object(plane):
    answer = await plane.client.get("/metadata/endpoints", params={"api-version": "2022-09-01"})
    found = answer.json()
    assert (found["name"], found["resourceManager"]) == ("Lazulite", URL)
    assert found["authentication"]["audiences"][0] == URL
    assert found["authentication"]["loginEndpoint"] == URL
    older = await plane.client.get("/metadata/endpoints", params={"api-version": "2019-05-01"})
    assert older.json() == [found]


async def test_login_finds_the_tenant_its_token_and_its_subscriptions(plane, subscription):
    told = (await plane.client.get("/adfs/.well-known/openid-configuration")).json()
    tenant = told["issuer"].removeprefix(f"{URL}/").rstrip("/")  # az takes the id out of it
    found = (await plane.client.get(f"/{tenant}/v2.0/.well-known/openid-configuration")).json()
    form = {
        **plane.credentials,
        "grant_type": "client_credentials",
        "client_info": "1",
        "scope": f"{URL}/.default",
        "claims": json.dumps({"access_token": {"xms_cc": {"values": ["CP1"]}}}),
    }
    token = (await plane.client.post(found["token_endpoint"], data=form)).json()
    assert token["token_type"] == "Bearer"
    plane.bearer = token["access_token"]
    listed = (await plane.call("GET", "/subscriptions", api="2022-12-01")).json()["value"]
    assert [each["id"] for each in listed] == [subscription]
    assert (listed[0]["tenantId"], listed[0]["state"]) == (tenant, "Enabled")


async def test_group_commands(plane, subscription):
    group = f"{subscription}/resourcegroups/by-az"
    body = {"location": "local", "tags": {"a": "b"}}
    assert (await plane.call("HEAD", group, api=GROUPS)).status_code == 404
    made = await plane.call("PUT", group, body, api=GROUPS)
    assert made.json()["properties"] == {"provisioningState": "Succeeded"}
    assert (await plane.call("HEAD", group, api=GROUPS)).status_code == 204
    tagged = {"$filter": "tagname eq 'a' and tagvalue eq 'b'"}
    listed = await plane.call("GET", f"{subscription}/resourcegroups", api=GROUPS, **tagged)
    assert [each["name"] for each in listed.json()["value"]] == ["by-az"]
    assert (await plane.call("DELETE", group, api=GROUPS)).status_code in {200, 202, 204}


async def test_storage_account_commands(plane, subscription):
    name = {"name": "byaz", "type": "Microsoft.Storage/storageAccounts"}
    check = f"{subscription}/providers/Microsoft.Storage/checkNameAvailability"
    assert (await plane.call("POST", check, name, api=STORAGE)).json() == {"nameAvailable": True}
    account = (
        f"{subscription}/resourceGroups/local/providers/Microsoft.Storage/storageAccounts/byaz"
    )
    body = {
        "sku": {"name": "Standard_LRS"},
        "kind": "StorageV2",
        "location": "local",
        "properties": {"encryption": {"keySource": "Microsoft.Storage", "services": {"blob": {}}}},
    }
    made = await plane.call("PUT", account, body, api=STORAGE)
    assert (made.status_code, made.json()["properties"]["provisioningState"]) == (200, "Succeeded")
    keys = await plane.call("POST", f"{account}/listKeys", api=STORAGE, **{"$expand": "kerb"})
    assert [key["keyName"] for key in keys.json()["keys"]] == ["key1", "key2"]
    shown = (await plane.call("GET", account, api=STORAGE)).json()
    assert shown["properties"]["primaryEndpoints"] == {"blob": f"{URL}/byaz/"}
    change = {
        "sku": {"name": "Standard_LRS"},
        "tags": {"x": "y"},
        "properties": {**body["properties"], "accessTier": "Hot", "supportsHttpsTrafficOnly": True},
    }
    changed = await plane.call("PATCH", account, change, api=STORAGE)
    assert changed.json()["tags"] == {"x": "y"}
    renewed = await plane.call("POST", f"{account}/regenerateKey", {"keyName": "key1"}, api=STORAGE)
    assert renewed.json()["keys"][0]["value"] != keys.json()["keys"][0]["value"]
    assert (await plane.call("DELETE", account, api=STORAGE)).status_code == 200


async def test_resource_and_provider_commands(plane, subscription):
    provider = f"{subscription}/providers/Microsoft.MachineLearningServices"
    known = (await plane.call("GET", provider, api=GROUPS)).json()
    assert known["registrationState"] == "Registered"
    (workspaces,) = [one for one in known["resourceTypes"] if one["resourceType"] == "workspaces"]
    version = next(each for each in workspaces["apiVersions"] if "preview" not in each)
    shown = await plane.call("GET", plane.workspace, api=version)
    assert shown.json()["id"] == plane.workspace
    asked = {
        "$filter": "resourceType eq 'Microsoft.MachineLearningServices/workspaces'",
        "$expand": "createdTime,changedTime,provisioningState",
    }
    listed = await plane.call("GET", f"{subscription}/resources", api=GROUPS, **asked)
    assert [each["id"] for each in listed.json()["value"]] == [plane.workspace]


@pytest.mark.parametrize("host", ["path", "blob.core.localhost:8443"])
async def test_blob_commands_with_a_login(plane, subscription, host):
    """By --blob-endpoint, and by --account-name with the suffix that `az-register` sets."""
    accounts = f"{subscription}/resourceGroups/local/providers/Microsoft.Storage/storageAccounts"
    await plane.call("PUT", f"{accounts}/byaz", {"location": "local"}, api=STORAGE)
    base = f"{URL}/byaz" if host == "path" else f"https://byaz.{host}"
    token = await plane.token(plane.credentials, "https://storage.azure.com")
    sent = {"authorization": f"Bearer {token}", "x-ms-version": "2026-04-06"}

    async def ask(method, path, status, content=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await plane.client.request(
            method, f"{base}/{path}", headers=sent | named, content=content
        )
        assert answer.status_code == status, answer.text
        return answer

    await ask("PUT", "files?restype=container", 201)
    await ask("PUT", "files/a.txt", 201, b"one", x_ms_blob_type="BlockBlob")
    listed = await ask("GET", "files?restype=container&comp=list&maxresults=5000", 200)
    names = [each.text for each in ElementTree.fromstring(listed.text).iter("Name")]
    assert names == ["a.txt"]
    found = await ask("GET", "files/a.txt", 206, x_ms_range="bytes=0-33554431")
    assert (found.content, found.headers["content-range"]) == (b"one", "bytes 0-2/3")
    copied = {"x_ms_copy_source": f"{base}/files/a.txt"}
    await ask("PUT", "files/b.txt", 202, **copied)
    until = datetime.now(UTC) + timedelta(days=1)
    span = f"<KeyInfo><Expiry>{until:%Y-%m-%dT%H:%M:%SZ}</Expiry></KeyInfo>"
    key = await ask("POST", "?restype=service&comp=userdelegationkey", 200, span)
    assert "<SignedTid>" in key.text
    await ask("DELETE", "files/a.txt", 202)
