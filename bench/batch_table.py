"""One CSV of many rows and ten columns, scored by a logistic regression, 20,000 rows at a time."""

import random
import sys
import tempfile
from pathlib import Path

from bench.batch_engine import run_job
from bench.batch_peers import installed
from bench.batch_work import measured
from lazulite.executors.guard import adopt_orphans

ROWS = 20_000
"""Of a mini-batch."""
SCORE = """
import numpy
from sklearn.linear_model import LogisticRegression

def init():
    global model
    data = numpy.random.default_rng(0).normal(size=(2000, 10))
    model = LogisticRegression().fit(data, data.sum(axis=1) > 0)

def run(frame):
    return model.predict(frame.to_numpy()).astype(int)
"""
_HEAD = """
import json, os, sys, time
folder = sys.argv[1]
sys.path.insert(0, folder)
os.environ["PYTHONPATH"] = folder
import pandas, score
table = os.path.join(folder, "table.csv")

def write(results):
    with open(os.path.join(folder, "rows"), "w") as out:
        for rows in results:
            out.writelines("%d\\n" % row for row in rows)

def scored(frame):
    if not hasattr(score, "model"):
        score.init()
    return score.run(frame)

if __name__ == "__main__":
"""
_RAY = """
    import ray, ray.data
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    ray.data.DataContext.get_current().execution_options.preserve_order = True
    first = time.time()
    data = ray.data.read_csv(table).map_batches(
        lambda frame: pandas.DataFrame({"y": scored(frame)}), batch_format="pandas", batch_size=%d)
    write(frame["y"] for frame in data.iter_batches(batch_format="pandas"))
"""
PROGRAMS = {
    "single loop": """
    score.init()
    first = time.time()
    write(map(scored, pandas.read_csv(table, chunksize=%d)))
""",
    "whole table in one call": """
    score.init()
    first = time.time()
    write([scored(pandas.read_csv(table))])
""",
    "multiprocessing": """
    import multiprocessing
    with multiprocessing.Pool(2, score.init) as pool:
        first = time.time()
        write(pool.imap(scored, pandas.read_csv(table, chunksize=%d)))
""",
    "Dask": """
    import dask.dataframe
    from distributed import Client
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        first = time.time()
        frame = dask.dataframe.read_csv(table, blocksize="4MiB")
        found = frame.map_partitions(lambda part: pandas.Series(scored(part)), meta=("y", "i8"))
        write([found.compute()])
        last = time.time()
    print(json.dumps([first, last]))
    sys.exit()
""",
    "Ray Data": _RAY,
}
_TAIL = """
    print(json.dumps([first, time.time()]))
"""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"}


def compare_tables(folder: Path, rows: int, peers: Path):
    """One run of each; prints wall and processor time, and the wall beside half of the loop."""
    adopt_orphans()
    python = installed(peers, "tables")
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        (place / "score.py").write_text(SCORE)
        _make(place / "table.csv", rows)
        found = {name: _peer(name, place, python) for name in PROGRAMS}
        expected = (place / "rows").read_text()
        found["lazulite, 1 node x 2 processes"] = _ours(place, python)
        assert (place / "output" / "predictions.csv").read_text() == expected
    print(f"\none CSV of {rows} rows, {ROWS} rows to a mini-batch")
    print(f"{'':36} {'wall s':>8} {'of ideal':>8} {'cpu s':>8} {'start s':>8}")
    ideal = found["single loop"].wall / 2
    for name, run in found.items():
        print(f"{name:36} {run.wall:8.2f} {run.wall / ideal:8.3f} {run.cpu:8.2f} {run.start:8.2f}")


def _peer(name: str, place: Path, python: str):
    body = PROGRAMS[name]
    program = place / f"peer_{name.replace(' ', '_')}.py"
    program.write_text(_HEAD + (body % ROWS if "%d" in body else body) + _TAIL)
    return measured([python, str(program), str(place)], 0, **ONE_THREAD)


def _ours(place: Path, python: str):
    return run_job(
        place,
        nodes=1,
        python=python,
        env=ONE_THREAD,
        inputs=[str(place / "table.csv")],
        rows_per_mini_batch=ROWS,
        processes_per_node=2,
        timeout_s=600,
    )


def _make(path: Path, rows: int):
    """Numbers with few digits; the same each time."""
    source = random.Random(0)
    lines = [",".join(f"{source.gauss(0, 1):.4f}" for _ in range(10)) for _ in range(10_000)]
    with path.open("w") as file:
        file.write(",".join(f"x{number}" for number in range(10)) + "\n")
        for begin in range(0, rows, len(lines)):
            file.writelines(line + "\n" for line in lines[: rows - begin])


if __name__ == "__main__":
    compare_tables(Path(tempfile.gettempdir()), int(sys.argv[1]), Path(".bench"))
