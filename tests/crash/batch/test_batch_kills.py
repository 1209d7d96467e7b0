"""kill -9 of anything at any time: every row once, in input order, and no process left."""

import random
import time

import pytest

pytestmark = [pytest.mark.crash, pytest.mark.slow]

SCRIPT = """
import os, time
def init(): pass
def run(mini_batch):
    time.sleep(0.012)
    return [os.path.basename(path) + " ok" for path in mini_batch]
"""
FAMILY = """
import os, subprocess, time
def init(): subprocess.Popen(["sleep", "600"])
def run(mini_batch):
    time.sleep(0.012)
    return [os.path.basename(path) + " ok" for path in mini_batch]
"""


def workers(bench):
    """The pids of worker processes."""
    return [pid for pid in bench.processes() if b"lazulite_worker.batch" in bench.command(pid)]


def kill_at_random(bench, supervisor, victim, seed, most):
    """Kill victims until the supervisor ends; how many were hit."""
    chance, hit = random.Random(seed), 0
    while supervisor.poll() is None:
        time.sleep(chance.uniform(0.02, 0.2))
        if hit < most and bench.progress["state"] == "running":
            hit += victim(chance)
    return hit


def test_killed_workers_lose_and_double_no_row(bench, kill):
    expected = bench.files(3000)
    bench.write_job(script=SCRIPT, max_retries=50)
    bench.start_node("node0")
    bench.start_node("node1")
    supervisor = bench.start_supervisor()

    def victim(chance):
        alive = workers(bench)
        return kill(chance.choice(alive)) if alive else 0

    hit = kill_at_random(bench, supervisor, victim, 1, 12)
    assert supervisor.wait() == 0
    assert hit >= 3
    assert bench.output.read_text() == expected
    assert bench.progress["retries"] <= hit
    assert bench.progress["failed_items"] == 0
    bench.until(lambda: not bench.processes())


def test_killed_nodes_charge_nobody_and_their_replacements_take_over(bench, kill):
    expected = bench.files(3000)
    bench.write_job(script=FAMILY, max_retries=0)
    bench.start_node("node0")
    bench.start_node("node1")
    supervisor = bench.start_supervisor()

    def victim(chance):
        name = chance.choice(["node0", "node1"])
        node, _ = bench.nodes[name]
        kill(node.pid)
        node.wait()
        bench.start_node(name)
        return 1

    hit = kill_at_random(bench, supervisor, victim, 2, 5)
    assert supervisor.wait() == 0
    assert hit >= 2
    assert bench.output.read_text() == expected
    assert (bench.progress["retries"], bench.progress["failed_items"]) == (0, 0)
    bench.until(lambda: not bench.processes())


def test_a_killed_supervisor_goes_on_where_it_stopped(bench, kill):
    expected = bench.files(3000)
    bench.write_job(script=FAMILY, max_retries=0)
    bench.start_node()
    chance, done = random.Random(3), [0]
    for _ in range(5):
        supervisor = bench.start_supervisor()
        bench.until_done_or_ended(supervisor, done[-1])
        time.sleep(chance.uniform(0, 0.3))
        kill(supervisor.pid)
        supervisor.wait()
        done.append(bench.progress["done"])
    bench.until(lambda: not bench.processes())
    assert bench.start_supervisor().wait(60) == 0
    assert bench.output.read_text() == expected
    assert (bench.progress["retries"], bench.progress["done"]) == (0, 300)
    assert done == sorted(done)


def test_a_job_goes_on_with_the_other_node_when_one_leaves(bench):
    expected = bench.files(1500)
    bench.write_job(script=SCRIPT, processes_per_node=1)
    bench.start_node("node0")
    bench.start_node("node1")
    supervisor = bench.start_supervisor()
    bench.until(lambda: bench.progress["done"] > 10)
    bench.list_nodes("node1")
    assert supervisor.wait(60) == 0
    assert bench.output.read_text() == expected
    assert bench.progress["retries"] == 0


