"""Batch scoring beside what else could do it: 10,000 files, 2 processes, mini-batches of 10.

    python -m bench.batch [--files 10000] [--rounds 5] [--milliseconds 0 1 20] [--peers FOLDER]
                          [--rows 5000000] [--only NAME ...]

Each file is read and then costs so much fixed work. The ideal is one loop in one process, half of
its time. Ratios are to it: wall from the first mini-batch to the last row in one ordered file
(ours: durable, with journal and logs), and processor time of all processes, daemons included, less
that of a run over one mini-batch. Rounds take turns, for a shared machine drifts; medians. The
peers are installed into FOLDER (default .bench) on the first run. At 20 ms and more the peers run
once only. Then one large CSV, scored by a model of scikit-learn (batch_table.py).
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from bench.batch_engine import score_files
from bench.batch_peers import PROGRAMS, STATIC, run_halves, run_program
from bench.batch_table import compare_tables
from bench.batch_work import SIZE, Work, rounds_per_ms

SHAPES = {"lazulite, 1 node x 2 processes": (1, 2), "lazulite, 2 nodes x 1 process": (2, 1)}
IDEAL = "single loop"
OFTEN = {IDEAL, STATIC, *SHAPES}
"""What runs in every round, however long it takes."""


def main():
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="lz-bench-"))
    try:
        work, per_ms = Work(folder, options.files), rounds_per_ms()
        for milliseconds in options.milliseconds:
            _compare(work, milliseconds, int(per_ms * milliseconds), options)
        if options.rows:
            compare_tables(folder, options.rows, options.peers)
    finally:
        shutil.rmtree(folder)


def _compare(work, milliseconds, rounds, options):
    runners = _runners(work, rounds, options)
    work.use(SIZE)
    idle = {
        name: statistics.median(runner().cpu for _ in range(5 if name in OFTEN else 1))
        for name, runner in runners
    }
    work.use(options.files)
    found = {name: [] for name, _ in runners}
    for turn in range(options.rounds):
        for name, runner in runners:
            if turn == 0 or name in OFTEN or milliseconds < 20:
                found[name].append(runner())
    print(f"\n{milliseconds} ms of work per file, {options.files} files")
    print(f"{'':36} {'wall s':>8} {'of ideal':>8} {'cpu s':>8} {'of ideal':>8} {'start s':>8}")
    cpu = {name: statistics.median(run.cpu for run in found[name]) - idle[name] for name in found}
    for name, runs in found.items():
        wall = statistics.median(run.wall for run in runs)
        pairs = zip(runs, found[IDEAL], strict=False)
        ratio = statistics.median(run.wall / (ideal.wall / 2) for run, ideal in pairs)
        start = statistics.median(run.start for run in runs)
        share = cpu[name] / cpu[IDEAL]
        print(f"{name:36} {wall:8.3f} {ratio:8.3f} {cpu[name]:8.3f} {share:8.3f} {start:8.2f}")


def _runners(work, rounds, options):
    """Every way to do it, the ideal first."""
    runners = {
        IDEAL: _program(IDEAL, work, rounds, options),
        STATIC: lambda: run_halves(work, rounds),
        **{name: _job(work, rounds, shape) for name, shape in SHAPES.items()},
        **{name: _program(name, work, rounds, options) for name in PROGRAMS if name != IDEAL},
    }
    wanted = {*(options.only or runners), IDEAL}
    return [(name, runner) for name, runner in runners.items() if name in wanted]


def _job(work, rounds, shape):
    return lambda: score_files(work, rounds, *shape)


def _program(name, work, rounds, options):
    return lambda: run_program(name, work, rounds, options.peers)


def _options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=5_000_000, help="Of the table; 0: no table.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--milliseconds", type=int, nargs="+", default=[0, 1, 20])
    parser.add_argument("--peers", type=Path, default=Path(".bench"))
    parser.add_argument("--only", nargs="+", metavar="NAME")
    return parser.parse_args()


if __name__ == "__main__":
    main()
