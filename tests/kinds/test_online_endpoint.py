"""Online endpoints: every property, in every api-version's words."""

import pytest

OLD, NEW = "2021-03-01-preview", "2023-10-01"
PATH = "/onlineEndpoints/eyes"
KEY = "k" * 40


async def put(plane, properties, api=NEW, **extra):
    body = {"location": "local", "properties": properties, **extra}
    return await plane.call("PUT", PATH, body, api=api)


async def shown(plane, api=NEW):
    return (await plane.call("GET", PATH, api=api)).json()["properties"]


async def test_what_is_left_out_is_azures_default(plane):
    assert (await put(plane, {"authMode": "key"})).status_code == 201
    properties = await shown(plane)
    assert properties["authMode"] == "Key"
    assert (properties["traffic"], properties["mirrorTraffic"]) == ({}, {})
    assert properties["publicNetworkAccess"] == "Enabled"
    assert (properties["compute"], properties["description"], properties["keys"]) == (None,) * 3
    assert properties["scoringUri"].endswith("/inference/eyes/score")
    assert properties["swaggerUri"].endswith("/inference/eyes/swagger.json")


async def test_an_endpoint_says_how_it_is_authenticated(plane):
    answer = await put(plane, {})
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["target"] == "authMode"


@pytest.mark.parametrize(
    ("api", "known"),
    [
        (OLD, {"target"}),
        ("2021-10-01", {"compute"}),
        ("2022-02-01-preview", {"compute", "mirrorTraffic", "publicNetworkAccess"}),
        ("2022-05-01", {"compute"}),
        (NEW, {"compute", "mirrorTraffic", "publicNetworkAccess"}),
    ],
)
async def test_each_version_shows_what_it_knows(plane, api, known):
    await put(plane, {"authMode": "Key"})
    names = {"target", "compute", "mirrorTraffic", "publicNetworkAccess"}
    assert names & set(await shown(plane, api)) == known


async def test_the_server_names_the_endpoint_and_keeps_the_callers_properties(plane):
    made = (await put(plane, {"authMode": "Key", "properties": {"team": "vision", "n": 5}})).json()
    own = made["properties"]["properties"]
    assert (own["team"], own["n"]) == ("vision", "5")
    assert own["azureml.onlineendpointid"] == made["id"]
    assert "/mfeOperationsStatus/" in own["AzureAsyncOperationUri"]


async def test_what_clients_send_back_changes_nothing(plane):
    first = await put(plane, {"authMode": "Key", "properties": {"a": "b"}})
    again = await put(plane, first.json()["properties"])
    assert again.status_code == 200
    stored = await plane.base.resources.find(plane.workspace + PATH)
    assert (stored.generation, stored.properties["properties"]) == (1, {"a": "b"})


@pytest.mark.parametrize(
    ("traffic", "why"),
    [
        ({"blue": 60}, "add up to 60"),
        ({"blue": -1, "green": 101}, "0 to 100"),
        ({"blue": 50, "Blue": 50}, "named twice"),
        ({"blue": "half"}, "'half'"),
    ],
)
async def test_traffic_that_cannot_be_is_refused(plane, traffic, why):
    answer = await put(plane, {"authMode": "Key", "traffic": traffic})
    assert answer.status_code == 400
    assert why in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("mirror", "why"),
    [
        ({"green": 51}, "51 % of the requests"),
        ({"green": 10, "red": 5}, "not to ['green', 'red']"),
        ({"Blue": 10}, "takes 100 % of the traffic"),
        ({"green": -1}, "0 to 100"),
    ],
)
async def test_mirrored_traffic_that_cannot_be_is_refused(plane, mirror, why):
    properties = {"authMode": "Key", "traffic": {"blue": 100}, "mirrorTraffic": mirror}
    answer = await put(plane, properties)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ValidationError")
    assert why in answer.json()["error"]["message"]


