"""How long things are kept, and what becomes of a file that cannot be used."""

import sqlite3
from datetime import UTC, datetime, timedelta

from lazulite.telemetry.metrics import METRICS, MINUTE_MS, Merge, Point
from lazulite.telemetry.retention import Keep, tidy
from lazulite.telemetry.series import Asked, read_series
from lazulite.telemetry.store import LAYOUT, TelemetryStore
from lazulite.telemetry.tables import EVENTS
from tests.telemetry.conftest import ENDPOINT, NOON

NOW = datetime.fromtimestamp(NOON / 1000, UTC)
FOREVER = Keep(None, None, None)
HOUR = 60 * MINUTE_MS


def events(store, number, at=NOON, text="x"):
    store.write({EVENTS: [(at, number, "", "Created", "Information", text)]})


def count(store):
    return store.read(f"SELECT COUNT(*) FROM {EVENTS}")[0][0]


def test_rows_go_by_age(store, places):
    number = store.place(places.endpoints["ep"])
    for days in (1, 6, 8):
        events(store, number, NOON - days * 24 * HOUR)
    tidy(store, FOREVER, NOW)
    assert count(store) == 3
    assert tidy(store, Keep(timedelta(days=7), None, None), NOW) == 1
    assert count(store) == 2


def test_the_oldest_rows_go_when_there_are_too_many(store, places):
    number = store.place(places.endpoints["ep"])
    rows = [(NOON + n, number, "", "Created", "Information", "x" * 100) for n in range(3000)]
    empty = store.used_bytes()
    store.write({EVENTS: rows})
    limit = (store.used_bytes() - empty) // 2
    gone = tidy(store, Keep(None, limit, None), NOW)
    assert gone > 1000
    assert store.used_bytes() - empty <= limit
    assert store.read(f"SELECT MIN(TimeGenerated) FROM {EVENTS}")[0][0] == NOON + gone


def test_metrics_cost_no_rows_of_logs(store, places):
    number = store.place(places.endpoints["ep"])
    for n in range(100):
        events(store, number, NOON + n)
    points = [Point(f"r{n}" * 20, "m", NOON, 1.0) for n in range(3000)]
    store.write({}, points)
    assert store.used_bytes() > 200_000
    assert tidy(store, Keep(None, 200_000, None), NOW) == 0
    assert count(store) == 100
    assert tidy(store, Keep(None, 1000, None), NOW) > 50


def test_minutes_become_hours_and_say_the_same(store):
    start = NOON - 72 * HOUR
    metric = next(iter(METRICS.values()))["RequestsPerMinute"]
    for minute in range(30):
        at = start + minute * MINUTE_MS
        for code, value in (("200", 4.0), ("500", 2.0)):
            of = (("statusCode", code),)
            point = Point(ENDPOINT.casefold(), metric.name, at, value, dimensions=of)
            store.write({}, [point])
    asked = Asked(ENDPOINT, metric, (start, start + HOUR), HOUR)
    [before] = read_series(store, asked)[()].values()
    tidy(store, FOREVER, NOW)
    tidy(store, FOREVER, NOW)
    [after] = read_series(store, asked)[()].values()
    assert (after.of("Average"), after.of("Total")) == (6.0, 180.0)
    assert (before.of("Average"), before.of("Total")) == (6.0, 180.0)
    assert store.read("SELECT COUNT(*) FROM metrics")[0][0] == 2


def test_metrics_go_by_age(store):
    for days in (1, 100):
        at = NOON - days * 24 * HOUR
        store.write({}, [Point("r", "m", at, 1.0, merge=Merge.SUM)])
    tidy(store, Keep(None, None, timedelta(days=93)), NOW)
    assert store.read("SELECT COUNT(*) FROM metrics")[0][0] == 1


def test_what_is_written_is_there_in_the_next_server(tmp_path, places):
    path = tmp_path / "telemetry.db"
    first = TelemetryStore(path)
    number = first.place(places.endpoints["ep"])
    first.write({EVENTS: [(NOON, number, "", "Created", "Information", "x")]}, (), {"m": [1, "a"]})
    first.close()
    second = TelemetryStore(path)
    assert (count(second), second.mark("m"), second.mark("n")) == (1, [1, "a"], None)
    assert second.place(places.endpoints["ep"]) == number
    second.close()


def test_a_file_of_another_layout_is_begun_anew(tmp_path, places):
    path = tmp_path / "telemetry.db"
    store = TelemetryStore(path)
    events(store, store.place(places.endpoints["ep"]))
    store.close()
    with sqlite3.connect(path) as old:
        old.execute(f"PRAGMA user_version={LAYOUT + 1}")
    old.close()
    store = TelemetryStore(path)
    assert count(store) == 0
    store.close()


def test_a_failed_write_leaves_nothing_behind(store, places):
    number = store.place(places.endpoints["ep"])
    good, bad = (NOON, number, "", "Created", "Information", "x"), (NOON, number)
    try:
        store.write({EVENTS: [good, bad]}, (), {"m": 1})
    except sqlite3.Error:
        pass
    else:
        raise AssertionError("it was written")
    assert (count(store), store.mark("m")) == (0, None)
