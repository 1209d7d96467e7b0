"""datastore/v1.0: the datastores of ARM, seen and written through the older service."""

import pytest

from lazulite.identity.roles import READER
from tests.dataplane.requests import ask, in_role

KEY = "a2V5a2V5a2V5"
STORE = {
    "name": "mine",
    "dataStoreType": "AzureBlob",
    "tags": {"a": "b"},
    "azureStorageSection": {
        "accountName": "acct",
        "containerName": "things",
        "endpoint": "core.local",
        "protocol": "https",
        "credentialType": "AccountKey",
        "credential": KEY,
    },
}


@pytest.fixture
def stores(plane):
    async def send(method, where="datastores", /, *rest, **given):
        path = f"/datastore/v1.0{plane.workspace}/{where}"
        return await ask(plane, method, path, *rest, **given)

    return send


def with_section(**section):
    return {**STORE, "azureStorageSection": {**STORE["azureStorageSection"], **section}}


async def test_the_default_is_the_one_that_azureml_core_opens(stores, plane):
    shown = (await stores("GET", "default")).json()
    assert (shown["name"], shown["dataStoreType"]) == ("workspaceblobstore", "AzureBlob")
    section = shown["azureStorageSection"]
    assert section["containerName"] == "azureml-blobstore"
    assert (section["credentialType"], section["isSas"]) == ("AccountKey", False)
    assert section["credential"] == section["accountKey"]
    secrets = await plane.call("POST", "/datastores/workspaceblobstore/listSecrets")
    assert section["accountKey"] == secrets.json()["key"]
    assert section["resourceGroup"] == "local"
    assert f"/subscriptions/{section['subscriptionId']}/" in plane.workspace


async def test_a_datastore_made_here_is_one_of_arm(stores, plane):
    assert (await stores("POST", "datastores", STORE)).content == b""
    shown = (await plane.call("GET", "/datastores/mine")).json()["properties"]
    assert shown["containerName"] == "things"
    assert shown["credentials"] == {"credentialsType": "AccountKey"}
    read = (await stores("GET", "datastores/MINE")).json()
    assert read["tags"] == {"a": "b"}
    assert read["azureStorageSection"]["accountKey"] == KEY
    assert read["azureStorageSection"]["accountName"] == shown["accountName"]


async def test_a_datastore_made_in_arm_is_one_of_these(stores, plane):
    credentials = {"credentialsType": "Sas", "secrets": {"secretsType": "Sas", "sasToken": "sv=1"}}
    await plane.put(
        "/datastores/arm",
        {
            "datastoreType": "AzureBlob",
            "accountName": "acct",
            "containerName": "c",
            "credentials": credentials,
        },
    )
    section = (await stores("GET", "datastores/arm")).json()["azureStorageSection"]
    assert (section["credentialType"], section["isSas"]) == ("Sas", True)
    assert (section["sasToken"], section["credential"]) == ("sv=1", "sv=1")
    assert section["accountKey"] is None


async def test_lists_have_names_pages_and_secrets_only_if_asked(stores, plane):
    everything = (await stores("GET")).json()
    names = [store["name"] for store in everything["value"]]
    assert names == ["workspaceartifactstore", "workspaceblobstore", "workspacefilestore"]
    assert {s["azureStorageSection"]["credential"] for s in everything["value"]} == {None}
    some = (await stores("GET", dataStoreNames="workspaceblobstore,none")).json()["value"]
    assert [store["name"] for store in some] == ["workspaceblobstore"]
    open_ = (await stores("GET", includeSecret="true")).json()["value"]
    assert all(store["azureStorageSection"]["credential"] for store in open_)
    first = (await stores("GET", count="2")).json()
    assert len(first["value"]) == 2
    rest = (await ask(plane, "GET", first["nextLink"])).json()
    assert [store["name"] for store in rest["value"]] == ["workspacefilestore"]
    assert (rest["nextLink"], rest["continuationToken"]) == (None, None)


async def test_a_reader_sees_no_secrets(plane):
    base = f"/datastore/v1.0{plane.workspace}"
    async with in_role(plane, READER) as there:
        for path in ("default", "datastores/workspaceblobstore"):
            store = (await ask(there, "GET", f"{base}/{path}")).json()
            section = store["azureStorageSection"]
            assert (section["credential"], section["accountKey"]) == (None, None)
        listed = (await ask(there, "GET", f"{base}/datastores", includeSecret="true")).json()
        stores = listed["value"]
        assert {store["azureStorageSection"]["credential"] for store in stores} == {None}


async def test_a_datastore_that_is_there_is_made_again_only_if_that_is_meant(stores):
    await stores("POST", "datastores", STORE)
    other = with_section(containerName="other")
    assert (await stores("POST", "datastores", other)).status_code == 409
    again = await stores("POST", "datastores", other, createIfNotExists="true")
    assert again.status_code == 200
    shown = (await stores("GET", "datastores/mine")).json()["azureStorageSection"]
    assert shown["containerName"] == "things"


async def test_an_update_changes_what_is_there(stores):
    assert (await stores("PUT", "datastores/mine", STORE)).status_code == 404
    made = await stores("PUT", "datastores/mine", STORE, createIfNotExists="true")
    assert made.status_code == 200
    token = with_section(credentialType=None, credential=None, sasToken="sv=2")
    assert (await stores("PUT", "datastores/mine", token)).status_code == 200
    shown = (await stores("GET", "datastores/mine")).json()["azureStorageSection"]
    assert (shown["credentialType"], shown["sasToken"]) == ("Sas", "sv=2")


async def test_the_default_moves(stores, plane):
    await stores("POST", "datastores", STORE)
    for _ in range(2):
        assert (await stores("PUT", "default/mine")).status_code == 200
    assert (await stores("GET", "default")).json()["name"] == "mine"
    marked = (await plane.call("GET", "/datastores", isDefault="true")).json()["value"]
    assert [store["name"] for store in marked] == ["mine"]
    await stores("PUT", "datastores/mine", STORE)
    assert (await stores("GET", "default")).json()["name"] == "mine"
    assert (await stores("PUT", "default/none")).status_code == 404
    await stores("PUT", "default/workspaceblobstore")
    assert (await stores("GET", "default")).json()["name"] == "workspaceblobstore"


async def test_a_deleted_datastore_is_gone(stores, plane):
    await stores("POST", "datastores", STORE)
    codes = [(await stores("DELETE", "datastores/mine")).status_code for _ in range(2)]
    assert codes == [200, 204]
    assert (await plane.call("GET", "/datastores/mine")).status_code == 404
    answer = await stores("GET", "datastores/mine")
    assert answer.json()["error"]["innerError"]["code"] == "DatastoreNotFound"
    assert (await stores("DELETE")).status_code == 501


async def test_what_cannot_be_a_datastore_is_refused_by_name(stores):
    cases = [
        ({**STORE, "name": None}, 400, "name"),
        ({**STORE, "name": "a/b"}, 400, "a/b"),
        ({**STORE, "azureStorageSection": None}, 400, "azureStorageSection"),
        (with_section(credential=None), 400, "accountKey"),
        (with_section(credentialType="Magic"), 400, "Magic"),
        (with_section(credentialType="ClientCredentials"), 400, "clientCredentials"),
        ({**STORE, "dataStoreType": "DBFS"}, 501, "DBFS"),
        ({"name": "x"}, 400, "dataStoreType"),
    ]
    for body, status, named in cases:
        answer = await stores("POST", "datastores", body)
        assert answer.status_code == status, body
        assert named in answer.json()["error"]["message"]
    assert len((await stores("GET")).json()["value"]) == 3
