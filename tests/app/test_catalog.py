"""Documents of ARM: providers, operations, and lists of all resources."""

import pytest

from lazulite.app.inventory import read_filter
from lazulite.core.errors import ArmError

ML = "Microsoft.MachineLearningServices"


@pytest.fixture
def subscription(plane):
    return plane.workspace.partition("/resourceGroups/")[0]


async def at(plane, path, method="GET", **query):
    return await plane.client.request(
        method,
        path,
        params={"api-version": "2021-04-01", **query},
        headers={"authorization": f"Bearer {plane.bearer}"},
    )


async def test_a_provider_tells_its_types_and_is_registered(plane, subscription):
    path = f"{subscription}/providers/{ML.lower()}"
    shown = (await at(plane, path)).json()
    assert shown["id"] == f"{subscription}/providers/{ML}"
    assert (shown["namespace"], shown["registrationState"]) == (ML, "Registered")
    types = {one["resourceType"]: one for one in shown["resourceTypes"]}
    assert "local" in types["workspaces"]["locations"]
    assert types["workspaces/jobs"]["apiVersions"][0] > "2022"
    assert (await at(plane, f"{path}/register", "POST")).json() == shown
    listed = (await at(plane, f"{subscription}/providers")).json()["value"]
    assert shown in listed
    assert {"Microsoft.Storage", "Microsoft.Resources"} <= {one["namespace"] for one in listed}
    tenant = (await at(plane, f"/providers/{ML}")).json()
    assert tenant == {**shown, "id": f"/providers/{ML}"}
    assert tenant in (await at(plane, "/providers/")).json()["value"]


async def test_a_provider_that_is_not_there_is_named(plane, subscription):
    for path in (f"{subscription}/providers/Microsoft.None", "/providers/Microsoft.None"):
        answer = await at(plane, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (
            404,
            "InvalidResourceNamespace",
        )
        assert "Microsoft.None" in answer.json()["error"]["message"]


async def test_a_subscription_that_is_not_there_has_no_documents(plane):
    for tail in ("resources", "resourceGroups/g/resources"):
        answer = await at(plane, f"/subscriptions/none/{tail}")
        assert answer.json()["error"]["code"] == "SubscriptionNotFound", tail
    for tail in ("providers", f"providers/{ML}"):
        assert (await at(plane, f"/subscriptions/none/{tail}")).status_code in {403, 404}


async def test_documents_need_a_token_a_version_and_the_right_method(plane, subscription):
    for path in ("/providers", f"{subscription}/providers", f"{subscription}/resources"):
        answer = await plane.client.get(path, params={"api-version": "2021-04-01"})
        assert answer.status_code == 401
        answer = await at(plane, path, **{"api-version": ""})
        assert answer.json()["error"]["code"] == "MissingApiVersionParameter"
        answer = await at(plane, path, "DELETE")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


async def test_operations_are_what_roles_can_grant(plane):
    shown = (await at(plane, f"/providers/{ML}/operations")).json()["value"]
    names = {one["name"] for one in shown}
    assert len(names) == len(shown)
    assert names >= {
        f"{ML}/workspaces/read",
        f"{ML}/workspaces/computes/write",
        f"{ML}/workspaces/onlineEndpoints/listKeys/action",
        f"{ML}/workspaces/onlineEndpoints/score/action",
        f"{ML}/workspaces/metadata/artifacts/read",
    }
    assert all(one["display"].keys() >= {"provider", "resource", "operation"} for one in shown)


async def test_all_tracked_resources_are_in_one_list(plane, subscription):
    await plane.put("/onlineEndpoints/e1", {"authMode": "Key"}, tags={"team": "red"})
    everything = (await at(plane, f"{subscription}/resources")).json()["value"]
    types = [one["type"] for one in everything]
    assert set(types) >= {
        f"{ML}/workspaces",
        f"{ML}/workspaces/onlineEndpoints",
        "Microsoft.Storage/storageAccounts",
    }
    assert f"{ML}/workspaces/datastores" not in types
    of_group = (await at(plane, f"{subscription}/resourcegroups/LOCAL/resources")).json()["value"]
    assert of_group == everything
    (one,) = (
        await at(
            plane,
            f"{subscription}/resources",
            **{"$filter": "tagName eq 'team' and tagValue eq 'red'", "$expand": "createdTime"},
        )
    ).json()["value"]
    assert (one["name"], one["location"], one["tags"]) == ("e1", "local", {"team": "red"})
    assert one.keys() == {"id", "name", "type", "location", "tags", "createdTime"}
    workspaces = await at(
        plane,
        f"{subscription}/resources",
        **{"$filter": f"resourceType eq '{ML.upper()}/workspaces'"},
    )
    assert [one["id"] for one in workspaces.json()["value"]] == [plane.workspace]


async def test_the_list_has_pages(plane, subscription):
    await plane.put("/onlineEndpoints/e1", {"authMode": "Key"})
    whole = (await at(plane, f"{subscription}/resources")).json()["value"]
    seen, link = [], f"{subscription}/resources?api-version=2021-04-01&$top=1"
    while link:
        sent = {"authorization": f"Bearer {plane.bearer}"}
        body = (await plane.client.get(link, headers=sent)).json()
        assert len(body["value"]) == 1
        seen, link = seen + body["value"], body["nextLink"]
    assert seen == whole


async def test_a_group_that_is_not_there_has_no_list(plane, subscription):
    answer = await at(plane, f"{subscription}/resourceGroups/none/resources")
    assert answer.json()["error"]["code"] == "ResourceGroupNotFound"


def test_a_filter_is_clauses_joined_with_and():
    assert read_filter("") == []
    assert read_filter("Name EQ 'it''s' AND location ne 'a and b'") == [
        ("name", True, "it's"),
        ("location", False, "a and b"),
    ]


@pytest.mark.parametrize("text", ["x", "size eq '1'", "name eq 1", "name eq 'a' or name eq 'b'"])
def test_a_filter_that_is_not_understood_is_refused(text):
    with pytest.raises(ArmError) as refused:
        read_filter(text)
    assert refused.value.code == "InvalidFilterInQueryString"


async def test_every_document_needs_a_token(plane, subscription):
    for entry in plane.server.app.catalog.entries:
        names = {"subscription": subscription.rpartition("/")[2], "group": "g", "namespace": ML}
        answer = await plane.client.request(entry.method, entry.path.format(**names))
        assert answer.status_code == 401, entry.path
