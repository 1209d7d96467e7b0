"""Workspaces and what they depend on."""

import uuid
from urllib.parse import parse_qsl, urlsplit

from lazulite.core.clock import utc_now
from lazulite.operations.reconciler import Step, step
from tests.kinds.refusals import refused

ML = "Microsoft.MachineLearningServices/workspaces"
OTHERS = {
    "storageAccount": ("Microsoft.Storage/storageAccounts", "minestorage"),
    "keyVault": ("Microsoft.KeyVault/vaults", "mine-vault"),
    "applicationInsights": ("Microsoft.Insights/components", "mine-insights"),
    "containerRegistry": ("Microsoft.ContainerRegistry/registries", "mineregistry"),
}


def group(plane):
    return plane.workspace.partition("/providers/")[0]


def ids(plane):
    return {
        name: f"{group(plane)}/providers/{kind}/{called}" for name, (kind, called) in OTHERS.items()
    }


async def make_others(plane):
    """The four resources, with the registry's admin user enabled."""
    for name, arm_id in ids(plane).items():
        properties = {"adminUserEnabled": True} if name == "containerRegistry" else {}
        body = {"location": "local", "sku": {"name": "Basic"}, "properties": properties}
        made = await plane.call("PUT", arm_id, body, api="2019-06-01")
        assert made.status_code in {200, 201}, made.text


async def put(plane, name, properties, **extra):
    body = {"location": "local", "properties": properties, **extra}
    return await plane.call("PUT", f"{group(plane)}/providers/{ML}/{name}", body)


async def located(plane, answer):
    """The answer at Location now."""
    url = urlsplit(answer.headers["location"])
    query = dict(parse_qsl(url.query))
    return await plane.call("GET", url.path, api=query.pop("api-version"), **query)


async def follow(plane, answer):
    """The answer at Location once it is final."""
    await plane.settle_kinds("/workspaces")
    return await located(plane, answer)


async def test_a_workspace_is_accepted_and_its_location_tells_how_it_went(plane):
    await make_others(plane)
    answer = await put(plane, "mine", ids(plane))
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["azure-asyncoperation"]
    running = await located(plane, answer)
    assert (running.status_code, running.json()["status"]) == (202, "InProgress")
    done = await follow(plane, answer)
    assert done.status_code == 200
    body = done.json()
    assert body["properties"]["provisioningState"] == "Succeeded"
    assert body["properties"].items() >= ids(plane).items()
    assert body["sku"] == {"name": "Basic", "tier": "Basic"}
    assert body["identity"]["type"] == "SystemAssigned"
    assert uuid.UUID(body["identity"]["principalId"])
    assert str(uuid.UUID(body["properties"]["workspaceId"])) == body["properties"]["workspaceId"]
    again = await put(plane, "mine", ids(plane))
    assert again.status_code == 200
    stores = await plane.call("GET", body["id"] + "/datastores")
    assert {item["properties"]["accountName"] for item in stores.json()["value"]} == {
        "localhost:8443/minestorage"
    }


async def test_what_is_absent_is_named_and_nothing_stays_behind(plane):
    await make_others(plane)
    wrong = {**ids(plane), "keyVault": ids(plane)["keyVault"] + "-none"}
    wrong["applicationInsights"] = ids(plane)["applicationInsights"] + "-none"
    message = refused(await put(plane, "mine", wrong), 400)
    for part in ("Microsoft.KeyVault/vaults", "'mine-vault-none'", "mine-insights-none", "PUT"):
        assert part in message
    gone = await plane.call("GET", f"{group(plane)}/providers/{ML}/mine")
    assert gone.status_code == 404
    partly = {name: ids(plane)[name] for name in ("storageAccount", "containerRegistry")}
    message = refused(await put(plane, "mine", partly), 400)
    assert "keyVault, applicationInsights" in message
    for misplaced in ("mine-vault", ids(plane)["storageAccount"], "/subscriptions//x"):
        answer = await put(plane, "mine", {**ids(plane), "keyVault": misplaced})
        assert "Microsoft.KeyVault/vaults/<name>" in refused(answer, 400)


