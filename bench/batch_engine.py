"""A job of the batch engine without a server: nodes and a supervisor, as the server starts them."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bench.batch_work import SIZE, SOURCES, Run, Work, bury, cpu

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCES)}


def score_files(work: Work, rounds: int, nodes: int, processes: int) -> Run:
    """A job over the listed files; its rows are checked."""
    some = len(work.listed) < len(work.files)
    found = run_job(
        work.folder,
        nodes,
        env={"ROUNDS": str(rounds)},
        inputs=work.listed if some else [str(work.inputs)],
        mini_batch_size=SIZE,
        processes_per_node=processes,
    )
    work.check(work.folder / "output" / "predictions.csv")
    return found


def run_job(folder: Path, nodes: int, **said: object) -> Run:
    """A job of folder/score.py. Its wall ends with the durable, ordered publication of its rows.

    said: of job.json, in place of what all jobs have here.
    """
    began, used, job = time.time(), cpu(), folder / "job"
    for old in (job, folder / "output", folder / "logs"):
        shutil.rmtree(old, ignore_errors=True)
    job.mkdir()
    with contextlib.ExitStack() as stack:
        listed = [_node(stack, folder, number) for number in range(nodes)]
        (job / "nodes.json").write_text(json.dumps({"nodes": listed}))
        (job / "job.json").write_text(json.dumps({**_job(folder), **said}))
        command = [sys.executable, "-m", "lazulite.batch.supervisor", str(job)]
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    bury()
    progress = json.loads((job / "progress.json").read_text())
    first, last = progress["first_mini_batch"], progress["updated"]
    return Run(last - first, cpu() - used, first - began)


def _node(stack: contextlib.ExitStack, folder: Path, number: int) -> dict[str, str]:
    socket = folder / f"{number}.sock"
    socket.unlink(missing_ok=True)
    command = [sys.executable, "-m", "lazulite.executors.node", str(socket), f"node{number}"]
    node = subprocess.Popen(command, env=ENVIRONMENT)
    stack.callback(node.wait)
    stack.callback(node.terminate)
    while not socket.exists():
        time.sleep(0.01)
    return {"id": f"node{number}", "socket": str(socket)}


def _job(folder: Path) -> dict[str, object]:
    return {
        "name": "bench",
        "python": sys.executable,
        "worker_path": str(SOURCES),
        "script": str(folder / "score.py"),
        "code_dir": str(folder),
        "env": {},
        "output_dir": str(folder / "output"),
        "log_dir": str(folder / "logs"),
    }
