"""`monitor`, and logs that are followed: what is sent, and what is printed."""

import json

import pytest

from tests.cli.conftest import WORKSPACE

ENDPOINT = f"{WORKSPACE}/onlineEndpoints/e1"
GROUP = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.Insights"
LOGS = f"/telemetry/v1.0{WORKSPACE}/logs/AmlOnlineEndpointConsoleLog"


def test_metrics_are_asked_as_az_asks(server, lazulite):
    path = f"{ENDPOINT}/providers/microsoft.insights/metrics"
    server.answer("GET", path, 200, {"value": []})
    asked = ("--metrics", "RequestsPerMinute", "RequestLatency", "--interval", "PT5M")
    more = ("--aggregation", "Total", "--filter", "statusCode eq '*'", "--offset", "1h30m")
    code, out, _ = lazulite(
        "monitor", "metrics", "list", "--resource", "onlineEndpoints/e1", *asked, *more
    )
    assert (code, json.loads(out)) == (0, {"value": []})
    [sent] = server.sent("GET", path)
    assert sent.query == {
        "api-version": "2018-01-01",
        "metricnames": "RequestsPerMinute,RequestLatency",
        "timespan": "PT1H30M",
        "interval": "PT5M",
        "aggregation": "Total",
        "$filter": "statusCode eq '*'",
    }
    times = ("--start-time", "2026-01-01T00:00:00Z", "--offset", "2d")
    lazulite("monitor", "metrics", "list", "--resource", ENDPOINT, *times)
    assert server.sent("GET", path)[1].query["timespan"] == "2026-01-01T00:00:00Z/P2D"


def test_rows_of_a_query_are_printed_as_objects(server, lazulite):
    table = {"name": "PrimaryResult", "columns": [{"name": "n"}], "rows": [[1], [2]]}
    server.answer("POST", "/v1/workspaces/w1/query", 200, {"tables": [table]})
    code, out, _ = lazulite(
        "monitor", "log-analytics", "query", "--analytics-query", "T | take 2", "-t", "PT1H"
    )
    assert code == 0
    assert [row["n"] for row in json.loads(out)] == [1, 2]
    [sent] = server.sent("POST", "/v1/workspaces/w1/query")
    assert sent.json == {"query": "T | take 2", "timespan": "PT1H"}


def test_a_rule_is_written_from_a_condition(server, lazulite):
    condition = "avg RequestsPerMinute >= 2.5 where statusCodeClass includes 4xx or 5xx and "
    code, out, _ = lazulite(
        *("monitor", "metrics", "alert", "create", "-n", "r", "--action", "ops"),
        *("--scopes", "onlineEndpoints/e1", "--window-size", "15m", "--severity", "1"),
        *("--condition", condition + "deployment excludes blue"),
    )
    assert code == 0
    [sent] = server.sent("PUT", f"{GROUP}/metricAlerts/r")
    rule = sent.json["properties"]
    assert rule["scopes"] == [ENDPOINT]
    assert (rule["windowSize"], rule["evaluationFrequency"], rule["severity"]) == (
        "PT15M",
        "PT1M",
        1,
    )
    assert rule["actions"] == [{"actionGroupId": f"{GROUP}/actionGroups/ops"}]
    [criterion] = rule["criteria"]["allOf"]
    assert (criterion["operator"], criterion["threshold"]) == ("GreaterThanOrEqual", 2.5)
    assert criterion["dimensions"] == [
        {"name": "statusCodeClass", "operator": "Include", "values": ["4xx", "5xx"]},
        {"name": "deployment", "operator": "Exclude", "values": ["blue"]},
    ]
    assert json.loads(out)["severity"] == 1
    _, out, _ = lazulite("monitor", "metrics", "alert", "list", "--query", "[].name", "-o", "tsv")
    assert out == "r\n"
    lazulite("monitor", "metrics", "alert", "delete", "-n", "r")
    assert lazulite("monitor", "metrics", "alert", "show", "-n", "r")[0] == 3


@pytest.mark.parametrize(
    "options",
    [
        ("--condition", "RequestsPerMinute > 1"),
        ("--condition", "avg X > 1 where y is z"),
        ("--condition", "avg X > 1", "--window-size", "soon"),
    ],
)
def test_a_rule_that_makes_no_sense_is_not_sent(server, lazulite, options):
    rule = ("monitor", "metrics", "alert", "create", "-n", "r", "--scopes", "x")
    code, _, err = lazulite(*rule, *options)
    assert code != 0
    assert "write" in err
    assert server.sent("PUT", f"{GROUP}/metricAlerts/r") == []


def test_an_action_group_has_a_webhook(server, lazulite):
    hook = ("--action", "webhook", "mine", "https://ops.example.com/x")
    assert lazulite("monitor", "action-group", "create", "-n", "ops", *hook)[0] == 0
    [sent] = server.sent("PUT", f"{GROUP}/actionGroups/ops")
    [receiver] = sent.json["properties"]["webhookReceivers"]
    assert receiver["serviceUri"] == "https://ops.example.com/x"
    mail = ("--action", "email", "me", "a@b.c")
    assert lazulite("monitor", "action-group", "create", "-n", "ops", *mail)[0] != 0


def test_a_log_is_followed_line_by_line(server, lazulite):
    def line(text, container="inference-server"):
        return {"InstanceId": "blue-1-0", "ContainerName": container, "Message": text}

    built = line("built", "storage-initializer")
    server.answer("GET", LOGS, 200, {"value": [built, line("one")], "last": 2})
    server.answer("GET", LOGS, 200, {"value": [line("two")], "last": 3})
    server.answer("GET", LOGS, 404, {"error": {"code": "ResourceNotFound", "message": "gone"}})
    code, out, _ = lazulite(
        "ml", "online-deployment", "get-logs", "-e", "e1", "-n", "blue", "-l", "5", "--follow"
    )
    assert (code, out) == (3, "[blue-1-0] one\n[blue-1-0] two\n")
    asked = [(each.query.get("after"), each.query["$top"]) for each in server.sent("GET", LOGS)]
    assert asked == [(None, "5"), ("2", "1000"), ("3", "1000")]


def test_a_log_without_a_server_cannot_be_followed(server, lazulite):
    code, _, err = lazulite(
        "ml", "online-deployment", "get-logs", "--local", "-e", "e1", "-n", "blue", "--follow"
    )
    assert code != 0
    assert "--follow" in err
