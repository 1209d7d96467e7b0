"""What the benchmark of batch engines has done: files, work of a known length, and what it costs.

Time of processors counts every process that was started, daemons and orphans included.
"""

import dataclasses
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from lazulite.executors.guard import adopt_orphans

SOURCES = Path(__file__).resolve().parents[1] / "src"
SIZE = 10
"""Files of a mini-batch."""
SCORE = """
import os, zlib
ROUNDS, DATA = int(os.environ["ROUNDS"]), bytes(4096)
def init(): pass
def run(mini_batch):
    out = []
    for path in mini_batch:
        with open(path, "rb") as file:
            content = file.read()
        for _ in range(ROUNDS):
            zlib.crc32(DATA)
        out.append("%s:%d" % (os.path.basename(path), len(content)))
    return out
"""


@dataclasses.dataclass(frozen=True)
class Run:
    """wall: seconds from the first mini-batch to the last row; cpu: of all processes, from the
    start of the first; start: seconds before the first mini-batch."""

    wall: float
    cpu: float
    start: float


class Work:
    """Files in a folder, with a list of those in use, and the scoring script beside them."""

    def __init__(self, folder: Path, count: int):
        self.folder, self.inputs = folder, folder / "inputs"
        self.inputs.mkdir()
        (folder / "score.py").write_text(SCORE)
        self.files = [str(self.inputs / f"f{number:06}.bin") for number in range(count)]
        for file in self.files:
            Path(file).write_bytes(os.urandom(900))
        self.use(count)

    def use(self, count: int):
        """Score the first so many files from now on."""
        self.listed = self.files[:count]
        (self.folder / "list").write_text("\n".join(self.listed))

    def check(self, output: Path):
        """Every row is there, once and in order."""
        names = [row.partition(":")[0] for row in output.read_text().splitlines()]
        assert names == [Path(file).name for file in self.listed], f"{len(names)} rows"


def measured(command: list[str], rounds: int, **variables: str) -> Run:
    """Run a program that prints when its first mini-batch began and its last row was written."""
    began, used = time.time(), cpu()
    env = {**os.environ, "ROUNDS": str(rounds), **variables}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    first, last = json.loads(done.stdout.splitlines()[-1])
    bury()
    return Run(last - first, cpu() - used, first - began)


def cpu() -> float:
    """Seconds of processor time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bury():
    """Wait for what a program has left behind, for its time to be counted."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def rounds_per_ms() -> float:
    """Rounds of the work that take a millisecond here, on a core that is not disturbed."""
    adopt_orphans()
    program = (
        "import time, zlib; d = bytes(4096); b = time.perf_counter()\n"
        "for _ in range(200000): zlib.crc32(d)\n"
        "print(200 / (time.perf_counter() - b))"
    )
    command = [sys.executable, "-c", program]
    return max(float(subprocess.check_output(command)) for _ in range(3))
