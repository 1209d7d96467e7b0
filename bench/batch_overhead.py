"""What the batch engine costs over two processes that share the files and nothing else.

`python bench/batch_overhead.py [--files 10000] [--pairs 5]`: interleaved runs of `static2` and the
engine (1 node x 2 processes, 2 nodes x 1), at 0 and 1 ms of fixed CPU work per file. Compares
- wall time from the first mini-batch to the last (static2: first file to last), and with the
  ordered, durable publication and the end of all processes ("to completed");
- CPU time of all processes, less start and listing (static2: less what 20 files take; engine:
  less a job of one mini-batch that reads nothing): less disturbed by others on the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1] / "src"
SCORE = """
import os, zlib
ROUNDS, DATA = int(os.environ["ROUNDS"]), bytes(4096)
def init(): pass
def run(mini_batch):
    if ROUNDS < 0:
        return [0] * len(mini_batch)
    out = []
    for path in mini_batch:
        with open(path, "rb") as file:
            content = file.read()
        for _ in range(ROUNDS):
            zlib.crc32(DATA)
        out.append("%s:%d" % (os.path.basename(path), len(content)))
    return out
"""
SHAPES = ((1, 2), (2, 1))
"""Nodes, and processes on each."""
STATIC = """
import sys, time
sys.path.insert(0, sys.argv[1])
import score
files = open(sys.argv[2]).read().split("\\n")[int(sys.argv[3])::2]
sys.stdin.readline()
with open(sys.argv[4], "w") as out:
    for begin in range(0, len(files), 10):
        for row in score.run(files[begin : begin + 10]):
            out.write(row + "\\n")