def test_a_job_starts_with_the_first_node_and_uses_later_ones(bench):
    expected = bench.files(1500)
    script = """
import os, time
def run(mini_batch):
    while "f00100" < os.path.basename(mini_batch[0]) and not os.path.exists(os.environ["GO"]):
        time.sleep(0.01)
    time.sleep(0.012)
    return [os.path.basename(path) + " ok" for path in mini_batch]
"""
    go = bench.folder / "go"
    bench.write_job(script=script, processes_per_node=1, env=bench.env(GO=str(go)))
    supervisor = bench.start_supervisor()
    bench.until(lambda: bench.progress["state"] == "preparing")
    bench.start_node("node0")
    bench.until(lambda: bench.progress["done"] > 0)
    bench.start_node("node1")
    bench.until(
        lambda: "node1 process000 is ready" in (bench.logs / "sys/master_role.txt").read_text()
    )
    go.touch()
    assert supervisor.wait(60) == 0
    assert bench.output.read_text() == expected
    assert sorted(path.name for path in (bench.logs / "sys/node").iterdir()) == ["node0", "node1"]


def supervisor_that_publishes(bench):
    """A supervisor that has just come to its last part, or has ended."""
    path = bench.job_dir / "progress.json"
    before = path.stat().st_mtime_ns if path.exists() else 0
    supervisor = bench.start_supervisor()
    until_at_once(
        lambda: (
            supervisor.poll() is not None
            or (path.exists() and path.stat().st_mtime_ns > before and "final" in path.read_text())
        )
    )
    return supervisor


def until_at_once(condition):
    """As until(), in steps that are shorter than a publication."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the supervisor did not come so far"
        time.sleep(0.0005)


def test_a_job_killed_around_publication_publishes_once(bench, kill):
    expected = bench.files(200)
    # The first supervisor waits for its processes then: it is hit, however slow this test is.
    bench.write_job(script=SCRIPT + "def shutdown(): time.sleep(60)\n")
    bench.start_node()
    places, hit, delay = set(), 0, 0
    while bench.progress["state"] != "completed" and hit < 40:
        supervisor = supervisor_that_publishes(bench)
        time.sleep(delay / 1000)
        kill(supervisor.pid)
        if supervisor.wait() == 0:
            break
        hit, delay = hit + 1, delay + 0.5
        places.add((bench.progress["state"], bench.output.exists()))
        assert not bench.output.exists() or bench.output.read_text() == expected
    assert hit
    assert {state for state, _ in places} <= {"finalizing", "completed"}, places
    assert bench.start_supervisor().wait(60) == 0
    assert bench.output.read_text() == expected
    assert [path.name for path in bench.output_dir.iterdir()] == ["predictions.csv"]


def test_two_supervisors_of_one_job_do_it_once(bench):
    expected = bench.files(500)
    bench.write_job(script=SCRIPT)
    bench.start_node()
    both = [bench.start_supervisor(), bench.start_supervisor()]
    assert [supervisor.wait(60) for supervisor in both] == [0, 0]
    assert bench.output.read_text() == expected


def test_a_node_that_another_job_needs_ends_its_mini_batch_first(bench):
    """And one that comes back is used again, by new processes."""
    expected = bench.files(40)
    script = """
import os, time
def run(mini_batch):
    name = os.path.basename(mini_batch[0])
    if os.environ["LAZULITE_BATCH_AGENT"] == "process000":
        with open(os.path.join(os.environ["NOTES"], name), "a") as file:
            file.write("began ")
        while not os.path.exists(os.environ["GO"]):
            time.sleep(0.01)
    return [os.path.basename(path) + " ok" for path in mini_batch]
"""
    notes, go = bench.folder / "notes", bench.folder / "go"
    notes.mkdir()
    env = bench.env(GO=str(go), NOTES=str(notes))
    bench.write_job(script=script, processes_per_node=1, mini_batch_size=1, env=env)
    bench.start_node("node0")
    supervisor = bench.start_supervisor()
    bench.until(lambda: list(notes.iterdir()))
    bench.list_nodes()
    log = bench.logs / "sys/master_role.txt"
    bench.until(lambda: "node0 leaves" in log.read_text())
    bench.list_nodes("node0")
    go.touch()
    assert supervisor.wait(60) == 0
    assert bench.output.read_text() == expected
    assert [note.read_text() for note in notes.iterdir()] == ["began "]
    assert "process001 is ready" in log.read_text()
