"""HAProxy's own counts, as they are read."""

from lazulite.serving.proxy_stats import parse_stats

TABLE = """\
# pxname,svname,qcur,qmax,scur,smax,stot
public,FRONTEND,,,12,40,900
control,BACKEND,0,0,1,1,50
Ep.blue,p0,0,0,2,2,300
Ep.blue,waiting,0,0,1,1,5
Ep.blue,BACKEND,3,9,6,9,305

"""


def test_loads_connections_and_lost_lines():
    found = parse_stats(TABLE, "Name: HAProxy\nDroppedLogs: 4\n")
    assert (found.connections, found.dropped_lines) == (12, 4)
    [(names, load)] = found.deployments.items()
    assert names == ("ep", "blue")
    assert (load.in_flight, load.queued) == (6, 4)


def test_a_front_door_that_serves_nothing():
    assert parse_stats("", "") == ({}, 0, 0)