print(time.perf_counter())
"""


def main() -> None:
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="lzbench", dir="/tmp"))
    try:
        files = _make(folder, options.files)
        per_ms = _calibrate()
        for milliseconds in options.milliseconds:
            _compare(folder, files, milliseconds, int(per_ms * milliseconds), options.pairs)
    finally:
        shutil.rmtree(folder)


def _compare(folder: Path, files: list[str], milliseconds: int, rounds: int, pairs: int) -> None:
    static = [_static2(folder, rounds) for _ in range(2)]
    engine = {shape: [] for shape in SHAPES}
    ratios = {shape: [] for shape in SHAPES}
    for _ in range(pairs):
        for shape in SHAPES:
            engine[shape].append(_engine(folder, rounds, *shape))
            static.append(_static2(folder, rounds))
            around = (static[-1].wall + static[-2].wall) / 2
            ratios[shape].append(engine[shape][-1].wall / around)
    (folder / "list").write_text("\n".join(files[:20]))
    idle = statistics.median(_static2(folder, rounds).cpu for _ in range(5))
    (folder / "list").write_text("\n".join(files))
    base = statistics.median(run.cpu for run in static) - idle
    wall = statistics.median(run.wall for run in static)
    print(
        f"{milliseconds} ms/file, {len(files)} files: static2 wall {wall:.3f} s, cpu {base:.3f} s"
    )
    for shape, runs in engine.items():
        idle = statistics.median(_engine(folder, -1, *shape, len(files)).cpu for _ in range(5))
        cpu = statistics.median(run.cpu for run in runs) - idle
        walls = statistics.median(run.wall for run in runs)
        completed = statistics.median(run.completed for run in runs)
        start = statistics.median(run.start for run in runs)
        print(f"  {shape[0]} nodes x {shape[1]} processes, start to first mini-batch {start:.3f} s")
        print(f"    wall {walls:.3f} s (to completed {completed:.3f} s)")
        print(f"    ratio {statistics.median(ratios[shape]):.3f} of {_spread(ratios[shape])}")
        print(f"    cpu {cpu:.3f} s, ratio {cpu / base:.3f}")


def _spread(values: list[float]) -> str:
    return " ".join(f"{value:.2f}" for value in sorted(values))


@dataclasses.dataclass(frozen=True)
class Run:
    wall: float
    completed: float
    cpu: float
    start: float = 0.0


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _static2(folder: Path, rounds: int) -> Run:
    used = _cpu()
    halves = [
        subprocess.Popen(
            [sys.executable, "-c", STATIC, folder, folder / "list", str(half), folder / f"o{half}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "ROUNDS": str(rounds)},
        )
        for half in (0, 1)
    ]
    time.sleep(0.3)
    begin = time.perf_counter()
    for half in halves:
        half.stdin.close()
    ends = [float(half.stdout.read()) for half in halves]
    for half in halves:
        half.wait()
        half.stdout.close()
    return Run(max(ends) - begin, max(ends) - begin, _cpu() - used)


def _engine(folder: Path, rounds: int, nodes: int, processes: int, size: int = 10) -> Run:
    used = _cpu()
    job = folder / "job"
    for old in (job, folder / "output", folder / "logs"):
        shutil.rmtree(old, ignore_errors=True)
    job.mkdir()
    with contextlib.ExitStack() as stack:
        listed = [_node(stack, folder, number) for number in range(nodes)]
        (job / "nodes.json").write_text(json.dumps({"nodes": listed}))
        (job / "job.json").write_text(json.dumps(_job(folder, rounds, processes, size)))
        began = time.time()
        done = subprocess.run(
            [sys.executable, "-m", "lazulite.batch.supervisor", str(job)],
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    progress = json.loads((job / "progress.json").read_text())
    assert progress["succeeded_items"] == progress["items"], done.stdout
    first = progress["first_mini_batch"]
    wall, completed = progress["last_mini_batch"] - first, progress["updated"] - first
    return Run(wall, completed, _cpu() - used, first - began)


def _node(stack: contextlib.ExitStack, folder: Path, number: int) -> dict[str, str]:
    socket = folder / f"{number}.sock"
    socket.unlink(missing_ok=True)
    node = subprocess.Popen(
        [sys.executable, "-m", "lazulite.executors.node", str(socket), f"node{number}"],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
    )
    stack.callback(node.wait)
    stack.callback(node.terminate)
    while not socket.exists():
        time.sleep(0.01)
    return {"id": f"node{number}", "socket": str(socket)}


def _job(folder: Path, rounds: int, processes: int, size: int) -> dict[str, object]:
    return {
        "name": "bench",
        "python": sys.executable,
        "worker_path": str(SOURCES),
        "script": str(folder / "score.py"),
        "code_dir": str(folder),
        "env": {"ROUNDS": str(rounds)},
        "inputs": [str(folder / "use")],
        "mini_batch_size": size,
        "processes_per_node": processes,
        "output_dir": str(folder / "output"),
        "log_dir": str(folder / "logs"),
    }


def _make(folder: Path, count: int) -> list[str]:
    (folder / "inputs").mkdir()
    (folder / "score.py").write_text(SCORE)
    files = [str(folder / "inputs" / f"f{number:06}.bin") for number in range(count)]
    for file in files:
        Path(file).write_bytes(os.urandom(900))
    _use(folder, files)
    return files


def _use(folder: Path, files: list[str]) -> None:
    """Score these files from now on."""
    (folder / "list").write_text("\n".join(files))
    shutil.rmtree(folder / "use", ignore_errors=True)
    (folder / "use").mkdir()
    for file in files:
        os.link(file, folder / "use" / Path(file).name)


def _calibrate() -> float:
    """Rounds of the work that take a millisecond here."""
    program = (
        "import time, zlib; d = bytes(4096); b = time.perf_counter()\n"
        "for _ in range(200000): zlib.crc32(d)\n"
        "print(200 / (time.perf_counter() - b))"
    )
    found = [
        float(
            subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
        )
        for _ in range(3)
    ]
    return max(found)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--milliseconds", type=int, nargs="+", default=[0, 1])
    return parser.parse_args()


if __name__ == "__main__":
    main()
