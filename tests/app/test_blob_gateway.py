"""The blob gateway as the server wires it: tokens, delegation, public access, names in the host."""

import base64
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from lazulite.blobs.signatures import SIGNED_VERSION, sign
from lazulite.core.clock import utc_now
from lazulite.identity.roles import BLOB_CONTRIBUTOR, BLOB_READER

BLOCK = {"x-ms-blob-type": "BlockBlob"}
STORAGE = "https://storage.azure.com"


@pytest.fixture
async def account(plane):
    """The id and the name of the workspace's storage account."""
    shown = (await plane.call("GET", "")).json()
    found = shown["properties"]["storageAccount"]
    return found, found.rpartition("/")[2]


async def bearer(plane, client=None):
    token = await plane.token(client or plane.credentials, STORAGE)
    return {"authorization": f"Bearer {token}", "x-ms-version": SIGNED_VERSION}


def code(answer):
    return answer.headers.get("x-ms-error-code")


async def test_account_in_the_host_is_the_same_account(plane, account):
    name, headers = account[1], await bearer(plane)
    put = await plane.client.put(
        f"/{name}/azureml-blobstore/x", content=b"abc", headers={**headers, **BLOCK}
    )
    assert put.status_code == 201
    for host in (f"{name}.localhost:8443", f"{name}.blob.core.local", f"{name}.blob.localhost"):
        answer = await plane.client.get("/azureml-blobstore/x", headers={**headers, "host": host})
        assert (answer.status_code, answer.content) == (200, b"abc")
    secondary = await plane.client.get(f"/{name}-secondary/azureml-blobstore/x", headers=headers)
    assert secondary.content == b"abc"


async def test_container_is_public_only_when_the_account_allows_it(plane, account):
    arm_id, name = account
    headers, container = await bearer(plane), f"/{name}/open"
    wanted = {"x-ms-blob-public-access": "blob"}
    made = await plane.client.put(f"{container}?restype=container", headers={**headers, **wanted})
    assert (made.status_code, code(made)) == (409, "PublicAccessNotPermitted")
    body = {"properties": {"allowBlobPublicAccess": True}}
    assert (await plane.call("PATCH", arm_id, body)).status_code == 200
    made = await plane.client.put(f"{container}?restype=container", headers={**headers, **wanted})
    assert made.status_code == 201
    await plane.client.put(f"{container}/x", content=b"abc", headers={**headers, **BLOCK})
    assert (await plane.client.get(f"{container}/x")).content == b"abc"
    listing = f"{container}?restype=container&comp=list"
    assert (await plane.client.get(listing)).status_code == 401
    assert (await plane.client.delete(f"{container}/x")).status_code == 401
    acl = f"{container}?restype=container&comp=acl"
    await plane.client.put(acl, headers={**headers, "x-ms-blob-public-access": "container"})
    assert (await plane.client.get(listing)).status_code == 200
    body["properties"]["allowBlobPublicAccess"] = False
    await plane.call("PATCH", arm_id, body)
    assert (await plane.client.get(f"{container}/x")).status_code == 401


async def delegated(plane, client, account, permissions, container="azureml-blobstore"):
    """A user delegation SAS for a container, made as a client makes it."""
    now = utc_now()
    span = [(now + timedelta(seconds=s)).strftime("%Y-%m-%dT%H:%M:%SZ") for s in (-60, 3600)]
    body = f"<KeyInfo><Start>{span[0]}</Start><Expiry>{span[1]}</Expiry></KeyInfo>"
    answer = await plane.client.post(
        f"/{account}?restype=service&comp=userdelegationkey",
        content=body,
        headers=await bearer(plane, client),
    )
    if answer.status_code != 200:
        return answer, ""
    key = {one.tag: one.text for one in ElementTree.fromstring(answer.content)}
    said = {
        "sp": permissions, "st": "", "se": span[1], "resource": f"/blob/{account}/{container}",
        "skoid": key["SignedOid"], "sktid": key["SignedTid"], "skt": key["SignedStart"],
        "ske": key["SignedExpiry"], "sks": "b", "skv": key["SignedVersion"],
        "saoid": "", "suoid": "", "scid": "", "sip": "", "spr": "", "sv": SIGNED_VERSION,
        "sr": "c", "snapshot": "", "ses": "",
        "rscc": "", "rscd": "", "rsce": "", "rscl": "", "rsct": "",
    }  # fmt: skip
    said["sig"] = sign("\n".join(said.values()), base64.b64decode(key["Value"]))
    return answer, {name: value for name, value in said.items() if value and name != "resource"}


