"""The rules of ARM that hold for every kind. Source: spec/REST.md 2."""

import re

import httpx2
import pytest

MODEL = {"modelUri": "azureml://datastores/workspaceblobstore/paths/m/model.pkl"}
CLUSTER = {"computeType": "AmlCompute", "properties": {"scaleSettings": {"maxNodeCount": 1}}}
STORE = {
    "datastoreType": "AzureBlob",
    "accountName": "a",
    "containerName": "c",
    "credentials": {"credentialsType": "None"},
}
BROKEN = {"endpointComputeType": "Managed", "model": "azureml:none:1"}
VERSION = "/models/iris/versions/1"
BATCH = "/batchEndpoints/b"
ONLINE = "/onlineEndpoints/e"


def error_of(answer):
    return answer.status_code, answer.json()["error"]["code"]


SPELLINGS = (
    lambda path: path + "/",
    lambda path: path.replace("/subscriptions/", "/SUBSCRIPTIONS/"),
    lambda path: path.replace("resourceGroups", "resourcegroups"),
    lambda path: path.replace(
        "Microsoft.MachineLearningServices", "microsoft.machinelearningservices"
    ),
    lambda path: path.replace("/models/iris/versions", "/MODELS/IRIS/Versions"),
)


async def test_an_address_is_found_however_it_is_spelled_and_shown_as_azure_spells_it(plane):
    for spell in SPELLINGS:
        made = await plane.put(VERSION, MODEL)
        found = await plane.call("GET", spell(plane.workspace + VERSION))
        assert (found.status_code, found.json()["id"]) == (200, made.json()["id"])
        assert found.json()["id"] == plane.workspace + VERSION


async def test_a_new_resource_keeps_the_names_of_its_caller_and_azures_types(plane):
    path = plane.workspace.replace("resourceGroups", "RESOURCEGROUPS") + "/MODELS/Iris/VERSIONS/V1"
    made = await plane.call("PUT", path, {"properties": MODEL})
    assert made.json()["id"] == plane.workspace + "/models/Iris/versions/V1"
    assert (await plane.call("GET", "/models")).json()["value"][0]["name"] == "Iris"


EMPTY = (
    "//models",
    "/models//versions/1",
)


async def test_an_empty_segment_is_refused(plane):
    for path in EMPTY:
        assert error_of(await plane.call("GET", path)) == (400, "InvalidRequestUri")


BAD_VERSIONS = (
    (None, "MissingApiVersionParameter"),
    ("", "MissingApiVersionParameter"),
    ("2021", "InvalidApiVersionParameter"),
    ("2021-10-01-beta", "InvalidApiVersionParameter"),
    ("٢٠٢١-10-01", "InvalidApiVersionParameter"),
    ("' OR 1=1--", "InvalidApiVersionParameter"),
    ("2001-01-01", "NoRegisteredProviderFound"),
    ("9999-01-01", "NoRegisteredProviderFound"),
)


async def test_a_bad_api_version_says_which_are_supported(plane):
    for api, code in BAD_VERSIONS:
        answer = await plane.call("GET", VERSION, api=api)
        assert error_of(answer) == (400, code)
        assert "2021-10-01" in answer.json()["error"]["message"]


LATER_VERSIONS = (
    "2023-02-01-Preview",
    "2022-12-01-preview",
    "2025-12-01",
)


async def test_versions_that_no_list_names_are_answered(plane):
    for api in LATER_VERSIONS:
        assert (await plane.call("GET", "", api=api)).status_code == 200


async def test_older_providers_answer_their_older_versions(plane):
    assert (await plane.call("GET", "/subscriptions", api="2016-06-01")).status_code == 200


