"""Storage accounts, vaults, components and registries."""

import pytest

from tests.kinds.refusals import refused


@pytest.fixture
def at(plane):
    """The id of a resource of a type."""
    scope = plane.workspace.partition("/providers/")[0]
    return lambda kind, name: f"{scope}/providers/{kind}/{name}"


async def put(plane, arm_id, properties=None, **extra):
    body = {"location": "local", "properties": properties or {}, **extra}
    return await plane.call("PUT", arm_id, body, api="2019-06-01")


async def test_a_storage_account_is_served_at_once(plane, at):
    account = at("Microsoft.Storage/storageAccounts", "fresh")
    made = await put(plane, account, sku={"name": "Standard_LRS"}, kind="StorageV2")
    assert (made.status_code, made.json()["type"]) == (200, "Microsoft.Storage/storageAccounts")
    assert made.json()["properties"]["primaryEndpoints"]["blob"] == "https://localhost:8443/fresh/"
    listed = await plane.call(
        "POST", f"{account}/listKeys", api="2025-08-01", **{"$expand": "kerb"}
    )
    keys = listed.json()["keys"]
    assert [key["keyName"] for key in keys] == ["key1", "key2"]
    again = await put(plane, account, sku={"name": "Standard_LRS"}, kind="StorageV2")
    assert again.headers["etag"] == made.headers["etag"]
    wrong = await plane.call("POST", f"{account}/regenerateKey", {"keyName": "key3"})
    assert "'key3'" in refused(wrong, 400)
    renewed = (await plane.call("POST", f"{account}/regenerateKey", {"keyName": "key2"})).json()
    assert renewed["keys"][0] == keys[0]
    assert renewed["keys"][1] != keys[1]
    await put(plane, account, {"allowSharedKeyAccess": False})
    assert "allowSharedKeyAccess" in refused(await plane.call("POST", f"{account}/listKeys"), 403)
    assert (await plane.call("DELETE", account)).status_code == 200


async def test_names_of_accounts_are_unique_and_no_paths(plane, at):
    scope = plane.workspace.partition("/resourceGroups/")[0]
    kind = "Microsoft.Storage/storageAccounts"
    await plane.call("PUT", f"{scope}/resourceGroups/other", {"location": "local"})
    await put(plane, at(kind, "taken"))
    for name in ("taken", "discovery", "inference"):
        where = f"{scope}/resourceGroups/other/providers/{kind}/{name}"
        assert "Choose another" in refused(await put(plane, where), 409)
    for name in ("Capital", "ab", "with-dash"):
        assert name in refused(await put(plane, at(kind, name)), 400)
    hierarchical = await put(plane, at(kind, "lake"), {"isHnsEnabled": "true"})
    assert "Gen2" in refused(hierarchical, 400)


async def test_an_account_in_use_is_not_deleted(plane, at):
    row = await plane.base.resources.find(plane.workspace)
    account = at("Microsoft.Storage/storageAccounts", row.observed["account"])
    assert "keeps its data" in refused(await plane.call("DELETE", account), 409)
    await put(plane, at("Microsoft.Storage/storageAccounts", "filled"))
    await plane.server.store.containers.ensure("filled", "data")
    filled = await plane.call("DELETE", at("Microsoft.Storage/storageAccounts", "filled"))
    assert "containers data" in refused(filled, 409)


async def test_vaults_and_components_are_records(plane, at):
    vault = at("microsoft.keyvault/vaults", "my-vault")
    made = await plane.call(
        "PUT",
        vault,
        {"location": "local", "properties": {"sku": {"family": "A", "name": "standard"}}},
        api="2019-09-01",
    )
    assert (made.status_code, made.json()["type"]) == (201, "Microsoft.KeyVault/vaults")
    assert made.json()["properties"]["vaultUri"] is None
    assert made.json()["properties"]["tenantId"]
    component = at("Microsoft.insights/components", "my-insights")
    body = {"location": "local", "kind": "web", "properties": {"Application_Type": "web"}}
    made = await plane.call("PUT", component, body, api="2015-05-01")
    assert made.status_code == 200
    assert made.json()["properties"]["Application_Type"] == "web"
    assert made.json()["properties"]["InstrumentationKey"]
    listed = await plane.call("GET", component.rpartition("/")[0], api="2015-05-01")
    assert [item["name"] for item in listed.json()["value"]] == ["my-insights"]
    assert (await plane.call("DELETE", vault)).status_code == 200
    assert (await plane.call("GET", vault)).status_code == 404


async def test_a_registry_has_credentials_while_its_admin_user_is_enabled(plane, at):
    registry = at("Microsoft.ContainerRegistry/registries", "myregistry")
    await put(plane, registry, sku={"name": "Basic"})
    refusal = await plane.call("POST", f"{registry}/listCredentials")
    assert "adminUserEnabled" in refused(refusal, 400)
    await put(plane, registry, {"adminUserEnabled": True}, sku={"name": "Basic"})
    first = (await plane.call("POST", f"{registry}/listCredentials")).json()
    assert first["username"] == "myregistry"
    body = {"name": "password2"}
    second = (await plane.call("POST", f"{registry}/regenerateCredential", body)).json()
    assert second["passwords"][0] == first["passwords"][0]
    assert second["passwords"][1] != first["passwords"][1]


async def test_az_is_told_whether_a_name_can_be_had(plane, at):
    provider = f"{plane.workspace.partition('/resourceGroups/')[0]}/providers/Microsoft.Storage"
    await put(plane, at("Microsoft.Storage/storageAccounts", "taken"))

    async def asked(name):
        body = {"name": name, "type": "Microsoft.Storage/storageAccounts"}
        answer = await plane.call("POST", f"{provider}/checkNameAvailability", body)
        assert answer.status_code == 200
        return answer.json()

    assert await asked("free") == {"nameAvailable": True}
    assert (await asked("taken"))["reason"] == "AlreadyExists"
    assert "first segment" in (await asked("inference"))["message"]
    for name in ("Capital", "ab", "with-dash", None, ["a"]):
        assert (await asked(name))["reason"] == "AccountNameInvalid"
    assert (await plane.call("GET", f"{provider}/checkNameAvailability")).status_code == 405
