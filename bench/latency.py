"""How long a user waits: start of the server, a deployment, the first mini-batch of a job.

    python -m bench.latency [--rounds 5]

The environment is built beforehand. Targets: ready in 3 s, scored 2 s after the PUT, first
mini-batch 1 s after the invocation, on a cluster without nodes and on one with idle nodes.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from bench.online_replica import NO_OP
from tests.live import running, wait_for

SCORE = "def init():\n    pass\ndef run(mini_batch):\n    return mini_batch\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="lz-bench-") as name, running(Path(name)) as live:
        starts = []
        for _ in range(rounds):
            live.down()
            starts.append(_seconds(live.up))
        _report("server: start to ready", starts, 3)
        live.deploy("warm", NO_OP)
        _report("online: PUT to first answer", [_deploy(live, n) for n in range(rounds)], 2)
        live.batch("batch", SCORE)
        live.files("batch", 20)
        first = _first_mini_batch(live)
        _report("batch: invoke to first mini-batch, no node", [first], 1)
        again = [_first_mini_batch(live) for _ in range(rounds)]
        _report("batch: the same with an idle node", again, 1)


def _deploy(live, number):
    name = f"timed{number}"
    live.put(f"/onlineEndpoints/{name}", {"authMode": "Key", "traffic": {"blue": 100}})
    key = {"authorization": f"Bearer {live.key(name)}"}
    code = live.code(name, NO_OP)
    configuration = {"codeId": code, "scoringScript": "score.py"}
    properties = {"environmentId": live.environment(), "codeConfiguration": configuration}

    def answered():
        live.put(f"/onlineEndpoints/{name}/deployments/blue", properties)
        wait_for(lambda: live.score_with(key, name).status_code == 200)

    return _seconds(answered)


def _first_mini_batch(live):
    started = time.time()
    job = live.invoke("batch", "batch").json()["name"]
    return live.ended(job)["progress"]["first_mini_batch"] - started


def _seconds(do):
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


def _report(what, seconds, target):
    median = statistics.median(seconds)
    print(
        f"{what:44} {median:6.2f} s   {median / target:5.2f} of the {target} s allowed", flush=True
    )


if __name__ == "__main__":
    main()
