"""ARM's rules, which hold for every kind."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import httpx2
import pytest

from lazulite.arm import operations
from lazulite.identity.roles import READER

MODEL = {"modelUri": "azureml://datastores/workspaceblobstore/paths/m/model.pkl"}
CLUSTER = {"computeType": "AmlCompute", "properties": {"scaleSettings": {"maxNodeCount": 1}}}


async def test_the_first_version_makes_the_asset(plane):
    made = await plane.put("/models/iris/versions/1", MODEL)
    assert made.status_code == 201
    assert made.json()["type"] == "Microsoft.MachineLearningServices/workspaces/models/versions"
    assert made.json()["id"].endswith("/models/iris/versions/1")
    container = (await plane.call("GET", "/models/iris")).json()
    assert container["properties"]["latestVersion"] == "1"
    assert container["properties"]["nextVersion"] == "2"


async def test_the_same_put_again_changes_nothing(plane):
    first = await plane.put("/models/iris/versions/1", MODEL)
    again = await plane.put("/models/iris/versions/1", MODEL)
    assert (again.status_code, again.headers["etag"]) == (200, first.headers["etag"])


async def test_a_version_does_not_change_but_its_description_may(plane):
    await plane.put("/models/iris/versions/1", MODEL)
    other = await plane.put(
        "/models/iris/versions/1", {"modelUri": "azureml://datastores/x/paths/y"}
    )
    assert (other.status_code, other.json()["error"]["code"]) == (409, "ImmutablePropertyChanged")
    described = await plane.put("/models/iris/versions/1", {**MODEL, "description": "flowers"})
    assert described.json()["properties"]["description"] == "flowers"


async def test_ids_compare_without_case(plane):
    await plane.put("/models/Iris/versions/1", MODEL)
    shouted = (plane.workspace + "/models/iris/versions/1").upper()
    shouted = shouted.replace("/SUBSCRIPTIONS", "/subscriptions", 1)
    found = await plane.call("GET", shouted)
    assert found.json()["id"].endswith("/models/Iris/versions/1")


async def test_properties_are_read_in_any_case_and_written_in_azures(plane):
    made = await plane.put("/models/iris/versions/1", {"MODELURI": MODEL["modelUri"]})
    assert made.json()["properties"]["modelUri"] == MODEL["modelUri"]


async def test_models_are_shown_in_the_form_of_the_version_asked_for(plane):
    await plane.put("/models/iris/versions/1", {**MODEL, "modelFormat": "MLFlow"})
    old = (await plane.call("GET", "/models/iris/versions/1")).json()["properties"]
    new = await plane.call("GET", "/models/iris/versions/1", api="2022-05-01")
    assert (old["modelFormat"], "modelType" in old) == ("MLFlow", False)
    assert new.json()["properties"]["modelType"] == "mlflow_model"


async def test_trailing_commas_and_raw_newlines_are_read(plane):
    body = '{"properties": {"condaFile": "name: x\n\tdependencies: []", },\n}'
    made = await plane.call("PUT", "/environments/e/versions/1", body)
    assert made.status_code == 201
    assert made.json()["properties"]["condaFile"] == "name: x\n\tdependencies: []"


@pytest.mark.parametrize(
    ("api", "code"),
    [
        (None, "MissingApiVersionParameter"),
        ("yesterday", "InvalidApiVersionParameter"),
        ("2001-01-01", "NoRegisteredProviderFound"),
    ],
)
async def test_a_bad_api_version_is_answered_with_the_supported_ones(plane, api, code):
    answer = await plane.call("GET", "", api=api)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert "2021-10-01" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/models/none", "ResourceNotFound"),
        ("/frobnications/x", "InvalidResourceType"),
        ("/models/none/versions/1", "ResourceNotFound"),
    ],
)
async def test_what_is_not_there_is_404(plane, path, code):
    answer = await plane.call("GET", path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)


async def test_lists_of_unknown_assets_are_empty(plane):
    answer = await plane.call("GET", "/models/none/versions")
    assert (answer.status_code, answer.json()["value"]) == (200, [])


async def test_nothing_is_made_below_what_is_missing(plane):
    answer = await plane.put("/onlineEndpoints/none/deployments/blue", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "ParentResourceNotFound")
    missing = plane.workspace.replace("/main", "/other")
    answer = await plane.call("PUT", f"{missing}/models/m/versions/1", {"properties": MODEL})
    assert answer.status_code == 404


async def test_faults_in_properties_are_named(plane):
    answer = await plane.put("/computes/c", {"computeType": "AmlCompute", "properties": {
        "scaleSettings": {"maxNodeCount": "many"}}})  # fmt: skip
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "ValidationError")
    assert error["details"][0]["target"] == "properties.scaleSettings.maxNodeCount"
    assert "'many'" in error["message"]


async def test_location_is_required_where_azure_requires_it(plane):
    answer = await plane.call("PUT", "/batchEndpoints/b", {"properties": {}})
    assert answer.json()["error"]["code"] == "LocationRequired"


async def test_traffic_must_add_up(plane):
    answer = await plane.put("/onlineEndpoints/e", {"authMode": "Key", "traffic": {"blue": 50}})
    assert answer.status_code == 400
    assert "add up to 50" in answer.json()["error"]["message"]


async def test_patch_merges(plane):
    await plane.put("/batchEndpoints/b", {"description": "before"}, tags={"a": "1"})
    body = {"properties": {"defaults": {"deploymentName": "one"}}, "tags": {"b": "2"}}
    answer = (await plane.call("PATCH", "/batchEndpoints/b", body)).json()
    assert answer["properties"]["description"] == "before"
    assert answer["properties"]["defaults"]["deploymentName"] == "one"
    assert answer["tags"] == {"b": "2"}


async def test_conditions_on_writes_hold(plane):
    only_new = {"if-none-match": "*"}
    body = {"properties": MODEL}
    path = "/models/iris/versions/1"
    assert (await plane.call("PUT", path, body, headers=only_new)).status_code == 201
    assert (await plane.call("PUT", path, body, headers=only_new)).status_code == 412
    stale = {"if-match": '"99"'}
    assert (await plane.call("PUT", path, body, headers=stale)).status_code == 412


async def test_pages_follow_each_other_and_skip_nothing(plane):
    for number in range(7):
        await plane.put(f"/models/m/versions/{number}", MODEL)
    seen, url = [], None
    page = (await plane.call("GET", "/models/m/versions", count="3")).json()
    while True:
        seen += [item["name"] for item in page["value"]]
        if (url := page["nextLink"]) is None:
            break
        sent = {"authorization": f"Bearer {plane.bearer}"}
        page = (await plane.client.get(httpx2.URL(url), headers=sent)).json()
    assert seen == [str(number) for number in range(7)]


async def test_the_newest_version_comes_first_when_asked(plane):
    for number in (1, 2):
        await plane.put(f"/models/m/versions/{number}", MODEL)
    query = {"$orderBy": "createdtime desc", "$top": "1"}
    listed = (await plane.call("GET", "/models/m/versions", **query)).json()
    assert [item["name"] for item in listed["value"]] == ["2"]


async def test_archived_versions_are_listed_on_request_only(plane):
    await plane.put("/models/m/versions/1", {**MODEL, "isArchived": True})
    active = (await plane.call("GET", "/models/m/versions")).json()["value"]
    every = (await plane.call("GET", "/models/m/versions", listViewType="All")).json()["value"]
    assert (len(active), len(every)) == (0, 1)


async def test_deleting_what_is_not_there_is_204(plane):
    assert (await plane.call("DELETE", "/models/none")).status_code == 204


async def test_deleting_an_asset_deletes_its_versions(plane):
    await plane.put("/models/m/versions/1", MODEL)
    assert (await plane.call("DELETE", "/models/m")).status_code == 200
    assert (await plane.call("GET", "/models/m/versions/1")).status_code == 404


async def test_an_operation_tells_how_a_put_went(plane):
    made = await plane.put("/computes/c", CLUSTER)
    assert made.json()["properties"]["provisioningState"] == "Creating"
    path = made.headers["azure-asyncoperation"].removeprefix("https://localhost:8443")
    path, _, query = path.partition("?")
    status = (await plane.call("GET", path)).json()
    assert status["status"] == "InProgress"
    await plane.settle()
    assert (await plane.call("GET", path)).json()["status"] == "Succeeded"
    assert query == "api-version=2021-10-01"


async def test_a_look_at_an_operation_that_is_about_to_end_tells_its_end(plane, monkeypatch):
    monkeypatch.setattr(operations, "MOMENT_S", 60)
    monkeypatch.setattr(operations, "YOUNG", timedelta(hours=1))
    made = await plane.put("/computes/c", CLUSTER)
    path = made.headers["azure-asyncoperation"].removeprefix("https://localhost:8443")
    look = asyncio.create_task(plane.call("GET", path.partition("?")[0]))
    await asyncio.sleep(0)  # it has begun
    await plane.settle()
    told = (await look).json()["status"]
    later = (await plane.call("GET", path.partition("?")[0])).json()["status"]
    assert (told, later) == ("Succeeded", "Succeeded")


async def test_looks_at_an_operation_wait_longer_each_time_and_only_while_it_is_young(
    plane, monkeypatch
):
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)

    monkeypatch.setattr(operations, "asyncio", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(operations, "YOUNG", timedelta(hours=1))
    made = await plane.put("/computes/c", CLUSTER)
    path = made.headers["azure-asyncoperation"].removeprefix("https://localhost:8443")
    path = path.partition("?")[0]
    assert (await plane.call("GET", path)).json()["status"] == "InProgress"
    assert pauses == pytest.approx([0.03, 0.06, 0.12, 0.24, 0.45])
    pauses.clear()
    later = plane.base.resources.clock() + timedelta(hours=2)
    monkeypatch.setattr(plane.base.resources, "clock", lambda: later)
    assert (await plane.call("GET", path)).json()["status"] == "InProgress"
    assert pauses == []


async def test_a_workspace_brings_its_datastores(plane):
    listed = (await plane.call("GET", "/datastores")).json()["value"]
    names = {item["name"] for item in listed}
    assert names == {"workspaceblobstore", "workspaceartifactstore", "workspacefilestore"}
    default = (await plane.call("GET", "/datastores", isDefault="true")).json()["value"]
    assert [item["name"] for item in default] == ["workspaceblobstore"]


async def test_credentials_of_datastores_are_shown_by_list_secrets_only(plane):
    mine = {"accountName": "acct", "containerName": "c", "datastoreType": "AzureBlob"}
    secret = {
        "credentialsType": "AccountKey",
        "secrets": {"secretsType": "AccountKey", "key": "a2V5"},
    }
    made = await plane.put("/datastores/mine", {**mine, "credentials": secret})
    assert "a2V5" not in made.text
    shown = await plane.call("POST", "/datastores/mine/listSecrets")
    assert shown.json() == {"secretsType": "AccountKey", "key": "a2V5"}


async def test_subscriptions_and_groups_look_as_azures(plane):
    (subscription,) = (await plane.call("GET", "/subscriptions")).json()["value"]
    assert subscription["state"] == "Enabled"
    groups = await plane.call("GET", f"{subscription['id']}/resourcegroups")
    assert [group["type"] for group in groups.json()["value"]] == [
        "Microsoft.Resources/resourceGroups"
    ]
    made = await plane.call(
        "PUT", f"{subscription['id']}/resourceGroups/mine", {"location": "local"}
    )
    assert made.status_code == 201
    assert (
        await plane.call("HEAD", f"{subscription['id']}/resourcegroups/mine")
    ).status_code == 204
    assert (await plane.call("HEAD", f"{subscription['id']}/resourcegroups/no")).status_code == 404


async def test_a_role_in_a_group_shows_its_subscription_and_no_other_group(plane):
    """What signing in with Azure's command line asks for. Source: spec/CLIENTS.md 12.2."""
    group = plane.workspace.partition("/providers/")[0]
    subscription = group.partition("/resourceGroups/")[0]
    await plane.call("PUT", f"{subscription}/resourceGroups/other", {"location": "local"})
    object_id, client = await plane.colleague()
    headers = {"authorization": f"Bearer {await plane.token(client)}"}

    async def shown(path):
        answer = await plane.call("GET", path, headers=headers)
        return answer.status_code, [each["id"] for each in answer.json().get("value", ())]

    assert await shown("/subscriptions") == (200, [])
    assert (await shown(subscription))[0] == 403
    assert (await shown(f"{subscription}/resourceGroups"))[0] == 403
    assert (await plane.assign(object_id, READER, group)).status_code == 201
    assert await shown("/subscriptions") == (200, [subscription])
    assert (await shown(subscription))[0] == 200
    assert await shown(f"{subscription}/resourceGroups") == (200, [group])
    assert (await shown(f"{subscription}/resourceGroups/other"))[0] == 403
    assert (await shown(f"{subscription}/locations"))[0] == 403


