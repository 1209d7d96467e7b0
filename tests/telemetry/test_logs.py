"""Questions to the tables: Kusto's and ours."""

from datetime import UTC, datetime, timedelta

import pytest

from lazulite.core.errors import ArmError
from lazulite.telemetry.logs import Question, ask, page
from lazulite.telemetry.spans import parse_span
from lazulite.telemetry.tables import CONSOLE, TRAFFIC
from lazulite.telemetry.traffic import rows
from tests.telemetry.conftest import DEPLOYMENT, ENDPOINT, NOON, WORKSPACE, request

NOW = datetime.fromtimestamp(NOON / 1000 + 3600, UTC)


@pytest.fixture
def filled(store, places):
    blue = store.place(places.deployments["ep", "blue"])
    other = places.endpoints["ep"]._replace(id=f"{WORKSPACE}x/onlineEndpoints/Ep")
    elsewhere = store.place(other)
    requests = [
        request(at=NOON + n * 1000, status=code) for n, code in enumerate((200, 200, 429, 503, 200))
    ]
    found, _ = rows(requests, {("ep", "blue"): blue})
    hidden, _ = rows([request(path="/secret")], {("ep", "blue"): elsewhere})
    of = ("blue-1-0", "inference-server", "")
    lines = [
        (NOON, blue, *of, "Information", "ready"),
        (NOON + 1, blue, *of, "Error", "50% of it's _bad_"),
    ]
    store.write({TRAFFIC: [*found, *hidden], CONSOLE: lines})
    return store


def answered(store, query, scope=WORKSPACE, span=None):
    [table] = ask(store, query, scope, span, NOW)["tables"]
    return [column["name"] for column in table["columns"]], table["rows"]


def test_rows_are_chosen_shaped_and_ordered(filled):
    query = """
    AmlOnlineEndpointTrafficLog // comments are passed over
    | where ResponseCode != "200" and EndpointName =~ 'EP'
    | project TimeGenerated, Code = ResponseCode
    | order by TimeGenerated desc | take 1;
    """
    columns, found = answered(filled, query)
    assert columns == ["TimeGenerated", "Code"]
    assert found == [["2026-11-21T12:00:03Z", 503]]


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("ResponseCode in (429, 503)", 2),
        ("ResponseCode !in (429, '503')", 3),
        ("not(ResponseCode == 200) or Method == 'GET'", 2),
        ("(ResponseCode >= 429) and ResponseCode < 503", 1),
        ("TimeGenerated > ago(59m) ", 0),
        ("TimeGenerated >= datetime(2026-11-21T12:00:04Z)", 1),
        ("ResponseCodeReason contains 'ok'", 3),
        ("Path startswith '/INFERENCE' and Path endswith 'score'", 5),
        ("Path !contains 'score'", 0),
        ("Path == '\\' OR 1=1 --'", 0),
    ],
)
def test_conditions(filled, condition, count):
    assert answered(filled, f"AmlOnlineEndpointTrafficLog | where {condition} | count") == (
        ["Count"],
        [[count]],
    )


def test_rows_are_counted_by_columns_and_spans(filled):
    query = "AmlOnlineEndpointTrafficLog | summarize n = count() by ResponseCode | order by n"
    assert answered(filled, query)[1] == [[200, 3], [429, 1], [503, 1]]
    query = "AmlOnlineEndpointTrafficLog | summarize count() by bin(TimeGenerated, 1m)"
    assert answered(filled, query) == (
        ["TimeGenerated", "count_"],
        [["2026-11-21T12:00:00Z", 5]],
    )
    assert len(answered(filled, "AmlOnlineEndpointTrafficLog | top 2 by ResponseCode")[1]) == 2


def test_a_query_has_a_dozen_operators(filled):
    narrower = " | where (ResponseCode == 200) and not(Path == 'x')" * 12
    assert len(answered(filled, f"AmlOnlineEndpointTrafficLog{narrower}")[1]) == 3