async def test_what_goes_wrong_later_is_said_at_the_location(plane):
    await make_others(plane)
    registry = ids(plane)["containerRegistry"]
    answer = await put(plane, "mine", ids(plane))
    await plane.call("DELETE", registry)
    failed = await follow(plane, answer)
    assert "'mineregistry'" in refused(failed, 409)
    path = f"{group(plane)}/providers/{ML}/mine"
    shown = (await plane.call("GET", path)).json()["properties"]
    assert shown["provisioningState"] == "Failed"
    diagnosis = (await plane.call("POST", f"{path}/diagnose", {"value": {}})).json()["value"]
    assert diagnosis["containerRegistryResults"][0]["level"] == "Error"
    await make_others(plane)
    disabled = {"location": "local", "properties": {"adminUserEnabled": False}}
    await plane.call("PUT", registry, disabled, api="2019-05-01")
    assert "adminUserEnabled" in refused(await put(plane, "mine", ids(plane)), 400)
    await make_others(plane)
    answer = await put(plane, "mine", ids(plane))
    assert (await follow(plane, answer)).status_code == 200


async def test_ids_may_be_written_as_the_article_writes_them(plane):
    await make_others(plane)
    sloppy = {
        "keyVault": ids(plane)["keyVault"].replace("KeyVault", "Keyvault"),
        "applicationInsights": ids(plane)["applicationInsights"][1:].replace(
            "Insights", "insights"
        ),
        "storageAccount": ids(plane)["storageAccount"].replace("resourceGroups", "resourcegroups"),
    }
    answer = await put(plane, "mine", sloppy, identity={"type": "systemAssigned"})
    body = (await follow(plane, answer)).json()
    assert body["properties"]["keyVault"] == sloppy["keyVault"]
    assert body["properties"]["applicationInsights"] == "/" + sloppy["applicationInsights"]
    assert body["properties"]["containerRegistry"] is None


async def test_account_and_vault_stay_and_the_rest_is_patched(plane):
    await make_others(plane)
    await follow(plane, await put(plane, "mine", ids(plane)))
    path = f"{group(plane)}/providers/{ML}/mine"
    other = {**ids(plane), "keyVault": ids(plane)["keyVault"] + "2"}
    assert "cannot become" in refused(await put(plane, "mine", other), 409)
    body = {"tags": {"a": "b"}, "properties": {"friendlyName": "Mine", "containerRegistry": None}}
    await follow(plane, await plane.call("PATCH", path, body))
    found = (await plane.call("GET", path)).json()
    assert (found["tags"], found["properties"]["friendlyName"]) == ({"a": "b"}, "Mine")
    assert found["properties"]["keyVault"] == ids(plane)["keyVault"]
    assert found["properties"]["containerRegistry"] is None
    await follow(plane, await put(plane, "mine", {"description": "less"}))
    found = (await plane.call("GET", path)).json()["properties"]
    assert found["storageAccount"] == ids(plane)["storageAccount"]
    # What was read can be written back, of a workspace without dependencies, too.
    own = (await plane.call("GET", "")).json()
    back = await plane.call("PUT", "", {"location": "local", "properties": own["properties"]})
    assert back.status_code in {200, 202}


async def test_keys_are_listed_and_followed_when_they_change(plane):
    await make_others(plane)
    await follow(plane, await put(plane, "mine", ids(plane)))
    path, account = f"{group(plane)}/providers/{ML}/mine", ids(plane)["storageAccount"]
    keys = (await plane.call("POST", f"{path}/listKeys", api="2023-10-01")).json()
    assert keys["userStorageResourceId"] == account
    assert keys["containerRegistryCredentials"]["username"] == "mineregistry"
    assert len(keys["containerRegistryCredentials"]["passwords"]) == 2
    assert uuid.UUID(keys["appInsightsInstrumentationKey"])
    only = (await plane.call("POST", f"{path}/listStorageAccountKeys")).json()
    assert only == {"userStorageKey": keys["userStorageKey"]}
    renewed = await plane.call("POST", f"{account}/regenerateKey", {"keyName": "key1"})
    new = renewed.json()["keys"][0]["value"]
    assert new != keys["userStorageKey"]
    secrets = f"{path}/datastores/workspaceblobstore/listSecrets"
    assert (await plane.call("POST", secrets)).json()["key"] == keys["userStorageKey"]
    assert (await plane.call("POST", f"{path}/resyncKeys")).status_code == 200
    assert (await plane.call("POST", secrets)).json()["key"] == new