async def test_mirrored_traffic_is_kept_and_shown_and_bars_live_traffic(plane):
    mirror = {"green": 50, "red": 0}
    properties = {"authMode": "Key", "traffic": {"blue": 100}, "mirrorTraffic": mirror}
    assert (await put(plane, properties)).status_code == 201
    assert (await shown(plane))["mirrorTraffic"] == mirror
    both = {"properties": {"traffic": {"green": 100}}}
    assert (await plane.call("PATCH", PATH, both, api=NEW)).status_code == 400
    assert (await shown(plane))["traffic"] == {"blue": 100}


async def test_traffic_is_kept_though_the_deployment_is_yet_to_come(plane):
    await put(plane, {"authMode": "AMLToken", "traffic": {"blue": "100"}}, api=OLD)
    assert (await shown(plane, OLD))["traffic"] == {"blue": 100}


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"authMode": "Key", "compute": "/subscriptions/s/aks"}, "KubernetesNotSupported"),
        ({"authMode": "Key", "publicNetworkAccess": "disabled"}, "NetworkIsolationNotSupported"),
    ],
)
async def test_what_is_not_served_is_refused_by_name(plane, properties, code):
    answer = await put(plane, properties)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert ":" in answer.json()["error"]["message"]  # the remedy follows
    assert (await plane.call("GET", PATH)).status_code == 404


async def test_keys_of_a_new_endpoint_may_be_chosen_and_are_never_shown(plane):
    made = await put(plane, {"authMode": "Key", "keys": {"primaryKey": KEY}})
    assert KEY not in made.text
    keys = (await plane.call("POST", f"{PATH}/listKeys")).json()
    assert keys["primaryKey"] == KEY
    assert keys["secondaryKey"] not in {KEY, None}
    await put(plane, {"authMode": "Key", "keys": {"primaryKey": "x" * 40}})
    assert (await plane.call("POST", f"{PATH}/listKeys")).json() == keys


async def test_a_key_that_is_too_short_makes_no_endpoint(plane):
    answer = await put(plane, {"authMode": "Key", "keys": {"primaryKey": "short"}})
    assert answer.status_code == 400
    assert (await plane.call("GET", PATH)).status_code == 404


@pytest.mark.parametrize("body", [{}, {"keyType": "Third"}])
async def test_regenerating_needs_the_name_of_a_key(plane, body):
    await put(plane, {"authMode": "Key"})
    answer = await plane.call("POST", f"{PATH}/regenerateKeys", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["target"] == "keyType"


async def test_a_patch_changes_traffic_and_tags_only(plane):
    await put(
        plane, {"authMode": "Key", "description": "d", "traffic": {"a": 100}}, tags={"x": "1"}
    )
    body = {"properties": {"traffic": {"a": 50, "b": 50}}, "tags": {"y": "2"}}
    answer = await plane.call("PATCH", PATH, body, api="2021-10-01")
    assert answer.status_code in {200, 202}
    found = (await plane.call("GET", PATH)).json()
    assert found["tags"] == {"y": "2"}
    assert found["properties"]["traffic"] == {"a": 50, "b": 50}
    assert found["properties"]["description"] == "d"


async def test_a_write_in_an_older_version_keeps_what_it_cannot_say(plane):
    await put(plane, {"authMode": "Key", "mirrorTraffic": {"blue": 0}})
    await put(plane, {"authMode": "Key", "description": "old"}, api=OLD)
    assert (await shown(plane))["mirrorTraffic"] == {"blue": 0}


@pytest.mark.parametrize(
    ("mode", "action", "instead"),
    [
        ("AADToken", "listKeys", "https://ml.azure.com"),
        ("AADToken", "token", "https://ml.azure.com"),
        ("AMLToken", "listKeys", "use token"),
        ("Key", "token", "use listKeys"),
    ],
)
async def test_what_another_mode_has_is_refused_and_the_own_way_named(plane, mode, action, instead):
    await put(plane, {"authMode": mode})
    answer = await plane.call("POST", f"{PATH}/{action}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadArgument")
    assert instead in answer.json()["error"]["message"]
