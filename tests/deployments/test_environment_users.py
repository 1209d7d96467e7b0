"""Who is found to use an environment: rows, jobs that have not ended, tasks that run."""

import asyncio
import json

import pytest

from lazulite.core.ids import ML
from lazulite.deployments.environment_users import EnvironmentUsers
from lazulite.executors.protocol import Task
from lazulite.store.resources import Draft
from tests.app.conftest import keys, plane

__all__ = ["keys", "plane"]

HASH = "0123456789abcdef" * 2


@pytest.fixture
async def users(plane):
    """Whoever uses the environment of that hash; what the test started is killed."""
    base = plane.base
    known = EnvironmentUsers(
        base.resources, base.executor, base.layout.folder("jobs"), base.layout.local_endpoints
    )

    async def using():
        return [who for who, text in await known() if HASH in text]

    yield using
    for name in base.executor.names():
        await base.executor.stop(name, kill=True)


async def written(plane, kind, path):
    draft = Draft(resource_type=f"{ML}/workspaces/{kind}", id=plane.workspace + path, properties={})
    row, _ = await plane.base.resources.put(draft, "somebody")
    return row


async def test_a_job_uses_what_its_job_file_says_until_it_ends(plane, users):
    job = await written(plane, "jobs", "/jobs/j")
    folder = plane.base.layout.folder("jobs") / job.uid
    folder.mkdir()
    assert await users() == []

    (folder / "job.json").write_text(json.dumps({"python": f"/envs/{HASH}/bin/python"}))

    assert await users() == [job.id]


async def test_a_task_uses_what_it_was_started_with_while_it_runs(plane, users):
    executor = plane.base.executor
    files = {"spec.json": json.dumps({"python": f"/envs/{HASH}/bin/python"})}
    await executor.ensure(Task(name="keeper-1", command=("sleep", "60"), files=files))

    running = await users()
    await executor.stop("keeper-1", kill=True)
    while await executor.observe("keeper-1") == "running":
        await asyncio.sleep(0.02)

    assert running == ["task keeper-1"]
    assert await users() == []
