"""Who may ask what was observed, and what is asked in vain."""

import contextlib

import pytest

from lazulite.core.ids import fold
from lazulite.identity.roles import READER
from lazulite.telemetry.metrics import Merge, Point

PATHS = ("metrics", "metricDefinitions", "metricNamespaces", "logs")
ENDPOINT = "/onlineEndpoints/e"


@pytest.fixture
async def endpoint(plane):
    await plane.put(ENDPOINT, {"authMode": "Key"})
    return plane


def bearer(plane):
    return {"authorization": f"Bearer {plane.bearer}"}


def below(what, path=ENDPOINT):
    return f"{path}/providers/microsoft.insights/{what}"


async def test_only_those_who_may_read_are_answered(endpoint):
    object_id, client = await endpoint.colleague()
    bearer = await endpoint.token(client)
    headers = {"authorization": f"Bearer {bearer}"}
    for what in PATHS:
        answer = await endpoint.call("GET", below(what), headers=headers)
        assert answer.status_code == 403, what
        assert f"insights/{what}/read" in answer.json()["error"]["message"].lower() or what != (
            what.lower()
        )
    await endpoint.assign(object_id, READER, endpoint.workspace)
    for what in PATHS:
        answer = await endpoint.call("GET", below(what), headers=headers, query="x")
        assert answer.status_code != 403, what


async def test_nothing_is_told_without_a_token(endpoint):
    for what in PATHS:
        answer = await endpoint.call("GET", below(what), headers={"authorization": ""})
        assert answer.status_code == 401


async def test_an_endpoint_says_what_its_metrics_are(endpoint):
    answer = await endpoint.call("GET", below("metricDefinitions"), api="2018-01-01")
    found = {each["name"]["value"]: each for each in answer.json()["value"]}
    assert found["RequestsPerMinute"]["unit"] == "Count"
    names = [each["value"] for each in found["RequestsPerMinute"]["dimensions"]]
    assert names == ["deployment", "statusCode", "statusCodeClass", "modelStatusCode"]
    assert {"RequestLatency_P50", "RequestLatency_P99", "NetworkBytes"} <= set(found)


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ({"metricnames": "Nonsense"}, "metricnames"),
        ({"interval": "PT7M"}, "interval"),
        ({"timespan": "yesterday"}, "timespan"),
        ({"timespan": "2026-02-01T00:00:00Z/2026-01-01T00:00:00Z"}, "timespan"),
        ({"timespan": "P900D"}, "interval"),
        ({"metricnames": "RequestsPerMinute,requestsperminute"}, "metricnames"),
        ({"metricnames": ",".join(["RequestsPerMinute"] * 21)}, "metricnames"),
        ({"timespan": "P20D", "metricnames": "RequestsPerMinute,NetworkBytes"}, "interval"),
        ({"aggregation": "Median"}, "aggregation"),
        ({"$filter": "region eq 'x'"}, "$filter"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(endpoint, query, target):
    answer = await endpoint.call("GET", below("metrics"), api="2018-01-01", **query)
    assert (answer.status_code, answer.json()["error"]["target"]) == (400, target)


async def test_without_traffic_there_are_points_without_values(endpoint):
    query = {"timespan": "2026-01-01T00:00:00Z/PT3M", "metricnames": "RequestsPerMinute"}
    answer = await endpoint.call("GET", below("metrics"), api="2023-10-01", **query)
    [metric] = answer.json()["value"]
    assert metric["timeseries"] == [
        {
            "metadatavalues": [],
            "data": [{"timeStamp": f"2026-01-01T00:0{n}:00Z"} for n in range(3)],
        }
    ]


async def test_the_points_of_all_series_have_one_bound(endpoint):
    points = [
        Point(
            fold(endpoint.workspace + ENDPOINT),
            "RequestsPerMinute",
            1_767_225_600_000,
            1.0,
            dimensions=(("statusCode", str(code)),),
            merge=Merge.SUM,
        )
        for code in range(200, 220)
    ]
    endpoint.base.telemetry.write({}, points)
    asked = {"timespan": "2026-01-01T00:00:00Z/P1D", "metricnames": "RequestsPerMinute"}
    asked["$filter"] = "statusCode eq '*'"
    few = await endpoint.call("GET", below("metrics"), api="2018-01-01", **asked)
    assert len(few.json()["value"][0]["timeseries"]) == 20
    asked["timespan"] = "2026-01-01T00:00:00Z/P2D"
    many = await endpoint.call("GET", below("metrics"), api="2018-01-01", **asked)
    assert (many.status_code, many.json()["error"]["target"]) == (400, "interval")


async def test_one_caller_asks_so_much_at_a_time(endpoint):
    caller = (await endpoint.call("GET", ENDPOINT)).json()["systemData"]["createdBy"]
    body, headers = {"query": "AmlOnlineEndpointEventLog"}, bearer(endpoint)
    url = "/v1/workspaces/main/query"
    turns = endpoint.server.telemetry.insights._turns
    with contextlib.ExitStack() as held:
        for _ in range(turns._most):
            held.enter_context(turns.one_of(caller))
        answer = await endpoint.client.post(url, json=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "TooManyRequests")
    answer = await endpoint.client.post(url, json=body, headers=headers)
    assert answer.json()["tables"][0]["rows"] == []


async def test_what_has_no_metrics_says_so(endpoint):
    answer = await endpoint.call("GET", below("metrics", endpoint.workspace), api="2018-01-01")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    absent = await endpoint.call("GET", below("metrics", "/onlineEndpoints/x"), api="2018-01-01")
    assert absent.status_code == 404
    put = await endpoint.call("PUT", below("metrics"), {}, api="2018-01-01")
    assert put.status_code == 405
    bare = await endpoint.call("GET", below("metrics"), api="")
    assert bare.json()["error"]["code"] == "MissingApiVersionParameter"


async def test_a_level_or_number_that_is_none_is_refused(endpoint):
    path = f"/telemetry/v1.0{endpoint.workspace}/logs/AmlOnlineEndpointConsoleLog"
    headers = bearer(endpoint)
    for query in ({"level": "loud"}, {"after": "x"}, {"$top": "-1"}):
        answer = await endpoint.client.get(path, params=query, headers=headers)
        assert (answer.status_code, answer.json()["error"]["target"]) == (400, next(iter(query)))
