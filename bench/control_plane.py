"""What 100,000 model versions in the workspace do to the control plane.

    python -m bench.control_plane [--versions 100000] [--rounds 300]

Over HTTP, one request at a time: GET of a version (targets: p50 and p99 at most 3 times those of
an empty workspace), the newest version, the container, pages of 1,000 at the start and in the
middle (target: 50 ms of the server's processor time), PUT/s, and memory.
The versions are written into the database while the server is down.
"""

import argparse
import asyncio
import concurrent.futures
import contextlib
import itertools
import os
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from lazulite.core.clock import utc_now
from lazulite.core.ids import fold, parent_of
from lazulite.store.database import close_database, open_database
from lazulite.store.schema import resources
from tests.live import running

MODEL = {
    "modelUri": "azureml://datastores/workspaceblobstore/paths/models/m/model.pkl",
    "modelType": "custom_model",
    "description": "a model",
    "tags": {"stage": "test"},
    "properties": {},
    "flavors": {},
    "isAnonymous": False,
    "isArchived": False,
    "jobName": None,
}
TYPE = "Microsoft.MachineLearningServices/workspaces/models"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--versions", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=300)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        full, empty = (stack.enter_context(_server()) for _ in range(2))
        before = _memory(full)
        full.down()
        asyncio.run(_fill(full.data_dir / "lazulite.db", full.workspace, options.versions))
        full.up()
        empty.put("/models/big/versions/1", MODEL)
        _gets(full, empty, options)
        _pages(full, options.versions)
        for clients in (1, 8):
            print(f"PUT, {clients} at a time: {_puts(full, f'by{clients}', clients):.0f}/s")
        print(
            f"memory: {_memory(full):.0f} MB with {options.versions} versions, all of them listed; "
            f"{before:.0f} MB before"
        )


@contextlib.contextmanager
def _server():
    with tempfile.TemporaryDirectory(prefix="lz-bench-") as name, running(Path(name)) as live:
        yield live


def _gets(full, empty, options):
    """In turns, so that whatever else the machine does disturbs both alike."""
    newest = {"$orderBy": "createdtime desc", "$top": "1"}
    versions = "/models/big/versions"
    asked = {
        "GET of a version": (lambda n: f"{versions}/{1 + n * 97 % options.versions}", {}),
        "newest version": (lambda _: versions, newest),
        "container": (lambda _: "/models/big", {}),
    }
    for what, (path, query) in asked.items():
        taken = {full: [], empty: []}
        for number in range(options.rounds + 20):
            for live in taken:
                address = path(number if live is full else 0)
                taken[live].append(_seconds(lambda: live.call("GET", address, **query)))  # noqa: B023
        with_them, without = (_quantiles(taken[live][20:]) for live in (full, empty))
        times = [more / less for more, less in zip(with_them, without, strict=True)]
        print(
            f"{what:18} p50 {with_them[0]:6.2f} ms, {times[0]:.2f} times an empty workspace; "
            f"p99 {with_them[1]:6.2f} ms, {times[1]:.2f} times (at most 3)"
        )


def _pages(live, versions):
    """Every page of the largest list, following nextLink."""
    headers = {"authorization": f"Bearer {live.token()}"}
    url, taken, seen = (
        f"{live.base}{live.workspace}/models/big/versions?api-version=2021-10-01",
        [],
        0,
    )
    used = _processor(live)
    while url:
        started = time.perf_counter()
        page = live.http.get(url, headers=headers)
        taken.append(time.perf_counter() - started)
        seen, url = seen + len(page.json()["value"]), page.json()["nextLink"]
    used = (_processor(live) - used) / len(taken) * 1000
    assert seen == versions, f"{seen} of {versions} versions were listed"
    print(
        f"page of 1,000: {used:.1f} ms of processor time (at most 50); over HTTP p50 "
        f"{statistics.median(taken) * 1000:.1f} ms, worst {max(taken) * 1000:.1f} ms"
    )


def _puts(live, model, clients, count=400):
    """New versions a second."""
    numbers = itertools.count(1)
    put = lambda _: live.put(f"/models/{model}/versions/{next(numbers)}", MODEL)  # noqa: E731
    started = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        list(pool.map(put, range(count)))
    return count / (time.perf_counter() - started)


def _seconds(get):
    started = time.perf_counter()
    assert get().status_code == 200
    return time.perf_counter() - started


def _quantiles(seconds):
    """p50 and p99 in milliseconds."""
    ordered = sorted(seconds)
    return statistics.median(ordered) * 1000, ordered[int(len(ordered) * 0.99)] * 1000


def _processor(live):
    """Seconds of processor time that the server has used."""
    fields = Path(f"/proc/{live.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(live):
    """Resident MB of the server's process."""
    status = Path(f"/proc/{live.process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


async def _fill(path, workspace, versions):
    engine = await open_database(path)
    container = f"{workspace}/models/big"
    start = utc_now() - timedelta(days=1)
    rows = [_row(TYPE, container, start, {})]
    for number in range(1, versions + 1):
        moment = start + timedelta(milliseconds=number)
        rows.append(_row(f"{TYPE}/versions", f"{container}/versions/{number}", moment, MODEL))
    async with engine.begin() as tx:
        for chunk in itertools.batched(rows, 5000) if hasattr(itertools, "batched") else [rows]:
            await tx.execute(sa.insert(resources), list(chunk))
    await close_database(engine)


def _row(resource_type, arm_id, moment, properties):
    name = arm_id.rsplit("/", 1)[-1]
    return {
        "uid": f"{abs(hash(arm_id)):032x}",
        "resource_type": resource_type,
        "id": arm_id,
        "key": fold(arm_id),
        "parent": fold(parent_of(arm_id)),
        "name": name,
        "number": int(name) if name.isdigit() else None,
        "envelope": {},
        "properties": properties,
        "secrets": {},
        "generation": 1,
        "observed": {},
        "observed_generation": 1,
        "created_at": moment,
        "created_by": "bench",
        "modified_at": moment,
        "modified_by": "bench",
    }


if __name__ == "__main__":
    main()
