"""From requests to rows and metrics, and back out of the store."""

import collections

import pytest

from lazulite.core.errors import ArmError
from lazulite.telemetry import traffic
from lazulite.telemetry.dimension_filter import parse_filter
from lazulite.telemetry.metrics import METRICS
from lazulite.telemetry.series import Asked, read_series
from lazulite.telemetry.traffic import Traffic, percentiles, rows
from tests.telemetry.conftest import DEPLOYMENT, ENDPOINT, MINUTE, NOON, request

OF_ENDPOINT, OF_DEPLOYMENT = METRICS.values()


def kept(store, places, *looks):
    """Write what each look brought."""
    seen = Traffic()
    for requests in looks:
        store.write({}, seen.points(seen.tallies(requests), places))


def values(store, name, where="", aggregation="Average", interval=MINUTE, resource=ENDPOINT):
    known = OF_ENDPOINT if resource is ENDPOINT else OF_DEPLOYMENT
    metric = known[name]
    span = (NOON, NOON + 5 * MINUTE)
    asked = Asked(resource, metric, span, interval, parse_filter(where, metric))
    return {
        tuple(value for _, value in shown): [value.of(aggregation) for value in found.values()]
        for shown, found in read_series(store, asked).items()
    }


def test_requests_of_a_minute_add_up_over_looks_deployments_and_codes(store, places):
    one = [request()] * 3 + [request(status=429, model_status=None, model_ms=-1)]
    kept(store, places, one, [request(), request(deployment="", status=401, model_status=None)])
    assert values(store, "RequestsPerMinute") == {(): [6.0]}
    by_class = values(store, "RequestsPerMinute", "statusCodeClass eq '*'")
    assert by_class == {("2xx",): [4.0], ("4xx",): [2.0]}
    of_blue = values(store, "RequestsPerMinute", "deployment eq 'BLUE' and statusCode ne '200'")
    assert of_blue == {("blue",): [1.0]}
    either = "statusCode eq '401' or statusCode eq '429'"
    assert values(store, "RequestsPerMinute", either) == {("401",): [1.0], ("429",): [1.0]}
    assert values(store, "RequestsPerMinute", resource=DEPLOYMENT) == {(): [5.0]}


def test_an_interval_of_several_minutes_has_the_average_of_a_minute(store, places):
    later = [request(at=NOON + MINUTE)] * 3
    kept(store, places, [request()], later)
    five = 5 * MINUTE
    assert values(store, "RequestsPerMinute", interval=five) == {(): [2.0]}
    assert values(store, "RequestsPerMinute", "", "Total", five) == {(): [4.0]}
    assert values(store, "RequestsPerMinute", "", "Maximum", five) == {(): [3.0]}


def test_the_latency_of_the_model_is_apart_from_the_rest(store, places):
    kept(store, places, [request(total_ms=10, model_ms=4), request(total_ms=30, model_ms=6)])
    assert values(store, "RequestLatency") == {(): [20.0]}
    assert values(store, "ModelLatency") == {(): [5.0]}
    assert values(store, "OverheadLatency") == {(): [15.0]}
    assert values(store, "RequestLatency", "", "Maximum") == {(): [30.0]}
    assert values(store, "NetworkBytes", "direction eq 'in'") == {("in",): [20.0]}
    assert values(store, "NewConnectionsPerSecond") == {(): [2 / 60]}


def test_percentiles_are_those_of_the_whole_minute(store, places):
    slow = [request(total_ms=1000)]
    kept(store, places, [request(total_ms=n) for n in range(1, 100)], slow)
    assert values(store, "RequestLatency_P50") == {(): [50.0]}
    assert values(store, "RequestLatency_P99") == {(): [99.0]}
    assert values(store, "RequestLatency_P95", resource=DEPLOYMENT) == {(): [95.0]}


def test_percentiles_of_few_values():
    assert percentiles(collections.Counter([7])) == [(50, 7), (90, 7), (95, 7), (99, 7)]
    assert percentiles(collections.Counter([1, 9])) == [(50, 1), (90, 9), (95, 9), (99, 9)]


def test_a_row_says_what_azure_s_does():
    [row], left_out = rows([request(status=424, model_status=500)], {("ep", "blue"): 7})
    assert left_out == 0
    assert row[:9] == (
        *(NOON + 1000, 7, "POST", "/inference/Ep/score", "HTTP/1.1"),
        *(424, "Failed Dependency", 500, "Internal Server Error"),
    )


def test_failed_requests_have_rows_before_others(monkeypatch):
    monkeypatch.setattr(traffic, "MOST_ROWS", 2)
    seen = [request(), request(), request(status=503), request(status=-1), request()]
    found, left_out = rows(seen, {("ep", "blue"): 1})
    assert [row[5] for row in found] == [503, 499]
    assert left_out == 3


def test_requests_of_many_seconds_that_are_read_at_once_have_their_rows(monkeypatch):
    monkeypatch.setattr(traffic, "MOST_ROWS", 2)
    seen = [request(at=NOON + n * 500) for n in range(20)]
    found, left_out = rows([*seen, request(at=NOON + 501)], {("ep", "blue"): 1})
    assert [row[0] for row in found] == [each.at for each in seen]
    assert left_out == 1


def test_requests_to_what_is_not_there_have_no_row():
    assert rows([request(endpoint="other")], {("ep", "blue"): 1}) == ([], 0)


@pytest.mark.parametrize(
    "text",
    [
        "deployment",
        "deployment eq blue",
        "deployment like 'x'",
        "(deployment eq 'a'",
        "deployment eq 'a' statusCode eq '1'",
        "region eq 'a'",
        "deployment eq 'a' or",
        "§",
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(text):
    with pytest.raises(ArmError) as refused:
        parse_filter(text, OF_ENDPOINT["RequestsPerMinute"])
    assert refused.value.status == 400