async def test_user_delegation_opens_what_its_signer_may_do_and_no_more(plane, account):
    arm_id, name = account
    object_id, client = await plane.colleague()
    await plane.assign(object_id, BLOB_CONTRIBUTOR, arm_id)
    _, sas = await delegated(plane, client, name, "rw")
    path = f"/{name}/azureml-blobstore/x"
    put = await plane.client.put(path, params=sas, content=b"abc", headers=BLOCK)
    assert put.status_code == 201
    assert (await plane.client.get(path, params=sas)).content == b"abc"
    refused = await plane.client.delete(path, params=sas)
    assert code(refused) == "AuthorizationPermissionMismatch"
    refused = await plane.client.get(path, params={**sas, "sp": "rwd"})
    assert code(refused) == "AuthenticationFailed"
    refused = await plane.client.get(path, params={**sas, "ske": "2099-01-01T00:00:00Z"})
    assert code(refused) == "AuthenticationFailed"


async def test_user_delegation_ends_with_the_role_of_its_signer(plane, account):
    arm_id, name = account
    object_id, client = await plane.colleague()
    refused, _ = await delegated(plane, client, name, "r")
    assert code(refused) == "AuthorizationPermissionMismatch"
    await plane.assign(object_id, BLOB_READER, arm_id)
    _, sas = await delegated(plane, client, name, "rw")
    path = f"/{name}/azureml-blobstore/x"
    assert (await plane.client.get(path, params=sas)).status_code == 404
    put = await plane.client.put(path, params=sas, content=b"abc", headers=BLOCK)
    assert code(put) == "AuthorizationPermissionMismatch"


async def test_copy_source_is_read_with_the_rights_of_the_caller(plane, account):
    name, headers = account[1], await bearer(plane)
    for blob in ("mine", "other"):
        await plane.client.put(
            f"/{name}/azureml-blobstore/{blob}", content=b"abc", headers={**headers, **BLOCK}
        )
    source = {"x-ms-copy-source": f"https://localhost:8443/{name}/azureml-blobstore/other"}
    copied = await plane.client.put(
        f"/{name}/azureml-blobstore/copy", headers={**headers, **source}
    )
    assert (copied.status_code, copied.headers["x-ms-copy-status"]) == (202, "success")
    _, sas = await delegated(plane, plane.credentials, name, "cw")
    target = f"/{name}/azureml-blobstore/again"
    refused = await plane.client.put(target, params=sas, headers=source)
    assert (refused.status_code, code(refused)) == (403, "CannotVerifyCopySource")


async def test_delegation_works_while_the_keys_of_the_account_are_off(plane, account):
    arm_id, name = account
    body = {"properties": {"allowSharedKeyAccess": False}}
    assert (await plane.call("PATCH", arm_id, body)).status_code == 200
    _, sas = await delegated(plane, plane.credentials, name, "r")
    answer = await plane.client.get(f"/{name}/azureml-blobstore/none", params=sas)
    assert code(answer) == "BlobNotFound"


async def test_new_key_of_the_account_voids_delegation(plane, account):
    arm_id, name = account
    _, sas = await delegated(plane, plane.credentials, name, "r")
    renewed = await plane.call("POST", f"{arm_id}/regenerateKey", {"keyName": "key1"})
    assert renewed.status_code == 200
    answer = await plane.client.get(f"/{name}/azureml-blobstore/none", params=sas)
    assert code(answer) == "AuthenticationFailed"


async def test_copy_source_of_another_server_is_held_to_the_rules_for_fetches(plane, account):
    headers = {**await bearer(plane), "x-ms-copy-source": "http://10.0.0.1/x"}
    refused = await plane.client.put(f"/{account[1]}/azureml-blobstore/x", headers=headers)
    assert (refused.status_code, code(refused)) == (400, "CannotVerifyCopySource")
    assert "LAZULITE_FETCH_ALLOW" in refused.text


async def test_service_properties_go_with_their_account(plane, account):
    arm_id, headers = account[0].rpartition("/")[0] + "/passing", await bearer(plane)
    body = {"location": "local", "properties": {"allowSharedKeyAccess": False}}
    rule = (
        "<StorageServiceProperties><Cors><CorsRule><AllowedOrigins>https://a.example"
        "</AllowedOrigins><AllowedMethods>GET</AllowedMethods><AllowedHeaders></AllowedHeaders>"
        "<ExposedHeaders></ExposedHeaders><MaxAgeInSeconds>5</MaxAgeInSeconds></CorsRule></Cors>"
        "</StorageServiceProperties>"
    )
    address = "/passing/?restype=service&comp=properties"
    assert (await plane.call("PUT", arm_id, body)).status_code == 200
    assert (await plane.client.put(address, content=rule, headers=headers)).status_code == 202
    assert "a.example" in (await plane.client.get(address, headers=headers)).text
    assert (await plane.call("DELETE", arm_id)).status_code == 200
    assert (await plane.call("PUT", arm_id, body)).status_code == 200
    assert "a.example" not in (await plane.client.get(address, headers=headers)).text
