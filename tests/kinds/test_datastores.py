"""Datastores of all types, in all api-versions."""

import pytest

from lazulite.blobs.accounts import find_account
from lazulite.core.errors import SpecError
from lazulite.datastores.folders import LocalFolders
from lazulite.datastores.reading import Readers
from tests.kinds.refusals import refused

OLD = "2021-03-01-preview"
KEY = {"secretsType": "AccountKey", "key": "a2V5"}
ELSEWHERE = {"accountName": "contoso", "endpoint": "core.windows.net", "protocol": "https"}
APP = {"clientId": "c-1", "tenantId": "t-1", "authorityUrl": "https://login", "resourceUrl": "r"}
PLACES = {
    "AzureBlob": {**ELSEWHERE, "containerName": "c"},
    "AzureFile": {**ELSEWHERE, "fileShareName": "s"},
    "AzureDataLakeGen1": {"storeName": "lake"},
    "AzureDataLakeGen2": {**ELSEWHERE, "filesystem": "f"},
    "Hdfs": {"nameNodeAddress": "hdfs:9000", "protocol": "http", "hdfsServerCertificate": None},
    "OneLake": {
        "artifact": {"artifactType": "LakeHouse", "artifactName": "a"},
        "oneLakeWorkspaceName": "w",
        "endpoint": "onelake.dfs.fabric.microsoft.com",
    },
    "AzureSqlDatabase": {
        "serverName": "s", "databaseName": "d", "portNumber": 1433, "endpoint": "e",
    },
    "GlusterFs": {"serverAddress": "10.0.0.1", "volumeName": "v"},
}  # fmt: skip
CREDENTIALS = {
    "AccountKey": ({}, {"key": "a2V5"}),
    "Sas": ({}, {"sasToken": "sv=2020&sig=x"}),
    "ServicePrincipal": (APP, {"clientSecret": "hush"}),
    "Certificate": ({**APP, "thumbprint": "ab"}, {"certificate": "PEM-hush"}),
    "SqlAdmin": ({"userId": "sa"}, {"password": "hush"}),
    "KerberosPassword": (
        {"kerberosKdcAddress": "k", "kerberosPrincipal": "p", "kerberosRealm": "r"},
        {"kerberosPassword": "hush"},
    ),
}
NOBODY = {"credentials": {"credentialsType": "None"}}


async def shown(plane, name, api="2023-10-01"):
    return (await plane.call("GET", f"/datastores/{name}", api=api)).json()["properties"]


async def own_account(plane):
    row = await plane.base.resources.find(plane.workspace)
    return await find_account(plane.base.resources, row.observed["account"])


async def test_every_type_is_kept(plane):
    for kind in PLACES:
        await is_kept(plane, kind)


async def is_kept(plane, kind):
    said = {"datastoreType": kind.lower(), **PLACES[kind], **NOBODY, "description": "mine"}
    made = await plane.put(
        f"/datastores/{kind}", {**said, "tags": {"a": "b"}, "properties": {"p": "q"}}
    )
    assert made.status_code == 201, made.text
    properties = await shown(plane, kind)
    assert properties["datastoreType"] == kind
    assert properties.items() >= PLACES[kind].items()
    assert (properties["tags"], properties["properties"]) == ({"a": "b"}, {"p": "q"})
    assert properties["isDefault"] is False
    assert "provisioningState" not in properties


async def test_every_credential_is_shown_by_list_secrets_only(plane):
    for kind in CREDENTIALS:
        await is_secret(plane, kind)


