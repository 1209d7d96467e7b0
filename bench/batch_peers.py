"""The same work by other means. Each program writes the rows of all files in order into one file.

Peers get the usual treatment of their manuals: a mini-batch is a task; warm before the clock.
"""

import subprocess
import sys
from pathlib import Path

from bench.batch_work import Run, Work, measured

REQUIREMENTS = {
    "dask": ("dask[distributed]==2026.8.0",),
    "ray": ("ray[data]==2.60.0",),
    "tables": (
        *("pandas==3.1.1", "scikit-learn==1.9.1"),
        *("dask[distributed,dataframe]==2026.8.0", "ray[data]==2.60.0"),
    ),
}
"""What the venvs of peers hold."""
_HEAD = """
import json, os, sys, time
folder = sys.argv[1]
sys.path.insert(0, folder)
os.environ["PYTHONPATH"] = folder
import score
files = open(os.path.join(folder, "list")).read().split("\\n")
batches = [files[begin : begin + 10] for begin in range(0, len(files), 10)]

def write(results, place="rows"):
    with open(os.path.join(folder, place), "w") as out:
        for rows in results:
            out.writelines(row + "\\n" for row in rows)
"""
_TAIL = """
    print(json.dumps([first, time.time()]))
"""
_MAIN = """
if __name__ == "__main__":
"""
_RAY = """
    import ray
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
"""
PROGRAMS = {
    "single loop": (
        None,
        """
    first = time.time()
    write(map(score.run, batches))
""",
    ),
    "multiprocessing": (
        None,
        """
    import multiprocessing
    with multiprocessing.Pool(2) as pool:
        pool.map(score.run, [[], []])
        first = time.time()
        write(pool.imap(score.run, batches))
""",
    ),
    "Dask": (
        "dask",
        """
    from distributed import Client
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        client.gather(client.map(score.run, [[], []], pure=False))
        first = time.time()
        write(client.gather(client.map(score.run, batches, pure=False)))
        last = time.time()
    print(json.dumps([first, last]))
    sys.exit()
""",
    ),
    "Ray tasks": (
        "ray",
        _RAY
        + """
    task = ray.remote(score.run)
    ray.get([task.remote([]) for _ in range(2)])
    first = time.time()
    write(ray.get([task.remote(batch) for batch in batches]))
""",
    ),
    "Ray actors": (
        "ray",
        _RAY
        + """
    from ray.util import ActorPool
    Scorer = ray.remote(type("Scorer", (), {"run": lambda self, paths: score.run(paths)}))
    actors = [Scorer.remote() for _ in range(2)]
    ray.get([actor.run.remote([]) for actor in actors])
    first = time.time()
    pool = ActorPool(actors)
    write(pool.map(lambda actor, batch: actor.run.remote(batch), batches))
""",
    ),
    "Ray Data": (
        "ray",
        _RAY
        + """
    import ray.data
    ray.data.DataContext.get_current().enable_progress_bars = False
    ray.data.DataContext.get_current().execution_options.preserve_order = True
    def scored(data):
        return {"row": score.run(list(data["path"]))}
    ray.data.from_items([{"path": files[0]}]).map_batches(scored, batch_size=10).take_all()
    first = time.time()
    data = ray.data.from_items([{"path": path} for path in files], override_num_blocks=2)
    done = data.map_batches(scored, batch_size=10)
    write([[item["row"]] for item in done.iter_rows()])
""",
    ),
}
"""By their names: the venv that they need, and what comes after what all share."""
_HALF = (
    _HEAD
    + """
half = int(sys.argv[2])
sys.stdin.readline()
first = time.time()
write(map(score.run, batches[half::2]), "rows%d" % half)
print(json.dumps([first, time.time()]))
"""
)
STATIC = "two processes that share nothing"


def run_program(name: str, work: Work, rounds: int, peers: Path) -> Run:
    """One run of a peer; its rows are checked."""
    venv, body = PROGRAMS[name]
    program = work.folder / f"peer_{name.replace(' ', '_')}.py"
    program.write_text(_HEAD + _MAIN + body + _TAIL)
    python = installed(peers, venv) if venv else sys.executable
    variables = {"RAY_DEDUP_LOGS": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    found = measured([python, str(program), str(work.folder)], rounds, **variables)
    work.check(work.folder / "rows")
    return found


def run_halves(work: Work, rounds: int) -> Run:
    """Two processes with every other mini-batch each, no scheduler, no driver, an output each."""
    program = work.folder / "half.py"
    program.write_text(_HALF)
    both = (
        "import json, subprocess, sys, time\n"
        "start = [sys.executable, *sys.argv[1:]]\n"
        "pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)\n"
        "halves = [subprocess.Popen([*start, str(half)], **pipes) for half in (0, 1)]\n"
        "time.sleep(0.3)\n"
        "for half in halves: half.stdin.close()\n"
        "times = [json.loads(half.stdout.read()) for half in halves]\n"
        "for half in halves: half.wait()\n"
        "print(json.dumps([min(t[0] for t in times), max(t[1] for t in times)]))\n"
    )
    return measured([sys.executable, "-c", both, str(program), str(work.folder)], rounds)


def installed(peers: Path, name: str) -> str:
    """The interpreter of a venv that has the peer."""
    python = peers / name / "bin" / "python"
    if not python.exists():
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "-q", str(peers / name)], check=True)
        command = [uv, "pip", "install", "-q", "--python", str(python), *REQUIREMENTS[name]]
        subprocess.run(command, check=True)
    return str(python.absolute())
