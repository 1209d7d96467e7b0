"""modelmanagement/v1.0: the models of ARM, seen and written through the older service."""

import asyncio

import pytest

from tests.dataplane.requests import ask

REGISTERED = {
    "name": "forest",
    "url": "azureml://datastores/workspaceblobstore/paths/forest",
    "mimeType": "application/x-python",
    "description": "trees",
    "framework": "ScikitLearn",
    "frameworkVersion": "1.5",
    "kvTags": {"area": "wood"},
    "properties": {"depth": "3"},
    "unpack": True,
    "runId": "run_1",
    "experimentName": "grow",
    "datasets": [{"name": "training", "id": "d1"}],
}


@pytest.fixture
def models(plane):
    async def send(method, where="models", /, *rest, **given):
        return await ask(plane, method, f"/modelmanagement/v1.0{plane.workspace}/{where}", *rest,
                         **given)  # fmt: skip

    return send


async def test_what_is_registered_is_read_again_as_it_was(models):
    made = (await models("POST", "models", REGISTERED)).json()
    assert made.items() >= {**REGISTERED, "id": "forest:1", "version": 1}.items()
    assert (await models("GET", "models/forest:1")).json() == made
    assert (await models("GET")).json() == {"value": [made], "nextLink": None}


async def test_every_registration_makes_the_next_version(models):
    answers = await asyncio.gather(*(models("POST", "models", REGISTERED) for _ in range(5)))
    assert sorted(answer.json()["id"] for answer in answers) == [f"forest:{n}" for n in range(1, 6)]


async def test_a_registered_model_is_an_arm_version(models, plane):
    await models("POST", "models", REGISTERED)
    shown = (await plane.call("GET", "/models/forest/versions/1")).json()["properties"]
    assert shown["modelUri"] == REGISTERED["url"]
    assert (shown["description"], shown["tags"]) == ("trees", {"area": "wood"})
    assert shown["properties"]["depth"] == "3"
    container = (await plane.call("GET", "/models/forest")).json()
    assert container["properties"]["latestVersion"] == "1"


async def test_an_arm_version_is_a_model(models, plane):
    uri = "azureml://datastores/workspaceblobstore/paths/oak"
    await plane.put("/models/oak/versions/7", {"modelUri": uri, "tags": {"a": "b"}})
    shown = (await models("GET", "models/oak:7")).json()
    assert (shown["id"], shown["version"], shown["url"]) == ("oak:7", 7, uri)
    assert (shown["kvTags"], shown["properties"], shown["datasets"]) == ({"a": "b"}, {}, [])
    await plane.put("/models/oak/versions/beta", {"modelUri": uri})
    assert (await models("GET", "models/oak:beta")).json()["version"] is None
    made = (await models("POST", "models", {**REGISTERED, "name": "oak"})).json()
    assert made["id"] == "oak:8"


async def test_an_archived_version_is_not_listed(models, plane):
    uri = "azureml://datastores/workspaceblobstore/paths/oak"
    await plane.put("/models/oak/versions/1", {"modelUri": uri, "isArchived": True})
    assert (await models("GET")).json()["value"] == []


FILTERS = [
    ({"name": "oak"}, ["oak:2", "oak:1"]),
    ({"name": "oak", "latestVersionOnly": "true"}, ["oak:2"]),
    ({"framework": "ONNX"}, ["elm:1"]),
    ({"tags": "kind"}, ["elm:1", "oak:2"]),
    ({"tags": "kind=b"}, ["oak:2"]),
    ({"tags": "kind,area=wood"}, ["elm:1"]),
    ({"properties": "size=9"}, ["elm:1"]),
    ({"runId": "r9"}, ["elm:1"]),
    ({"description": "TALL"}, ["oak:1"]),
    ({"orderBy": "CreatedAtAsc"}, ["oak:1", "oak:2", "elm:1"]),
    ({"orderby": "UpdatedAtDesc", "count": "2"}, ["elm:1", "oak:2"]),
    ({"unknown": "x"}, ["elm:1", "oak:2", "oak:1"]),
]


