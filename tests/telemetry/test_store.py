"""Files of telemetry that cannot be used."""

import sqlite3

import pytest

from lazulite.telemetry.store import TelemetryStore

GARBAGE = b"no database" * 1000


@pytest.mark.parametrize("kept", [0, 100])
def test_a_file_that_is_no_database_is_moved_aside(tmp_path, caplog, kept):
    path = tmp_path / "telemetry.db"
    TelemetryStore(path).close()
    damaged = path.read_bytes()[:kept] + GARBAGE
    path.write_bytes(damaged)
    store = TelemetryStore(path)
    store.write({}, marks={"m": 1})
    assert store.mark("m") == 1
    store.close()
    assert (tmp_path / "telemetry.unusable").read_bytes() == damaged
    assert "telemetry.unusable" in caplog.text


def test_a_file_that_cannot_be_opened_stays_where_it_is(tmp_path):
    (tmp_path / "telemetry.db").mkdir()
    with pytest.raises(sqlite3.OperationalError):
        TelemetryStore(tmp_path / "telemetry.db")
    assert [one.name for one in tmp_path.iterdir()] == ["telemetry.db"]