async def test_methods_that_a_resource_lacks_are_405(plane):
    answer = await plane.call("PUT", "/experiments/e", {"properties": {}})
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


async def test_an_endpoint_name_is_taken_once_on_a_server(plane):
    other = plane.workspace.replace("/main", "/second")
    await plane.call("PUT", other, {"location": "local", "properties": {}})
    await plane.put("/onlineEndpoints/e", {"authMode": "Key"})
    body = {"location": "local", "properties": {"authMode": "Key"}}
    answer = await plane.call("PUT", f"{other}/onlineEndpoints/e", body)
    assert answer.status_code == 409


@pytest.mark.parametrize("name", ["has_underscore", "1digit", "a" * 33])
async def test_names_that_no_scoring_uri_can_carry_are_refused(plane, name):
    answer = await plane.put(f"/onlineEndpoints/{name}", {"authMode": "Key"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidResourceName")


@pytest.mark.parametrize(
    ("path", "properties", "code"),
    [
        ("/onlineEndpoints/e", {"authMode": "Key", "compute": "aks"}, "KubernetesNotSupported"),
        ("/privateEndpointConnections/p", {}, "FeatureNotSupported"),
    ],
)  # fmt: skip
async def test_what_is_not_served_yet_is_refused_by_name(plane, path, properties, code):
    answer = await plane.put(path, properties)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


async def test_a_group_with_a_workspace_is_not_deleted(plane):
    group = plane.workspace.partition("/providers/")[0]
    answer = await plane.call("DELETE", group)
    assert (answer.status_code, "main" in answer.json()["error"]["message"]) == (409, True)


async def test_patches_at_the_same_time_both_hold(plane):
    await plane.put("/batchEndpoints/b", {})
    bodies = [{"properties": {"properties": {str(number): "x"}}} for number in range(8)]
    answers = await asyncio.gather(
        *(plane.call("PATCH", "/batchEndpoints/b", body) for body in bodies)
    )
    assert {answer.status_code for answer in answers} == {200}
    found = (await plane.call("GET", "/batchEndpoints/b")).json()["properties"]["properties"]
    assert {str(number) for number in range(8)} <= set(found)


async def test_a_description_of_an_mlflow_model_can_be_patched(plane):
    await plane.put("/models/m/versions/1", {**MODEL, "modelFormat": "MLFlow"})
    answer = await plane.call("PATCH", "/models/m/versions/1", {"properties": {"description": "d"}})
    assert (answer.status_code, answer.json()["properties"]["modelFormat"]) == (200, "MLFlow")


async def test_an_asset_of_another_workspace_is_not_taken_for_ones_own(plane):
    await plane.put("/onlineEndpoints/e", {"authMode": "Key"})
    await plane.put("/models/m/versions/1", MODEL)
    elsewhere = plane.workspace.replace("/main", "/other") + "/models/m/versions/1"
    properties = {"endpointComputeType": "Managed", "model": elsewhere}
    await plane.put("/onlineEndpoints/e/deployments/blue", properties)
    await plane.settle_deployments()
    found = await plane.base.resources.find(f"{plane.workspace}/onlineEndpoints/e/deployments/blue")
    assert found.error["code"] == "OtherWorkspace"
