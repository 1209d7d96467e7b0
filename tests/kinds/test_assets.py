"""Codes, models, environments and components over HTTP, in every form they have."""

import httpx2
import pytest

A, B, C, D = "2021-03-01-preview", "2021-10-01", "2022-05-01", "2023-10-01"
URI = "azureml://datastores/workspaceblobstore/paths/m/model.pkl"
CODE = {"codeUri": URI}
MODEL = {"modelUri": URI}
ROUTE = {"path": "/score", "port": 5001}
SPEC = {"type": "command", "inputs": {"a": {"type": "integer", "default": 3}}, "command": "ls"}


async def shown(plane, path, api):
    answer = await plane.call("GET", path, api=api)
    assert answer.status_code == 200, answer.text
    return answer.json()["properties"]


async def made(plane, path, properties, api=B):
    answer = await plane.call("PUT", path, {"properties": properties}, api=api)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.parametrize(("plural", "field"), [("codes", "codeUri"), ("models", "modelUri")])
async def test_a_datastore_and_a_path_read_as_a_uri(plane, plural, field):
    store = f"{plane.workspace}/datastores/workspaceblobstore"
    path = f"/{plural}/x/versions/1"
    old = await made(plane, path, {"datastoreId": store, "path": "folder/file"}, A)
    assert old["properties"]["datastoreId"].lower() == store.lower()
    assert (old["properties"]["path"], field in old["properties"]) == ("folder/file", False)
    new = await shown(plane, path, D)
    inside = plane.workspace.replace("/providers/Microsoft.MachineLearningServices", "")
    expected = f"azureml:/{inside}/datastores/workspaceblobstore/paths/folder/file"
    assert new[field].lower() == expected.lower()
    assert "path" not in new


async def test_a_uri_reads_as_a_datastore_and_a_path(plane):
    await made(plane, "/codes/c/versions/1", CODE)
    old = await shown(plane, "/codes/c/versions/1", A)
    assert (old["datastoreId"], old["path"]) == ("azureml:workspaceblobstore", "m/model.pkl")
    again = await plane.call("PUT", "/codes/c/versions/1", {"properties": old}, api=A)
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("api", "field", "value"),
    [
        (B, "modelFormat", "MLFlow"),
        ("2022-02-01-preview", "modelType", "MLFlowModel"),
        (C, "modelType", "mlflow_model"),
        (D, "modelType", "mlflow_model"),
    ],
)
async def test_the_type_of_a_model_goes_by_the_name_of_the_version(plane, api, field, value):
    await made(plane, "/models/m/versions/1", {**MODEL, field: value.upper()}, api)
    assert (await shown(plane, "/models/m/versions/1", api))[field] == value
    assert (await shown(plane, "/models/m/versions/1", D))["modelType"] == "mlflow_model"


async def test_the_stage_of_a_model_may_change_and_is_not_shown_to_older_versions(plane):
    await made(plane, "/models/m/versions/1", {**MODEL, "stage": "dev"}, D)
    change = {"properties": {**MODEL, "stage": "prod", "isArchived": True, "tags": {"a": "1"}}}
    changed = await plane.call("PUT", "/models/m/versions/1", change, api=D)
    assert (changed.status_code, changed.json()["properties"]["stage"]) == (200, "prod")
    assert "stage" not in await shown(plane, "/models/m/versions/1", C)
    await plane.call("PUT", "/models/m/versions/1", {"properties": MODEL}, api=C)
    assert (await shown(plane, "/models/m/versions/1", D))["stage"] == "prod"


async def test_assets_have_a_state_from_2023_on(plane):
    await made(plane, "/models/m/versions/1", MODEL)
    for path in ("/models/m", "/models/m/versions/1"):
        assert (await shown(plane, path, D))["provisioningState"] == "Succeeded"
        assert "provisioningState" not in await shown(plane, path, C)


async def test_archives_and_numbers_came_with_2021_10(plane):
    await made(plane, "/codes/c/versions/1", CODE)
    assert not {"isArchived", "latestVersion"} & set(await shown(plane, "/codes/c", A))
    assert (await shown(plane, "/codes/c", B))["nextVersion"] == "2"


