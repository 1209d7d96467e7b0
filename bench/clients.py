"""How long azure-ai-ml takes for an online endpoint, and how much of that is the client's own.

    python -m bench.clients

Microsoft's client, unmodified, in the venv that `make test` makes for it: its start-up (import, and
the first call, which gets a token) against what the flow takes after that, with an environment that
is there: endpoint, deployment, invoke, delete (target: the flow is no longer than the start-up).
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.clients.test_ml_clients import PYTHON, exported
from tests.live import running


def main():
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as live:
        flow = Path(__file__).with_name("clients_flow.py")
        sources = str(Path(__file__).parents[1] / "tests" / "clients" / "ml")
        env = exported(live) | {"PYTHONPATH": sources}
        run = subprocess.run(
            [PYTHON, flow], cwd=folder, env=env, stdout=subprocess.PIPE, check=True, text=True
        )
    times = json.loads(run.stdout.splitlines()[-1])
    for name, seconds in times.items():
        print(f"{name:12} {seconds:6.2f} s")
    own = times["import"] + times["first call"]
    flow_s = sum(times.values()) - own
    print(f"flow {flow_s:.2f} s, the client's start-up {own:.2f} s: {flow_s / own:.2f} times")
    print(f"{os.cpu_count()} CPUs, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