CONDITIONS = (
    ("if-match", "{tag}", True),
    ("if-match", "W/{tag}", True),
    ("if-match", '"0", {tag}', True),
    ("if-match", "*", True),
    ("if-match", '"0"', False),
    ("if-match", "nonsense", False),
    ("if-match", '"' + "9" * 5000 + '"', False),
    ("if-none-match", "*", False),
    ("if-none-match", "{tag}", False),
    ("if-none-match", '"0"', True),
)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_write_holds_to_its_conditions(plane, method):
    for number, (header, value, holds) in enumerate(CONDITIONS):
        path = f"/batchEndpoints/b{number}"
        made = await plane.put(path, {"description": "before"})
        headers = {header: value.replace("{tag}", made.headers["etag"])}
        body = {"location": "local", "properties": {"description": "x"}}
        given = None if method == "DELETE" else body
        answer = await plane.call(method, path, given, headers=headers)
        if not holds:
            assert error_of(answer) == (412, "PreconditionFailed"), (header, value)
        assert (answer.status_code == 200) is holds, (header, value)
        left = await plane.call("GET", path)
        if method != "DELETE" or not holds:
            assert left.json()["properties"]["description"] == ("x" if holds else "before")


async def test_what_is_not_there_matches_nothing(plane):
    for method, status in (("PUT", 412), ("PATCH", 404), ("DELETE", 412)):
        body = None if method == "DELETE" else {"location": "local", "properties": {}}
        answer = await plane.call(method, BATCH, body, headers={"if-match": "*"})
        assert answer.status_code == status, method


async def test_a_get_is_answered_only_if_something_has_changed(plane):
    tag = (await plane.put(ONLINE, {"authMode": "Key"})).headers["etag"]
    known = {"if-none-match": tag}
    same = await plane.call("GET", ONLINE, headers=known)
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    await plane.settle_kinds("/nothing")  # the state changes, though nobody wrote
    changed = await plane.call("GET", ONLINE, headers=known)
    assert (changed.status_code, changed.headers["etag"] != tag) == (200, True)
    assert (await plane.call("PATCH", ONLINE, {}, headers={"if-match": tag})).status_code == 200