async def test_an_asset_has_a_description_and_tags_of_its_own(plane):
    container = {"description": "ours", "tags": {"team": "x"}, "properties": {"a": "b"}}
    await made(plane, "/models/m", {**container, "isArchived": True}, C)
    await made(plane, "/models/m/versions/1", MODEL)
    found = await shown(plane, "/models/m", C)
    assert found | container == found
    assert (found["isArchived"], found["latestVersion"]) == (True, "1")
    listed = (await plane.call("GET", "/models", listViewType="ActiveOnly")).json()["value"]
    assert listed == []


async def test_an_asset_made_by_its_version_has_all_properties(plane):
    await made(plane, "/models/m/versions/1", MODEL)
    found = await shown(plane, "/models/m", B)
    assert found == {
        "description": None,
        "tags": {},
        "properties": {},
        "isArchived": False,
        "latestVersion": "1",
        "nextVersion": "2",
    }


async def test_the_docker_form_reads_as_an_image(plane):
    docker = {
        "DockerSpecificationType": "image",
        "DockerImageUri": "mcr.example/base",
        "Platform": {"OperatingSystemType": "linux"},
    }
    given = {"Docker": docker, "condaFile": "x", "inferenceContainerProperties": {
        "scoringRoute": ROUTE}}  # fmt: skip
    old = (await made(plane, "/environments/e/versions/1", given, A))["properties"]
    assert old["docker"] == {
        "dockerSpecificationType": "Image",
        "dockerImageUri": "mcr.example/base",
        "platform": {"operatingSystemType": "Linux"},
    }
    assert old["environmentSpecificationType"] == "UserCreated"
    new = await shown(plane, "/environments/e/versions/1", D)
    assert (new["image"], new["condaFile"], "docker" in new) == ("mcr.example/base", "x", False)
    assert (new["inferenceConfig"]["scoringRoute"], new["environmentType"]) == (
        ROUTE,
        "UserCreated",
    )


async def test_the_text_of_a_dockerfile_is_kept_for_the_version_that_takes_it(plane):
    given = {"docker": {"dockerSpecificationType": "Build", "dockerfile": "FROM x"}}
    await made(plane, "/environments/e/versions/1", given, A)
    new = await shown(plane, "/environments/e/versions/1", D)
    assert (new["image"], new["build"], "dockerfile" in new) == (None, None, False)
    kept = await plane.call("PUT", "/environments/e/versions/1", {"properties": new}, api=D)
    assert kept.status_code == 200
    old = await shown(plane, "/environments/e/versions/1", A)
    assert old["docker"]["dockerfile"] == "FROM x"


async def test_a_build_context_reads_in_both_forms(plane):
    build = {"contextUri": URI, "dockerfilePath": "docker/Dockerfile"}
    await made(plane, "/environments/e/versions/1", {"build": build})
    old = await shown(plane, "/environments/e/versions/1", A)
    assert old["docker"]["context"] == URI
    again = await plane.call("PUT", "/environments/e/versions/1", {"properties": old}, api=A)
    assert again.status_code == 200
    assert (await shown(plane, "/environments/e/versions/1", B))["build"] == build


@pytest.mark.parametrize(
    ("path", "before", "change", "field"),
    [
        ("/codes/x/versions/1", CODE, {"codeUri": "azureml://datastores/d/paths/z"}, "codeUri"),
        ("/codes/x/versions/1", CODE, {"isAnonymous": True}, "isAnonymous"),
        ("/models/x/versions/1", MODEL, {"modelType": "mlflow_model"}, "modelType"),
        ("/environments/x/versions/1", {"image": "a"}, {"condaFile": "b"}, "condaFile"),
        ("/environments/x/versions/1", {"image": "a"}, {"osType": "Windows"}, "osType"),
        ("/environments/x/versions/1", {"image": "a"}, {"autoRebuild": "OnBaseImageUpdate"},
         "autoRebuild"),
        ("/components/x/versions/1", {"componentSpec": SPEC}, {"componentSpec": {}},
         "componentSpec"),
    ],
)  # fmt: skip
async def test_what_a_version_is_cannot_change(plane, path, before, change, field):
    await made(plane, path, before, D)
    answer = await plane.call("PUT", path, {"properties": {**before, **change}}, api=D)
    assert (answer.status_code, answer.json()["error"]["target"]) == (409, field)
    assert (await plane.call("PUT", path, {"properties": before}, api=D)).status_code == 200


