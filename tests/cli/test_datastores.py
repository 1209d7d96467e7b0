"""`ml datastore` and renewed keys, as a user types them."""

import json

import pytest

BLOB = """
$schema: https://azuremlschemas.azureedge.net/latest/azureBlob.schema.json
name: b1
type: azure_blob
description: ours
account_name: mytestblobstore
container_name: data-container
credentials:
  account_key: c2VjcmV0
"""
APPLICATION = {"tenant_id": "t", "client_id": "c"}
GROUP = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.Storage/storageAccounts"


def create(lazulite, folder, text, *options):
    (folder / "store.yml").write_text(text)
    return lazulite("ml", "datastore", "create", "-f", str(folder / "store.yml"), *options)


def test_datastore_is_created_from_its_file_and_its_secret_is_not_printed(
    server, lazulite, tmp_path
):
    code, out, err = create(lazulite, tmp_path, BLOB, "--set", "tags.team=a")
    assert code == 0, err
    [put] = server.sent("PUT", "datastores/b1")
    assert put.json == {
        "properties": {
            "datastoreType": "AzureBlob",
            "description": "ours",
            "tags": {"team": "a"},
            "accountName": "mytestblobstore",
            "containerName": "data-container",
            "credentials": {
                "credentialsType": "AccountKey",
                "secrets": {"secretsType": "AccountKey", "key": "c2VjcmV0"},
            },
        }
    }
    assert json.loads(out)["type"] == "azure_blob"
    assert "c2VjcmV0" not in out


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"type": "azure_file", "account_name": "acc", "file_share_name": "s",
          "credentials": {"sas_token": "sv=1"}},
         {"datastoreType": "AzureFile", "accountName": "acc", "fileShareName": "s",
          "credentials": {"credentialsType": "Sas",
                          "secrets": {"secretsType": "Sas", "sasToken": "sv=1"}}}),
        ({"type": "azure_data_lake_gen2", "account_name": "acc", "filesystem": "fs",
          "credentials": {**APPLICATION, "client_secret": "x"}},
         {"datastoreType": "AzureDataLakeGen2", "accountName": "acc", "filesystem": "fs",
          "credentials": {"credentialsType": "ServicePrincipal", "tenantId": "t", "clientId": "c",
                          "secrets": {"secretsType": "ServicePrincipal", "clientSecret": "x"}}}),
        ({"type": "azure_data_lake_gen1", "store_name": "lake",
          "credentials": {**APPLICATION, "certificate": "pem", "thumbprint": "ab"}},
         {"datastoreType": "AzureDataLakeGen1", "storeName": "lake",
          "credentials": {"credentialsType": "Certificate", "tenantId": "t", "clientId": "c",
                          "thumbprint": "ab",
                          "secrets": {"secretsType": "Certificate", "certificate": "pem"}}}),
        ({"type": "local_folder", "folder": "/data"},
         {"datastoreType": "LocalFolder", "folder": "/data",
          "credentials": {"credentialsType": "None"}}),
        ({"type": "one_lake", "one_lake_workspace_name": "w", "artifact": {"name": "lh"}},
         {"datastoreType": "OneLake", "oneLakeWorkspaceName": "w", "artifact": {"name": "lh"},
          "credentials": {"credentialsType": "None"}}),
    ],
)  # fmt: skip
def test_every_type_is_put_as_the_server_wants_it(server, lazulite, tmp_path, given, wanted):
    code, _, err = create(lazulite, tmp_path, json.dumps({"name": "d", **given}))
    assert code == 0, err
    assert server.sent("PUT", "datastores/d")[0].json == {"properties": wanted}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: d\n", "type"),
        ("name: d\ntype: azure_blobs\n", "azure_blob"),
        ("type: local_folder\nfolder: /x\n", "name"),
        ("name: d\ntype: local_folder\ncontainer_name: c\n", "container_name"),
        ("name: d\ntype: azure_blob\ncredentials: {account_key: a, sas_token: b}\n", "one secret"),
    ],
)
def test_wrong_file_is_refused_with_its_place_before_anything_is_sent(
    server, lazulite, tmp_path, text, told
):
    code, _, err = create(lazulite, tmp_path, text)
    assert code != 0
    assert told in err
    assert not [one for one in server.requests if one.method == "PUT"]


def test_datastore_is_deleted(server, lazulite, tmp_path):
    create(lazulite, tmp_path, BLOB)
    assert lazulite("ml", "datastore", "delete", "-n", "b1")[0] == 0
    assert lazulite("ml", "datastore", "show", "-n", "b1")[0] == 3


@pytest.mark.parametrize(("word", "name"), [("primary", "key1"), ("key2", "key2")])
def test_key_is_renewed(server, lazulite, word, name):
    account = {"id": f"{GROUP}/mlstore", "name": "mlstore", "properties": {}}
    server.answer("GET", GROUP, 200, {"value": [account]})
    renewed = {"keys": [{"keyName": name, "value": "bmV3"}]}
    server.answer("POST", f"{GROUP}/mlstore/regenerateKey", 200, renewed)
    code, out, err = lazulite("storage", "account", "keys", "renew", "-n", "mlstore", "--key", word)
    assert (code, json.loads(out)) == (0, renewed["keys"]), err
    [sent] = server.sent("POST", f"{GROUP}/mlstore/regenerateKey")
    assert sent.json == {"keyName": name}