METHODS = (
    ("/models", {"GET", "OPTIONS"}),
    (VERSION, {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"}),
    ("/onlineEndpoints/e/listKeys", {"POST", "OPTIONS"}),
)


async def test_options_lists_what_405_allows(plane):
    for path, allowed in METHODS:
        options = await plane.call("OPTIONS", path)
        assert (options.status_code, options.content) == (204, b"")
        assert set(options.headers["allow"].split(", ")) == allowed
        refused = await plane.call("TRACE", path)
        assert error_of(refused) == (405, "MethodNotAllowed")
        assert set(refused.headers["allow"].split(", ")) == allowed - {"OPTIONS"}


async def test_head_answers_without_a_body(plane):
    await plane.put(VERSION, MODEL)
    found = await plane.call("HEAD", VERSION)
    assert (found.status_code, found.content) == (204, b"")
    assert (await plane.call("HEAD", "/models/none")).status_code == 404


@pytest.mark.parametrize(
    ("path", "properties", "made", "again", "patched", "deleted"),
    [
        ("/models/m/versions/1", MODEL, 201, 200, 200, 200),
        ("/models/m", {}, 201, 200, 200, 200),
        ("/datastores/d", STORE, 201, 200, 200, 200),
        (BATCH, {}, 201, 200, 200, 200),
        (ONLINE, {"authMode": "Key"}, 201, 200, 202, 202),
        ("/computes/c", CLUSTER, 201, 200, 200, 202),
    ],
)
async def test_statuses_of_writes(plane, path, properties, made, again, patched, deleted):
    assert (await plane.put(path, properties)).status_code == made
    assert (await plane.put(path, properties)).status_code == again
    assert (await plane.call("PATCH", path, {"properties": {}})).status_code == patched
    answer = await plane.call("DELETE", path, underlyingResourceAction="Delete")
    assert answer.status_code == deleted


async def test_a_workspace_is_made_and_deleted_by_202_and_location(plane):
    other = plane.workspace.replace("/main", "/other")
    made = await plane.call("PUT", other, {"location": "local", "properties": {}})
    assert (made.status_code, made.content) == (202, b"")
    running = await follow(plane, made.headers["location"])
    assert (running.status_code, running.json()["status"]) == (202, "InProgress")
    await plane.settle_kinds("/workspaces")
    done = await follow(plane, made.headers["location"])
    assert (done.status_code, done.json()["id"]) == (200, other)
    again = await plane.call("PUT", other, {"location": "local", "properties": {}})
    assert (again.status_code, again.json()["id"]) == (200, other)
    assert (await plane.call("DELETE", other)).status_code == 202


WATCHED = {
    "mfe": ("mfeOperationsStatus", "mfeOperationResults"),
    "compute": ("computeOperationsStatus", "computeOperationsResults"),
}


@pytest.mark.parametrize(
    ("path", "properties", "service", "prefix", "timeout"),
    [
        (ONLINE, {"authMode": "Key"}, "mfe", "oeidp:", "PT1H"),
        ("/computes/c", CLUSTER, "compute", "", None),
    ],
)
async def test_which_write_carries_which_headers(plane, path, properties, service, prefix, timeout):
    status, results = WATCHED[service]
    made = await plane.put(path, properties)
    address = (
        r"https://localhost:8443/subscriptions/[-\w]+/providers/Microsoft\.MachineLearningServices"
    )
    address += rf"/locations/local/%s/{prefix}[0-9a-f]+:\d+\?api-version=2021-10-01"
    assert re.fullmatch(address % status, made.headers["azure-asyncoperation"])
    assert "location" not in made.headers
    deleted = await plane.call("DELETE", path, underlyingResourceAction="Delete")
    assert re.fullmatch(address % results, deleted.headers["location"])
    assert ("azure-asyncoperation" in deleted.headers) is (service == "compute")
    for answer in (made, deleted):
        assert answer.headers["retry-after"] == "1"
        assert answer.headers.get("x-ms-async-operation-timeout") == timeout
    assert (await plane.call("GET", path)).headers["retry-after"] == "1"


async def test_records_carry_none_of_these_headers(plane):
    made = await plane.put(VERSION, MODEL)
    watched = {"azure-asyncoperation", "location", "retry-after", "x-ms-async-operation-timeout"}
    assert not watched & {name.lower() for name in made.headers}


async def test_a_patch_is_followed_to_the_resource_and_a_deletion_to_nothing(plane):
    await plane.put(ONLINE, {"authMode": "Key"})
    patched = await plane.call("PATCH", ONLINE, {"properties": {"description": "new"}})
    assert (await follow(plane, patched.headers["location"])).status_code == 202
    await plane.settle_kinds("/nothing")
    done = await follow(plane, patched.headers["location"])
    assert (done.status_code, done.json()["properties"]["description"]) == (200, "new")
    deleted = await plane.call("DELETE", ONLINE)
    await plane.settle_kinds("/nothing")
    gone = await follow(plane, deleted.headers["location"])
    assert (gone.status_code, gone.content) == (204, b"")


async def test_an_operation_that_failed_says_why(plane):
    await plane.put(ONLINE, {"authMode": "Key"})
    made = await plane.put(f"{ONLINE}/deployments/blue", BROKEN)
    await plane.settle_deployments()
    status = await follow(plane, made.headers["azure-asyncoperation"])
    assert (status.status_code, status.json()["status"]) == (200, "Failed")
    results = made.headers["azure-asyncoperation"].replace("OperationsStatus", "OperationResults")
    failed = await follow(plane, results)
    assert error_of(failed) == (409, status.json()["error"]["code"])


UNKNOWN = (
    "x",
    "a:b",
    "a:²",
    "a:" + "9" * 5000,
    ":1",
    "odidp:x:1",
)


async def test_an_unknown_operation_is_404(plane):
    for name in UNKNOWN:
        path = "/providers/Microsoft.MachineLearningServices/locations/local/mfeOperationsStatus/"
        subscription = plane.workspace.partition("/resourceGroups")[0]
        assert (await plane.call("GET", subscription + path + name)).status_code == 404


async def follow(plane, url):
    headers = {"authorization": f"Bearer {plane.bearer}"}
    return await plane.client.get(httpx2.URL(url), headers=headers)


@pytest.mark.parametrize("media", ["application/json", "application/merge-patch+json", None])
async def test_a_patch_replaces_removes_and_leaves(plane, media):
    await plane.put(
        BATCH, {"description": "d", "properties": {"a": "1", "b": "2"}}, tags={"t": "1"}
    )
    headers = {"content-type": media} if media else {}
    body = b'{"properties": {"properties": {"a": null, "c": "3"}}, "tags": {"u": "2"}}'
    answer = await plane.call("PATCH", BATCH, body, headers=headers)
    shown = answer.json()
    own = shown["properties"]["properties"]
    own.pop("AzureAsyncOperationUri")
    assert own == {"b": "2", "c": "3"}
    assert (shown["properties"]["description"], shown["tags"]) == ("d", {"u": "2"})


async def test_archived_assets_are_listed_by_view(plane):
    for name, archived in (("old", True), ("new", False)):
        await plane.put(f"/models/{name}", {"isArchived": archived})

    async def listed(**query):
        page = await plane.call("GET", "/models", **query)
        return {item["name"] for item in page.json()["value"]}

    assert await listed() == {"new"}
    assert await listed(listViewType="archivedonly") == {"old"}
    assert await listed(listViewType="All") == {"old", "new"}
    assert error_of(await plane.call("GET", "/models", listViewType="Some")) == (400, "BadArgument")


async def test_system_data_says_who_and_when(plane):
    first = (await plane.put(VERSION, MODEL)).json()["systemData"]
    later = (await plane.put(VERSION, {**MODEL, "description": "d"})).json()["systemData"]
    assert first["createdByType"] == first["lastModifiedByType"] == "Application"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", first["createdAt"])
    assert later["createdAt"] == first["createdAt"]
    assert later["lastModifiedAt"] > first["lastModifiedAt"]


async def test_deleting_takes_everything_inside_along(plane):
    await plane.put(ONLINE, {"authMode": "Key"})
    await plane.put(f"{ONLINE}/deployments/blue", BROKEN)
    await plane.call("DELETE", ONLINE)
    left = await plane.call("GET", f"{ONLINE}/deployments/blue")
    assert left.json()["properties"]["provisioningState"] == "Deleting"
    again = await plane.put(ONLINE, {"authMode": "Key"})
    assert error_of(again) == (409, "Conflict")


async def test_every_answer_can_be_told_apart(plane):
    answer = await plane.call("GET", "")
    own = answer.headers["x-ms-request-id"]
    assert answer.headers["x-ms-correlation-request-id"] == own
    assert re.fullmatch(rf"LOCAL:\d{{8}}T\d{{6}}Z:{own}", answer.headers["x-ms-routing-request-id"])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"
    assert (await plane.call("GET", "")).headers["x-ms-request-id"] != own


ECHOES = (
    ({"x-ms-client-request-id": "mine"}, None),
    ({"x-ms-client-request-id": "mine", "x-ms-return-client-request-id": "true"}, "mine"),
    ({"x-ms-client-request-id": "x" * 500, "x-ms-return-client-request-id": "true"}, None),
)


async def test_a_callers_request_id_comes_back_when_asked_for(plane):
    for sent, echoed in ECHOES:
        answer = await plane.call("GET", "/models/none", headers=sent)
        assert answer.headers.get("x-ms-client-request-id") == echoed


async def test_a_callers_correlation_id_is_kept(plane):
    answer = await plane.call("GET", "", headers={"x-ms-correlation-request-id": "one-two"})
    assert answer.headers["x-ms-correlation-request-id"] == "one-two"


ORIGINS = (
    ("https", "aml.example", "max-age=31536000; includeSubDomains"),
    ("https", "localhost:8443", "max-age=0"),
    ("https", "127.0.0.1:8443", "max-age=0"),
    ("http", "aml.example", None),
)


async def test_browsers_are_held_to_https_where_it_harms_nobody(plane):
    for proto, host, said in ORIGINS:
        answer = await plane.call("GET", "", headers={"x-forwarded-proto": proto, "host": host})
        assert answer.headers.get("strict-transport-security") == said


async def test_without_a_token_the_way_to_one_is_shown(plane):
    answer = await plane.client.get(plane.workspace)
    assert error_of(answer) == (401, "AuthenticationFailed")
    assert answer.headers["www-authenticate"].startswith('Bearer authorization_uri="https://')