async def is_secret(plane, kind):
    rest, secrets = CREDENTIALS[kind]
    credentials = {"credentialsType": kind, **rest, "secrets": {"secretsType": kind, **secrets}}
    body = {"datastoreType": "AzureBlob", **PLACES["AzureBlob"], "credentials": credentials}
    made = await plane.put("/datastores/d", body)
    again = await plane.put("/datastores/d", body)
    assert again.headers["etag"] == made.headers["etag"]
    (secret,) = secrets.values()
    assert secret not in made.text + (await plane.call("GET", "/datastores")).text
    assert (
        made.json()["properties"]["credentials"].items()
        >= {
            "credentialsType": kind,
            **rest,
        }.items()
    )
    wanted = {"expirableSecret": True, "expireAfterHours": 1}
    listed = await plane.call("POST", "/datastores/d/listSecrets", wanted, api="2024-10-01-preview")
    assert listed.json() == {"secretsType": kind, **secrets}


async def test_a_secret_stays_until_another_one_is_given(plane):
    body = {"datastoreType": "AzureBlob", **PLACES["AzureBlob"]}
    await plane.put(
        "/datastores/d", {**body, "credentials": {"credentialsType": "AccountKey", "secrets": KEY}}
    )
    without = {**body, "description": "new", "credentials": {"credentialsType": "AccountKey"}}
    assert (await plane.put("/datastores/d", without)).status_code == 200
    assert (await plane.call("POST", "/datastores/d/listSecrets")).json() == KEY
    await plane.put("/datastores/d", {**body, **NOBODY})
    assert "caller's identity" in refused(
        await plane.call("POST", "/datastores/d/listSecrets"), 400
    )


REFUSED = [
    ({"datastoreType": "Floppy"}, "OneLake"),
    ({"datastoreType": "AzureBlob", "accountName": "a", **NOBODY}, "containerName"),
    ({"datastoreType": "AzureBlob", "accountName": "", "containerName": "c"}, "accountName"),
    ({"datastoreType": "AzureDataLakeGen1", **NOBODY}, "storeName"),
    (
        {
            "datastoreType": "AzureBlob",
            **PLACES["AzureBlob"],
            "credentials": {"credentialsType": "Sas"},
        },
        "no secrets",
    ),
    (
        {
            "datastoreType": "AzureBlob",
            **PLACES["AzureBlob"],
            "credentials": {"credentialsType": "Sas", "secrets": KEY},
        },
        "must have sasToken",
    ),
]


async def test_what_is_no_datastore_is_refused(plane):
    for properties, what in REFUSED:
        assert what in refused(await plane.put("/datastores/d", properties), 400)
    assert (await plane.call("GET", "/datastores/d")).status_code == 404


async def test_the_key_of_an_own_account_must_be_right(plane):
    account = await own_account(plane)
    body = {
        "datastoreType": "AzureBlob",
        "accountName": account.name,
        "containerName": "azureml",
        "credentials": {"credentialsType": "AccountKey", "secrets": KEY},
    }
    assert "skipValidation" in refused(await plane.put("/datastores/d", body), 400)
    skipped = await plane.call("PUT", "/datastores/d", {"properties": body}, skipValidation="true")
    assert skipped.status_code == 201
    key = (await plane.call("POST", f"{account.id}/listKeys")).json()["keys"][1]["value"]
    body["credentials"]["secrets"] = {"key": key}
    assert (await plane.put("/datastores/d", body)).status_code == 200
    # The form that clients read carries the origin; they send it back.
    body["accountName"] = (await shown(plane, "d"))["accountName"]
    assert body["accountName"] == f"localhost:8443/{account.name}"
    assert (await plane.put("/datastores/d", body)).status_code == 200


