"""Any schedule of kill -9, of any process of a job: the output has the same bytes as without.

The script stops at gates that the test opens one by one, so that every kill hits a job at work,
however fast or slow the machine is.
"""

import dataclasses
import random

import pytest

pytestmark = [pytest.mark.crash, pytest.mark.slow]

FILES, PER_MINI_BATCH = 600, 3
SCRIPT = """
import os, time
def gate():
    try:
        with open(os.environ["GATE"]) as file:
            return int(file.read() or 0)
    except FileNotFoundError:
        return 0
def run(mini_batch):
    with open(os.environ["GATE"] + ".begun", "ab", 0) as file:
        file.write(b".")
    first = int(os.path.basename(mini_batch[0])[1:6])
    while first >= gate():
        time.sleep(0.005)
    return [os.path.basename(path) + " ok" for path in mini_batch]
"""
SHAPES = {1: (1, 1), 2: (1, 2), 4: (2, 2)}
"""Workers: nodes, and processes on each."""


@dataclasses.dataclass
class Schedule:
    """A job, and the kills that it has to bear."""

    bench: object
    kill: object
    chance: random.Random
    nodes: int
    supervisor: object = None
    workers_killed: int = 0

    def run(self, kills):
        """Start the job, kill as often as said, and let it come to its end."""
        for number in range(self.nodes):
            self.bench.start_node(f"node{number}")
        self.supervisor = self.bench.start_supervisor()
        for each in range(kills):
            begun = self._begun  # before it opens: what it lets through may begin at once
            self._open_gate(FILES * (each + 1) // (kills + 1))
            more = self.chance.randrange(FILES // PER_MINI_BATCH // (kills + 1) // 2)
            self.bench.until(lambda at=begun + more: self._begun >= at)
            self._kill(self.chance.choice(["worker", "worker", "node", "supervisor", "both"]))
        self._open_gate(FILES)
        return self.supervisor.wait(60)

    @property
    def _begun(self):
        """How often run() was called."""
        calls = self.bench.folder / "gate.begun"
        return calls.stat().st_size if calls.exists() else 0

    def _kill(self, victim):
        if victim == "worker":
            self.workers_killed += self.bench.until(self._a_worker_died)
        if victim in {"node", "both"}:
            name = self.chance.choice(sorted(self.bench.nodes))
            node, _ = self.bench.nodes[name]
            node.kill()
            node.wait()
            self.bench.start_node(name)
        if victim in {"supervisor", "both"}:
            self.supervisor.kill()
            self.supervisor.wait()
            self.supervisor = self.bench.start_supervisor()

    def _a_worker_died(self):
        """Kill one, once there is one."""
        alive = [
            pid
            for pid in self.bench.processes()
            if b"lazulite_worker.batch" in self.bench.command(pid)
        ]
        return bool(alive) and self.kill(self.chance.choice(alive))

    def _open_gate(self, first):
        fresh = self.bench.folder / "gate.new"
        fresh.write_text(str(first))
        fresh.replace(self.bench.folder / "gate")


def check(bench, kill, workers, seed, kills):
    nodes, processes = SHAPES[workers]
    expected = bench.files(FILES)
    bench.write_job(
        script=SCRIPT,
        mini_batch_size=PER_MINI_BATCH,
        processes_per_node=processes,
        max_retries=kills,
        env=bench.env(GATE=str(bench.folder / "gate")),
    )
    schedule = Schedule(bench, kill, random.Random(seed), nodes)
    assert schedule.run(kills) == 0, bench.progress
    assert bench.output.read_bytes() == expected.encode()
    progress = bench.progress
    assert (progress["rows"], progress["items"], progress["failed_items"]) == (FILES, FILES, 0)
    assert progress["retries"] <= schedule.workers_killed
    bench.until(lambda: not bench.processes())


@pytest.mark.parametrize("workers", SHAPES)
def test_the_output_is_the_same_bytes_whatever_is_killed(bench, kill, workers):
    check(bench, kill, workers, seed=workers, kills=11)


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("workers", SHAPES)
def test_many_schedules_of_kills(bench, kill, workers, seed):
    check(bench, kill, workers, seed=100 * workers + seed, kills=10)