async def test_a_component_is_kept_as_it_is_given(plane):
    await made(plane, "/components/c/versions/1", {"componentSpec": SPEC})
    assert (await shown(plane, "/components/c/versions/1", B))["componentSpec"] == SPEC
    assert (await shown(plane, "/components/c", B))["latestVersion"] == "1"


async def test_a_component_without_a_version_is_the_newest_active_one(plane):
    """azure-ai-ml asks for this version where a user names none."""
    default = "/components/c/versions/azureml_default"
    assert (await plane.call("GET", default, api=B)).status_code == 404
    for version, archived in (("1", False), ("2", False), ("3", True)):
        properties = {"componentSpec": SPEC, "isArchived": archived}
        await made(plane, f"/components/c/versions/{version}", properties)
    assert (await plane.call("GET", default, api=B)).json()["name"] == "2"


@pytest.mark.parametrize(
    ("path", "properties", "target"),
    [
        ("/environments/e/versions/1", {"osType": "Solaris"}, "osType"),
        ("/environments/e/versions/1", {"build": {}}, "build.contextUri"),
        ("/environments/e/versions/1",
         {"inferenceConfig": {"scoringRoute": {"path": "/", "port": "x"}}},
         "inferenceConfig.scoringRoute.port"),
        ("/environments/e/versions/1",
         {"inferenceConfig": {"scoringRoute": {"path": "/caf\u00e9", "port": 80}}},
         "inferenceConfig.scoringRoute.path"),
        ("/codes/c/versions/1", {}, "codeUri"),
        ("/components/c/versions/1", {"componentSpec": "text"}, "componentSpec"),
    ],
)  # fmt: skip
async def test_faults_are_named(plane, path, properties, target):
    answer = await plane.put(path, properties)
    assert (answer.status_code, answer.json()["error"]["details"][0]["target"]) == (400, target)
    assert (await plane.call("GET", path)).status_code == 404


@pytest.mark.parametrize("plural", ["codes", "models", "data", "environments"])
async def test_files_are_uploaded_before_their_version_is_there(plane, plural):
    path = f"/{plural}/0a1b/versions/1/startPendingUpload"
    answer = await plane.call("POST", path, {"pendingUploadType": "TemporaryBlobReference"})
    given = answer.json()["blobReferenceForConsumption"]
    uri, signed = given["blobUri"], given["credential"]["sasUri"]
    assert signed.startswith(uri + "?")
    url = signed.replace("?", "/folder/score.py?", 1)
    put = await plane.client.put(url, content=b"x", headers={"x-ms-blob-type": "BlockBlob"})
    assert put.status_code == 201, put.text
    elsewhere = url.replace(httpx2.URL(uri).path, httpx2.URL(uri).path[:-1] + "z")
    assert (await plane.client.get(elsewhere)).status_code == 403


async def test_an_upload_goes_by_its_id_and_ends_with_the_version(plane):
    path = "/codes/c/versions/1"

    async def start(asset, upload):
        answer = await plane.call(
            "POST", f"{asset}/createOrGetStartPendingUpload", {"pendingUploadId": upload}
        )
        return answer.json()["blobReferenceForConsumption"]["blobUri"]

    first = await start(path, "one")
    assert await start(path, "one") == first
    assert len({first, await start(path, "two"), await start("/codes/d/versions/1", "one")}) == 3
    await made(plane, path, {"codeUri": f"{first}/folder"})
    late = await plane.call("POST", f"{path}/startPendingUpload", {"pendingUploadId": "one"})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "Conflict")


async def test_other_kinds_of_uploads_and_missing_workspaces_are_refused(plane):
    path = "/codes/c/versions/1/startPendingUpload"
    answer = await plane.call("POST", path, {"pendingUploadType": "None"})
    assert (answer.status_code, answer.json()["error"]["target"]) == (400, "pendingUploadType")
    elsewhere = plane.workspace.replace("/main", "/none")
    assert (await plane.call("POST", elsewhere + path)).status_code == 404