async def test_the_oldest_version_has_contents(plane):
    contents = {
        "ContentsType": "azureFile",
        "accountName": "contoso",
        "containerName": "share",
        "endpoint": "core.windows.net",
        "protocol": "https",
        "credentials": {
            "credentialsType": "ServicePrincipal",
            "clientId": "c",
            "tenantId": "t",
            "resourceUri": "https://storage.azure.com",
            "secrets": {"secretsType": "ServicePrincipal", "clientSecret": "hush"},
        },
    }
    info = {"origin": "Synapse", "linkedId": "l", "linkedResourceName": "n"}
    body = {"properties": {"Contents": contents, "tags": {"a": "b"}, "linkedInfo": info}}
    made = await plane.call("PUT", "/datastores/old", body, api=OLD)
    assert made.status_code == 201, made.text
    properties = made.json()["properties"]
    assert properties["contents"]["contentsType"] == "AzureFile"
    assert properties["contents"]["containerName"] == "share"
    assert properties["contents"]["credentials"]["resourceUri"] == "https://storage.azure.com"
    assert (properties["hasBeenValidated"], properties["linkedInfo"]) == (False, info)
    newer = await shown(plane, "old")
    assert (newer["datastoreType"], newer["fileShareName"]) == ("AzureFile", "share")
    assert newer["credentials"]["resourceUrl"] == "https://storage.azure.com"
    assert "linkedInfo" not in newer


async def test_the_default_is_moved_in_the_oldest_version_only(plane):
    contents = {"contentsType": "AzureBlob", **PLACES["AzureBlob"], **NOBODY}
    body = {"properties": {"contents": contents, "isDefault": True}}
    await plane.call("PUT", "/datastores/mine", body, api=OLD)
    listed = await plane.call("GET", "/datastores", isDefault="true")
    assert [item["name"] for item in listed.json()["value"]] == ["mine"]
    assert (await shown(plane, "workspaceblobstore", OLD))["isDefault"] is False
    other = {"datastoreType": "AzureBlob", **PLACES["AzureBlob"], **NOBODY, "isDefault": True}
    assert (await plane.put("/datastores/other", other)).json()["properties"]["isDefault"] is False
    assert "default datastore" in refused(await plane.call("DELETE", "/datastores/mine"), 409)
    assert (await plane.call("DELETE", "/datastores/other")).status_code == 200
    assert (await plane.call("DELETE", "/datastores/other")).status_code == 204
    assert (await shown(plane, "mine"))["isDefault"] is True


async def test_what_cannot_be_read_is_refused_where_it_is_used(plane):
    for kind in ("AzureDataLakeGen1", "AzureDataLakeGen2", "Hdfs", "OneLake"):
        await plane.put(f"/datastores/{kind}", {"datastoreType": kind, **PLACES[kind], **NOBODY})
        store = await plane.base.resources.find(f"{plane.workspace}/datastores/{kind}")
        with pytest.raises(SpecError, match=f"of type {kind}") as refusal:
            await Readers(plane.base.resources, plane.base.keyring.secrets, LocalFolders()).place(
                store, "x"
            )
        assert refusal.value.code == "DataNotReachable"


async def test_the_subscription_of_a_datastore_is_shown_since_2022_10(plane):
    body = {"datastoreType": "AzureBlob", **PLACES["AzureBlob"], **NOBODY}
    await plane.call("PUT", "/datastores/d",
                     {"properties": {**body, "subscriptionId": "s", "resourceGroup": "g"}},
                     api="2023-10-01")  # fmt: skip
    assert "subscriptionId" not in await shown(plane, "d", "2021-10-01")
    await plane.put("/datastores/d", {**body, "description": "new"})
    newer = await shown(plane, "d")
    assert (newer["subscriptionId"], newer["description"]) == ("s", "new")


async def test_a_local_folder_must_be_allowed(plane):
    for folder in ("/etc", "/", "relative", "/tmp/../etc"):
        said = {"datastoreType": "LocalFolder", "folder": folder, **NOBODY}
        answer = await plane.call("PUT", "/datastores/local", {"properties": said})
        assert answer.status_code in {400, 403}, answer.text
    assert answer.json()["error"]["code"] == "LocalFolderNotAllowed"
    assert "LAZULITE_LOCAL_FOLDERS" in answer.json()["error"]["message"]
    forced = await plane.call(
        "PUT", "/datastores/local", {"properties": said}, skipValidation="true"
    )
    assert forced.status_code == 403
