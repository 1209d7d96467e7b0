"""What clients read before they have a token."""

SEED_KEYS = (
    "api", "catalog", "experimentation", "gallery", "history", "hyperdrive", "labeling",
    "modelmanagement", "pipelines", "studiocoreservices",
)  # fmt: skip
BASE = "https://localhost:8443"


async def test_discovery_names_every_service_of_the_article_and_of_clients(plane):
    shown = (await plane.call("GET", "")).json()["properties"]
    services = (await plane.client.get(shown["discoveryUrl"])).json()
    assert services.keys() >= {*SEED_KEYS, "studio"}
    assert set(services.values()) == {BASE}


async def test_discovery_says_the_origin_that_was_asked(plane):
    sent = {"x-forwarded-proto": "http", "x-forwarded-host": "example.test:81"}
    services = (await plane.client.get("/discovery", headers=sent)).json()
    assert services["api"] == "http://example.test:81"


async def test_the_cloud_is_a_list_for_older_clients_and_an_object_for_newer(plane):
    older = [None, "2015-01-01", "2019-05-01", "2020-06-01", "2021-10-01", "v1"]
    newer = ["2022-09-01", "2023-01-01", "2024-01-01-preview"]
    shapes = set()
    for version in older + newer:
        query = {"api-version": version} if version else {}
        shown = (await plane.client.get("/metadata/endpoints", params=query)).json()
        assert isinstance(shown, dict) == (version in newer), version
        shapes.add(str(shown if isinstance(shown, dict) else shown[0]))
    assert len(shapes) == 1


async def test_the_cloud_has_what_clients_read(plane):
    (cloud,) = (await plane.client.get("/metadata/endpoints")).json()
    assert cloud["resourceManager"] == BASE
    assert f"{BASE}/metadata/endpoints?api-version=2019-05-01".startswith(cloud["resourceManager"])
    assert cloud["authentication"]["audiences"][0] == BASE
    assert cloud["authentication"]["loginEndpoint"] == BASE
    assert cloud["suffixes"]["storage"].startswith("core.")
    assert cloud["name"] not in {"AzureCloud", "AzureChinaCloud", "AzureUSGovernment"}
    assert cloud["portal"]


async def test_tenants_and_locations_are_listed(plane):
    tenants = (await plane.call("GET", "/tenants")).json()["value"]
    assert [one["id"] for one in tenants] == [f"/tenants/{tenants[0]['tenantId']}"]
    subscription = plane.workspace.partition("/resourceGroups/")[0]
    locations = (await plane.call("GET", f"{subscription}/locations")).json()["value"]
    assert [one["name"] for one in locations] == ["local"]
