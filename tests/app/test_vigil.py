"""Deployments that serve are left alone until something happens to them."""

import json
import os
import signal
import sqlite3
from datetime import UTC, datetime

from tests.live import wait_for

ECHO = "def init(): pass\ndef run(data): return data\n"
PATH = "/onlineEndpoints/rests/deployments/blue"


def test_a_deployment_rests_and_is_looked_at_when_a_replica_ends(server):
    server.deploy("rests", ECHO)
    wait_for(lambda: seconds_until_due(server) > 10)

    task = next(server.data_dir.glob(f"tasks/{uid(server)}-*/status.json"))
    os.kill(json.loads(task.read_bytes())["replicas"][0]["pid"], signal.SIGKILL)
    # Much earlier than it was due.
    wait_for(lambda: [each["restarts"] for each in replicas(server)] == [1], deadline_s=9)
    wait_for(lambda: [each["state"] for each in replicas(server)] == ["ready"])
    wait_for(lambda: seconds_until_due(server) > 10)


def replicas(server):
    return server.call("GET", PATH).json()["properties"]["replicas"]


def uid(server):
    return row(server, "uid")


def seconds_until_due(server):
    """When the deployment is to be looked at again."""
    due = datetime.fromisoformat(row(server, "due_at")).replace(tzinfo=UTC)
    return (due - datetime.now(UTC)).total_seconds()


def row(server, column):
    where = f"file:{server.data_dir / 'lazulite.db'}?mode=ro"
    with sqlite3.connect(where, uri=True) as database:
        query = f"SELECT {column} FROM resources WHERE key LIKE ? AND gone_at IS NULL"
        ((value,),) = database.execute(query, (f"%{PATH}".lower(),))
    return value