def test_a_query_sees_what_lies_in_its_scope_and_time(filled):
    everything = "AmlOnlineEndpointTrafficLog | where Path has '/secret' | count"
    assert answered(filled, everything)[1] == [[0]]
    assert answered(filled, everything, f"{WORKSPACE}x")[1] == [[1]]
    count = "AmlOnlineEndpointTrafficLog | count"
    for scope in (ENDPOINT.upper(), DEPLOYMENT):
        assert answered(filled, count, scope)[1] == [[5]]
    assert answered(filled, count, f"{ENDPOINT}/deployments/b*")[1] == [[0]]
    assert answered(filled, count, span=(NOON + 1000, NOON + 3000))[1] == [[2]]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("sqlite_master", "sqlite_master"),
        ("AmlOnlineEndpointTrafficLog | join x", "join"),
        ("AmlOnlineEndpointTrafficLog | summarize avg(ResponseCode)", "avg"),
        ("AmlOnlineEndpointTrafficLog | where nothing == 1", "nothing"),
        ("AmlOnlineEndpointTrafficLog | where ResponseCode == 'x'", "'x'"),
        ("AmlOnlineEndpointTrafficLog | where ResponseCode ==", "its end"),
        ("AmlOnlineEndpointTrafficLog | where Path matches 'x'", "matches"),
        ("AmlOnlineEndpointTrafficLog | take -1", "its end"),
        ("AmlOnlineEndpointTrafficLog take 1", "take"),
        ('AmlOnlineEndpointTrafficLog | project a"b', '"b'),
        ("AmlOnlineEndpointTrafficLog | where " + "(" * 60, "("),
        ("x" * 10_001, "10000"),
        ("AmlOnlineEndpointTrafficLog | project Method, method = Path", "'method'"),
        ("AmlOnlineEndpointTrafficLog | summarize Method = count() by Method", "'Method'"),
        ("AmlOnlineEndpointTrafficLog | summarize count() by Path, Path", "'Path'"),
        (f"AmlOnlineEndpointTrafficLog | where ResponseCode == {'9' * 20}", "9" * 20),
        (f"AmlOnlineEndpointTrafficLog | where ResponseCode == '{'9' * 20}'", "9" * 20),
        ("AmlOnlineEndpointTrafficLog | where ResponseCode == '--5'", "--5"),
        (f"AmlOnlineEndpointTrafficLog | take {'9' * 5000}", "digits"),
        ("AmlOnlineEndpointTrafficLog | where TimeGenerated > ago(9999999999d)", "9999999999d"),
        ("AmlOnlineEndpointTrafficLog | where TimeGenerated > ago(999999999d)", "too long ago"),
        (f"AmlOnlineEndpointTrafficLog | where TimeGenerated > ago({'9' * 400}d)", "too long"),
        ("AmlOnlineEndpointTrafficLog | where Path == '\ud800'", "character"),
        ("AmlOnlineEndpointTrafficLog" + " | take 1" * 13, "operators"),
    ],
)
def test_what_is_not_answered_is_named(filled, query, named):
    with pytest.raises(ArmError) as refused:
        answered(filled, query)
    assert refused.value.status == 400
    assert named in refused.value.message


@pytest.mark.parametrize(
    "text",
    [
        "P99999999D",
        "2026-01-01T00:00:00Z/P99999999D",
        "P99999999D/2026-01-01T00:00:00Z",
        "0001-01-01T00:00:00+10:00/2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z/9999-12-31T23:59:59Z",
        "PT0S/2026-01-01T00:00:00Z",
    ],
)
def test_a_timespan_that_no_calendar_has_is_refused(text):
    with pytest.raises(ArmError) as refused:
        parse_span(text, NOW, timedelta(hours=1))
    assert (refused.value.status, refused.value.target) == (400, "timespan")


def asked(**changes):
    return Question(**{"table": TRAFFIC, "scope": WORKSPACE, **changes})


def test_pages_go_back_and_a_log_is_followed(filled):
    last = page(filled, asked(top=2))
    assert [row["ResponseCode"] for row in last] == [503, 200]
    earlier = page(filled, asked(top=2, before=last[0]["number"]))
    assert [row["ResponseCode"] for row in earlier] == [200, 429]
    later = page(filled, asked(after=earlier[-1]["number"]))
    assert [row["ResponseCode"] for row in later] == [503, 200]


def test_rows_are_found_by_level_text_and_instance(filled):
    found = page(filled, asked(table=CONSOLE, levels=("Error",), text="50% OF IT'S _"))
    assert [row["Message"] for row in found] == ["50% of it's _bad_"]
    assert page(filled, asked(table=CONSOLE, instance="blue-1-1")) == []
    assert len(page(filled, asked(deployment="BLUE", endpoint="ep"))) == 5


def test_a_table_or_level_that_is_not_there_is_refused(filled):
    for question in (asked(table="Heartbeat"), asked(levels=("Error",))):
        with pytest.raises(ArmError) as refused:
            page(filled, question)
        assert refused.value.status == 400
