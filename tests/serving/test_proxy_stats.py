"""What HAProxy's answers say."""

from lazulite.serving.proxy_stats import Load, parse_stats

TABLE = """# pxname,svname,qcur,scur,
public,FRONTEND,,7,
Ep.blue,BACKEND,2,5,
control,BACKEND,0,1,
"""
INFO = "Name: HAProxy\nDroppedLogs: 3\n"
COPIES = "copies Ep.green answered 4\ncopies Ep.green dropped 1\ncopies other.red failed 2\n"
COMMANDS = "Unknown command: 'copies'. Please enter one of the following commands only:\n  help\n"


def test_load_connections_and_copies_are_told_by_deployment():
    stats = parse_stats(TABLE, INFO, COPIES)

    assert stats.deployments == {("ep", "blue"): Load(active=3, queued=2)}
    assert (stats.connections, stats.dropped_lines) == (7, 3)
    assert stats.copies == {
        ("ep", "green"): {"answered": 4, "dropped": 1},
        ("other", "red"): {"failed": 2},
    }


def test_without_a_mirror_there_are_no_copies():
    assert parse_stats(TABLE, INFO, COMMANDS).copies == {}