async def test_lists_are_filtered_and_ordered(models):
    await models(
        "POST", "models", {"name": "oak", "url": "azureml:x:1", "description": "A tall one"}
    )
    await models("POST", "models", {"name": "oak", "url": "azureml:x:1", "kvTags": {"kind": "b"}})
    await models("POST", "models", {
        "Name": "elm", "Url": "azureml:x:1", "kvTags": {"kind": "c", "area": "wood"},
        "properties": {"size": "9"}, "framework": "ONNX", "runId": "r9",
    })  # fmt: skip
    for query, expected in FILTERS:
        found = (await models("GET", **query)).json()["value"]
        assert [model["id"] for model in found] == expected, query


async def test_pages_are_linked_with_skip_token(models, plane):
    for _ in range(5):
        await models("POST", "models", REGISTERED)
    seen, link = [], f"/modelmanagement/v1.0{plane.workspace}/models?count=2&name=forest"
    while link:
        body = (await ask(plane, "GET", link)).json()
        assert len(body["value"]) <= 2
        seen += [model["id"] for model in body["value"]]
        link = body["nextLink"]
        assert link is None or ("skipToken" in link and "name=forest" in link)
    assert seen == [f"forest:{n}" for n in (5, 4, 3, 2, 1)]


async def test_description_tags_and_new_properties_can_be_patched(models, plane):
    await models("POST", "models", REGISTERED)
    patch = [
        {"op": "replace", "path": "/description", "value": "old trees"},
        {"op": "add", "path": "/KvTags/age", "value": "9"},
        {"op": "remove", "path": "/kvTags/area"},
        {"op": "add", "path": "/properties/height", "value": "12"},
    ]
    headers = {"content-type": "application/json-patch+json"}
    changed = (await models("PATCH", "models/forest:1", patch, headers=headers)).json()
    assert (changed["description"], changed["kvTags"]) == ("old trees", {"age": "9"})
    assert changed["properties"] == {"depth": "3", "height": "12"}
    assert (changed["mimeType"], changed["framework"]) == ("application/x-python", "ScikitLearn")
    shown = (await plane.call("GET", "/models/forest/versions/1")).json()["properties"]
    assert (shown["description"], shown["tags"]) == ("old trees", {"age": "9"})


REFUSED_PATCHES = [
    ({"op": "replace", "path": "/properties/depth", "value": "4"}, 409,
     "ImmutablePropertyChanged"),
    ({"op": "remove", "path": "/properties"}, 409, "ImmutablePropertyChanged"),
    ({"op": "replace", "path": "/url", "value": "x"}, 400, "BadArgument"),
    ({"op": "replace", "path": "", "value": {}}, 400, "BadArgument"),
    ({"op": "add", "path": "/kvTags", "value": "x"}, 400, "ValidationError"),
    ({"op": "add", "path": "/kvTags/a", "value": {"deep": 1}}, 400, "ValidationError"),
    ({"op": "add", "path": "/description", "value": 7}, 400, "ValidationError"),
    ({"op": "test", "path": "/description", "value": "no"}, 412, "PreconditionFailed"),
]  # fmt: skip


async def test_a_patch_that_may_not_be_leaves_the_model_alone(models):
    made = (await models("POST", "models", REGISTERED)).json()
    for operation, status, code in REFUSED_PATCHES:
        patch = [{"op": "add", "path": "/kvTags/new", "value": "1"}, operation]
        answer = await models("PATCH", "models/forest:1", patch)
        assert (answer.status_code, answer.json()["code"]) == (status, code), operation
        assert (await models("GET", "models/forest:1")).json() == made


async def test_patches_at_the_same_time_all_count(models):
    await models("POST", "models", REGISTERED)
    patches = [[{"op": "add", "path": f"/kvTags/t{n}", "value": "1"}] for n in range(8)]
    await asyncio.gather(*(models("PATCH", "models/forest:1", patch) for patch in patches))
    tags = (await models("GET", "models/forest:1")).json()["kvTags"]
    assert tags.keys() == {"area", *(f"t{n}" for n in range(8))}


async def test_a_deleted_model_is_gone_from_both_sides(models, plane):
    await models("POST", "models", REGISTERED)
    assert (await models("DELETE", "models/forest:1")).status_code == 200
    assert (await models("DELETE", "models/forest:1")).status_code == 204
    assert (await models("GET", "models/forest:1")).status_code == 404
    assert (await plane.call("GET", "/models/forest/versions/1")).status_code == 404