async def stays(resource):
    return Step(observed=resource.observed, converged=False)


async def test_a_deleted_workspace_is_gone_when_all_in_it_is(plane):
    await plane.put("/computes/c", {"computeType": "DataFactory"})
    await plane.put("/models/m/versions/1", {"modelUri": "azureml://datastores/d/paths/x"})
    answer = await plane.call("DELETE", "", forceToPurge="true")
    assert answer.status_code == 202
    known = {**plane.server.registry.reconcilers(), f"{ML}/computes": stays}
    while await step(plane.base.engine, known, utc_now()):
        pass
    assert (await plane.call("GET", "")).json()["properties"]["provisioningState"] == "Deleting"
    assert [row.name for row in await plane.base.resources.below(plane.workspace)] == ["c"]
    await plane.base.resources.touch(f"{plane.workspace}/computes/c")
    await plane.settle()
    await plane.base.resources.touch(plane.workspace)
    await plane.settle()
    assert await plane.base.resources.below(plane.workspace) == []
    assert (await plane.call("GET", "")).status_code == 404
    assert (await plane.call("DELETE", "")).status_code == 204
    assert "storageAccounts" in refused(await plane.call("DELETE", group(plane)), 409)


async def test_what_this_server_has_not_is_refused_or_empty(plane):
    for action in ("listNotebookKeys", "listNotebookAccessToken", "prepareNotebook"):
        assert "no notebooks" in refused(await plane.call("POST", f"/{action}"), 400)
    for listed in (
        "outboundNetworkDependenciesEndpoints",
        "privateLinkResources",
        "privateEndpointConnections",
        "features",
    ):
        assert (await plane.call("GET", f"/{listed}")).json()["value"] == []
    link = "/privateEndpointConnections/p"
    assert "no private endpoints" in refused(await plane.put(link, {}), 400)
    assert (await plane.call("GET", link)).status_code == 404
    assert (await plane.call("DELETE", link)).status_code == 204


async def test_every_version_shows_its_own_fields(plane):
    old = (await plane.call("GET", "", api="2019-11-01")).json()
    assert old["etag"] is None
    assert "systemData" not in old
    assert old["properties"]["subscriptionState"] is None
    assert old["properties"]["creationTime"]
    assert "mlFlowTrackingUri" not in old["properties"]
    new = (await plane.call("GET", "", api="2023-10-01")).json()
    assert "etag" not in new
    assert new["systemData"]
    assert "creationTime" not in new["properties"]
    assert new["properties"]["privateEndpointConnections"] == []
    settings = {"managedNetwork": {"isolationMode": "allowinternetoutbound"}}
    await plane.call("PATCH", "", {"properties": settings}, api="2023-10-01")
    newer = (await plane.call("GET", "", api="2023-10-01")).json()["properties"]
    assert newer["managedNetwork"]["isolationMode"] == "AllowInternetOutbound"
    b = (await plane.call("GET", "", api="2021-10-01")).json()["properties"]
    assert "managedNetwork" not in b


async def test_workspaces_are_listed_in_group_and_subscription(plane):
    for scope in (group(plane), group(plane).partition("/resourceGroups/")[0]):
        answer = await plane.call("GET", f"{scope}/providers/{ML}/", api="2019-11-01")
        assert [item["name"] for item in answer.json()["value"]] == ["main"]
