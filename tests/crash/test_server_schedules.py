"""Any schedule of kill -9 on a whole server, its control plane included. For the night."""

import contextlib
import os
import random
import signal

import pytest

from tests.live import processes_of, wait_for

pytestmark = [pytest.mark.crash, pytest.mark.nightly, pytest.mark.timeout(600)]

COUNT, KILLS = 600, 20
SLOW = """
import os, time
def run(mini_batch):
    time.sleep(0.05)
    return [os.path.basename(path) for path in mini_batch]
"""
PARTS = {
    "supervisor": "lazulite.batch.supervisor",
    "node": "lazulite.executors.node",
    "worker": "lazulite_worker.batch",
}


def kill_one(server, chance, victim):
    """Kill a process of the sort, or the control plane, which is started again."""
    if victim == "control plane":
        server.kill()
        server.up()
        return
    found = [
        pid
        for pid, line in processes_of(server.data_dir)
        if PARTS[victim] in line and not line.startswith("sh ")
    ]
    with contextlib.suppress(ProcessLookupError, IndexError):
        os.kill(chance.choice(found), signal.SIGKILL)


def done(server, job):
    progress = server.job(job).get("progress") or {}
    ended = server.job(job)["status"] in {"Completed", "Failed"}
    return COUNT if ended else progress.get("done", 0)


@pytest.mark.parametrize("seed", range(3))
def test_no_row_is_lost_or_doubled_whatever_is_killed(own_server, seed):
    chance = random.Random(seed)
    own_server.batch(
        "killed",
        SLOW,
        resources={"instanceCount": 2},
        miniBatchSize=2,
        retrySettings={"maxRetries": KILLS},
    )
    own_server.files("killed", COUNT)
    job = own_server.invoke("killed", "killed").json()["name"]
    for number in range(KILLS):
        least = COUNT // 2 * number // (KILLS + 1)
        wait_for(lambda least=least: done(own_server, job) >= least)
        kill_one(own_server, chance, chance.choice(["control plane", *PARTS]))
    assert own_server.ended(job)["status"] == "Completed", own_server.job(job)
    assert own_server.rows(job) == [f"{number:04}.txt" for number in range(COUNT)]
    assert own_server.job(job)["progress"]["failed_items"] == 0