async def test_a_refusal_has_the_form_of_this_service(models):
    cases = [
        ({"name": "a"}, "ValidationError"),
        ({"name": "a/b", "url": "x"}, "InvalidResourceName"),
        ({"name": "a", "url": "aml://asset/none"}, "AssetNotFound"),
        (b"{", "InvalidRequestContent"),
    ]
    for body, code in cases:
        answer = await models("POST", "models", body)
        said = answer.json()
        assert (said["code"], said["statusCode"]) == (code, answer.status_code)
        assert said["message"]
        assert isinstance(said["details"], list)
        assert "error" not in said


async def test_an_unknown_order_or_token_is_refused(models):
    assert (await models("GET", orderBy="Upwards")).json()["code"] == "BadArgument"
    assert (await models("GET", **{"$skipToken": "@@@"})).status_code == 400
    assert (await models("GET", count="none")).status_code == 400


async def test_a_model_is_registered_from_an_asset_of_uploaded_files(models, plane):
    prefix = "LocalUpload/240101-abc/model"
    asset = {"name": "forest", "artifacts": [{"prefix": prefix}], "kvTags": {"a": "b"}}
    made = (await models("POST", "assets", asset)).json()
    assert made["artifacts"] == [{"id": None, "prefix": prefix}]
    url = f"aml://asset/{made['id']}"
    model = (await models("POST", "models", {**REGISTERED, "url": url})).json()
    assert model["url"] == url
    shown = (await plane.call("GET", "/models/forest/versions/1")).json()["properties"]
    assert shown["modelUri"] == f"azureml://datastores/workspaceartifactstore/paths/{prefix}"
    listed = (await models("GET", "assets", name="forest", tags="a=b")).json()["value"]
    assert listed == [made] == [(await models("GET", f"assets/{made['id']}")).json()]
    assert (await models("GET", "assets", name="other")).json()["value"] == []
    assert (await models("DELETE", f"assets/{made['id']}")).status_code == 200
    assert (await models("DELETE", f"assets/{made['id']}")).status_code == 204
    assert (await models("POST", "assets", {"name": "x", "artifacts": [{}]})).status_code == 400


async def test_an_online_deployment_is_a_service(models, plane):
    assert (await plane.put("/onlineEndpoints/e1", {"authMode": "Key"})).status_code == 201
    uri = "azureml://datastores/workspaceblobstore/paths/oak"
    model = (await plane.put("/models/oak/versions/7", {"modelUri": uri})).json()["id"]
    made = await plane.put(
        "/onlineEndpoints/e1/deployments/blue",
        {"model": model, "environmentId": "azureml:x:1", "endpointComputeType": "Managed"},
        tags={"team": "t"},
        sku={"name": "Default", "capacity": 1},
    )
    assert made.status_code == 201, made.text
    (service,) = (await models("GET", "services", modelName="oak")).json()["value"]
    assert (service["id"], service["modelIds"]) == ("e1:blue", ["oak:7"])
    assert (service["state"], service["computeType"]) == ("Transitioning", "UNKNOWN")
    assert service["scoringUri"] == "https://localhost:8443/inference/e1/score"
    assert (await models("GET", "services/e1:blue")).json() == service
    keys = (await models("POST", "services/e1:blue/listkeys")).json()
    assert keys == (await plane.call("POST", "/onlineEndpoints/e1/listKeys")).json()
    for query in ({"modelId": "oak:8"}, {"computeType": "ACI"}, {"tags": "team=u"}):
        assert (await models("GET", "services", **query)).json()["value"] == []
    assert (await models("GET", "services/e1:green")).json()["code"] == "ServiceNotFound"


async def test_what_is_not_there_says_so_and_what_to_do(models):
    for method, path in (
        ("POST", "services"),
        ("DELETE", "services/a:b"),
        ("GET", "images"),
        ("POST", "images/i/profiles"),
        ("GET", "models/a:1/metrics"),
    ):
        answer = await models(method, path)
        assert (answer.status_code, answer.json()["code"]) == (501, "NotImplemented")
        assert ":" in answer.json()["message"]
