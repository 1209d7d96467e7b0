"""A job of the batch engine without a server: nodes and a supervisor, as the server starts them."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time

from bench.batch_work import SIZE, SOURCES, Run, Work, bury, cpu

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCES)}


def run_job(work: Work, rounds: int, nodes: int, processes: int) -> Run:
    """One job; its rows are checked. Its wall ends with their durable, ordered publication."""
    began, used, job = time.time(), cpu(), work.folder / "job"
    for old in (job, work.folder / "output", work.folder / "logs"):
        shutil.rmtree(old, ignore_errors=True)
    job.mkdir()
    with contextlib.ExitStack() as stack:
        listed = [_node(stack, work, number) for number in range(nodes)]
        (job / "nodes.json").write_text(json.dumps({"nodes": listed}))
        (job / "job.json").write_text(json.dumps(_job(work, rounds, processes)))
        command = [sys.executable, "-m", "lazulite.batch.supervisor", str(job)]
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    bury()
    work.check(work.folder / "output" / "predictions.csv")
    progress = json.loads((job / "progress.json").read_text())
    first, last = progress["first_mini_batch"], progress["updated"]
    return Run(last - first, cpu() - used, first - began)


def _node(stack: contextlib.ExitStack, work: Work, number: int) -> dict[str, str]:
    socket = work.folder / f"{number}.sock"
    socket.unlink(missing_ok=True)
    command = [sys.executable, "-m", "lazulite.executors.node", str(socket), f"node{number}"]
    node = subprocess.Popen(command, env=ENVIRONMENT)
    stack.callback(node.wait)
    stack.callback(node.terminate)
    while not socket.exists():
        time.sleep(0.01)
    return {"id": f"node{number}", "socket": str(socket)}


def _job(work: Work, rounds: int, processes: int) -> dict[str, object]:
    return {
        "name": "bench",
        "python": sys.executable,
        "worker_path": str(SOURCES),
        "script": str(work.folder / "score.py"),
        "code_dir": str(work.folder),
        "env": {"ROUNDS": str(rounds)},
        "inputs": work.listed if len(work.listed) < len(work.files) else [str(work.inputs)],
        "mini_batch_size": SIZE,
        "processes_per_node": processes,
        "output_dir": str(work.folder / "output"),
        "log_dir": str(work.folder / "logs"),
    }
