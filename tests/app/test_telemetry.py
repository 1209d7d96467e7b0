"""What is observed of endpoints on a real server, and asked for over REST."""

import pytest

from tests.live import wait_for

SCRIPT = """
import logging

def init():
    print("hello from init")

def run(data):
    if "bad" in data:
        raise ValueError("bad data")
    return 1
"""
QUERY = "AmlOnlineEndpoint{}Log | where EndpointName == 'watched' | {}"


@pytest.fixture(scope="module")
def watched(server):
    """An endpoint that has been asked five times: four answers of three kinds, one refusal."""
    server.deploy("watched", SCRIPT)
    for body in (b"1", b"2", b"3"):
        assert server.score("watched", body).status_code == 200
    assert server.score("watched", b"bad").status_code == 424
    assert server.score("watched", authorization="Bearer wrong").status_code == 401
    wait_for(lambda: rows(server, "Traffic", "count") == [[5]])
    return server


def rows(server, table, rest, scope=""):
    path = f"{scope}/providers/microsoft.insights/logs"
    body = {"query": QUERY.format(table, rest)}
    answer = server.call("POST", path, body, api="2018-08-01")
    assert answer.status_code == 200, answer.text
    return answer.json()["tables"][0]["rows"]


def metric(server, name, scope="", **query):
    path = f"/onlineEndpoints/watched{scope}/providers/microsoft.insights/metrics"
    asked = {"metricnames": name, "timespan": "PT10M", "interval": "FULL", **query}
    answer = server.call("GET", path, api="2018-01-01", **asked)
    assert answer.status_code == 200, answer.text
    [value] = answer.json()["value"]
    return {
        tuple(each["value"] for each in series["metadatavalues"]): series["data"][0]
        for series in value["timeseries"]
    }


def test_requests_are_in_the_traffic_log_and_the_metrics(watched):
    by_code = "summarize n = count() by ResponseCode, ModelStatusCode | order by n, ResponseCode"
    expected = [[200, 200, 3], [424, 500, 1], [401, None, 1]]
    assert rows(watched, "Traffic", by_code) == expected
    by = {"$filter": "statusCode eq '*'", "aggregation": "Total"}
    found = metric(watched, "RequestsPerMinute", **by)
    assert {codes: data["total"] for codes, data in found.items()} == {
        ("200",): 3.0,
        ("401",): 1.0,
        ("424",): 1.0,
    }
    latency = metric(watched, "RequestLatency_P95", "/deployments/blue")[()]["average"]
    assert latency >= 0


def test_lines_and_events_of_instances_are_kept(watched):
    lines = "where Level == 'Error' and Message contains 'bad data' | count"
    wait_for(lambda: rows(watched, "Console", lines) != [[0]])
    assert rows(watched, "Console", "where Message has 'hello from init' | count") == [[1]]
    events = "where Name in ('DeploymentCreated', 'ContainerReady') | count"
    wait_for(lambda: rows(watched, "Event", events, "/onlineEndpoints/watched") == [[2]])


def test_instances_are_measured(watched):
    used = lambda: metric(watched, "CpuMemoryUtilizationPercentage", "/deployments/blue")  # noqa: E731
    wait_for(lambda: used()[()].get("average", 0) > 0)
    ready = metric(watched, "DeploymentCapacity", "/deployments/blue", aggregation="Maximum")
    assert ready[()]["maximum"] == 1.0


def test_prometheus_reads_the_same(watched):
    headers = {"authorization": f"Bearer {watched.token()}"}
    url = f"{watched.base}/metrics"
    assert watched.http.get(url).status_code == 401
    answer = watched.http.get(url, headers=headers)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    sample = 'lazulite_requests_total{endpoint="watched",deployment="blue",code="200"} 3'
    assert sample in answer.text.splitlines()


def test_a_log_is_read_page_by_page(watched):
    url = f"{watched.base}/telemetry/v1.0{watched.workspace}/logs/AmlOnlineEndpointTrafficLog"
    headers = {"authorization": f"Bearer {watched.token()}"}
    asked = {"endpoint": "watched", "$top": "2"}
    first = watched.http.get(url, params=asked, headers=headers).json()
    second = watched.http.get(first["nextLink"], headers=headers).json()
    codes = [row["ResponseCode"] for page in (second, first) for row in page["value"]]
    assert codes == [200, 200, 424, 401]
    following = {**asked, "after": str(second["last"])}
    later = watched.http.get(url, params=following, headers=headers).json()
    assert later["value"] == first["value"]


def test_a_workspace_is_queried_as_log_analytics_is(watched):
    headers = {"authorization": f"Bearer {watched.token()}"}
    url = f"{watched.base}/v1/workspaces/main/query"
    body = {"query": QUERY.format("Traffic", "project Method | take 1"), "timespan": "PT1H"}
    answer = watched.http.post(url, json=body, headers=headers)
    assert answer.json()["tables"] == [
        {
            "name": "PrimaryResult",
            "columns": [{"name": "Method", "type": "string"}],
            "rows": [["POST"]],
        }
    ]
    assert watched.http.post(url, json=body).status_code == 401
    unknown = watched.http.post(url.replace("main", "other"), json=body, headers=headers)
    assert unknown.json()["error"]["code"] == "WorkspaceNotFoundError"


@pytest.mark.crash
def test_requests_without_a_control_plane_are_counted_when_there_is_one(own_server):
    own_server.deploy("watched", SCRIPT)
    key = {"authorization": f"Bearer {own_server.key('watched')}"}
    own_server.score_with(key, "watched", b"1")
    own_server.kill()
    for _ in range(3):
        assert own_server.score_with(key, "watched", b"1").status_code == 200
    own_server.up()
    assert own_server.score_with(key, "watched", b"1").status_code == 200
    wait_for(lambda: rows(own_server, "Traffic", "count") == [[5]])
    scored = "where Message contains 'POST /score' | count"
    wait_for(lambda: rows(own_server, "Console", scored) == [[5]])
    events = "where Name == 'DeploymentCreated' | count"
    assert rows(own_server, "Event", events) == [[1]]
