"""Jobs that rest and go on, on pretended processes."""

import json
from datetime import timedelta

import pytest

from lazulite.core.clock import utc_now
from lazulite.deployments.blob_paths import InPlace
from lazulite.executors.launch import Sandbox
from lazulite.executors.memory import MemoryExecutor
from lazulite.executors.protocol import Phase
from lazulite.operations.reconciler import Step, step
from lazulite.runs.supervision import Supervision, is_in_line
from lazulite.store.database import close_database, open_database
from lazulite.store.resources import Draft, Resources

WORKSPACE = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
)
COMPUTES, JOBS = (f"Microsoft.MachineLearningServices/workspaces/{n}" for n in ("computes", "jobs"))
COMPUTE, JOB = f"{WORKSPACE}/computes/c", f"{WORKSPACE}/jobs/j"
SCALE = {"minNodeCount": 0, "maxNodeCount": 1, "nodeIdleTimeBeforeScaleDown": "PT120S"}
CLUSTER = {"computeType": "AmlCompute", "properties": {"scaleSettings": SCALE}}


class Server:
    """A job and its cluster. has_node: whether the cluster gives the job its node when asked."""

    def __init__(self, engine, folder):
        self.now = utc_now()
        self.resources = Resources(engine, lambda: self.now)
        self.executor, self.folder = MemoryExecutor(folder / "tasks"), folder / "jobs"
        made = (self.folder, folder, InPlace(folder), Sandbox())
        self.supervision = Supervision(self.resources, self.executor, *made)
        self.has_node = True

    async def wish(self, **wishes):
        """Write the job's row with these wishes."""
        cluster = Draft(resource_type=COMPUTES, id=COMPUTE, properties=CLUSTER)
        await self.resources.put(cluster, "me")
        plain = {"deployment": "d", "computeId": COMPUTE, "cancelRequested": False}
        draft = Draft(resource_type=JOBS, id=JOB, properties={**plain, **wishes})
        await self.resources.put(draft, "me")

    async def steps(self):
        """Let what is due go on, as time goes by; the job's status."""
        kinds = {COMPUTES: self._cluster, JOBS: self._job}
        for _ in range(8):
            await step(self.resources.engine, kinds, self.now)
            self.now += timedelta(seconds=6)
        return (await self.job()).observed["status"]

    async def job(self):
        return await self.resources.find(JOB)

    async def cluster(self):
        return await self.resources.find(COMPUTE)

    async def supervisor_ends(self, state):
        """Its process ends, and progress.json says so."""
        job = await self.job()
        (self.folder / job.uid / "progress.json").write_text(json.dumps({"state": state}))
        self.executor.end(f"job-{job.uid}", Phase.SUCCEEDED)

    async def files(self):
        return {path.name for path in (self.folder / (await self.job()).uid).iterdir()}

    @property
    def at_work(self):
        return Phase.RUNNING in self.executor.phases.values()

    async def _cluster(self, cluster):
        job = await self.job()
        node = {"id": "n0", "state": "running", "job": job.uid}
        nodes = [node] if self.has_node and is_in_line(job) else []
        pause = timedelta(seconds=2) if is_in_line(job) else None  # else there is nothing to watch
        return Step(observed={"nodes": nodes}, converged=True, after=pause)

    async def _job(self, job):
        return await self.supervision.step(job, "supervisor", self._prepared)

    async def _prepared(self, job):
        if not await self.supervision.nodes(job):
            return await self.supervision.queued(job)
        self.supervision.prepare(job, {"sandbox": {}})
        return None


@pytest.fixture
async def server(tmp_path):
    engine = await open_database(tmp_path / "state.db")
    made = Server(engine, tmp_path)
    await made.wish()
    yield made
    await close_database(engine)


async def test_a_job_that_waits_for_a_node_rests_at_once_and_asks_again(server):
    server.has_node = False
    assert await server.steps() == "Queued"
    await server.wish(pauseRequested=True)
    assert await server.steps() == "Paused"
    assert not is_in_line(await server.job())
    await server.wish()
    server.has_node = True
    assert await server.steps() == "Starting"
    assert server.at_work


async def test_a_job_at_work_rests_when_its_supervisor_has_ended(server):
    assert await server.steps() == "Starting"
    await server.wish(pauseRequested=True)
    assert await server.steps() == "Starting"
    assert "pause" in await server.files()
    await server.supervisor_ends("paused")
    assert await server.steps() == "Paused"
    assert not server.at_work
    assert not is_in_line(await server.job())
    server.has_node = False
    await server.wish()
    assert await server.steps() == "Queued"
    assert not server.at_work
    server.has_node = True
    assert await server.steps() == "Starting"
    assert server.at_work
    assert "pause" not in await server.files()


async def test_a_supervisor_killed_while_its_job_is_to_rest_stays_away(server):
    await server.steps()
    await server.wish(pauseRequested=True)
    await server.supervisor_ends("running")
    assert await server.steps() == "Paused"
    assert not server.at_work


async def test_a_job_whose_supervisor_was_killed_goes_on_when_it_is_resumed(server):
    await server.steps()
    await server.wish(pauseRequested=True)
    await server.supervisor_ends("running")
    assert await server.steps() == "Paused"
    await server.wish()
    assert await server.steps() == "Running"
    assert server.at_work
    assert (await server.cluster()).observed["nodes"]


async def test_a_job_that_came_to_its_end_before_it_could_rest_has_ended(server):
    await server.steps()
    await server.wish(pauseRequested=True)
    await server.supervisor_ends("completed")
    assert await server.steps() == "Completed"


async def test_a_resting_job_is_cancelled_without_a_node(server):
    await server.steps()
    await server.wish(pauseRequested=True)
    await server.supervisor_ends("paused")
    assert await server.steps() == "Paused"
    server.has_node = False
    await server.wish(pauseRequested=True, cancelRequested=True)
    await server.steps()
    assert server.at_work
    assert "cancel" in await server.files()
    await server.supervisor_ends("canceled")
    assert await server.steps() == "Canceled"


async def test_a_job_whose_cluster_is_deleted_fails_and_its_supervisor_is_stopped(server):
    await server.steps()
    await server.resources.delete(COMPUTE, "me")
    await server.steps()
    assert not server.at_work
    job = await server.job()
    assert job.observed["status"] == "Failed"
    assert job.observed["error"]["code"] == "ComputeNotFound"


async def test_a_job_that_completed_before_its_cluster_was_deleted_has_completed(server):
    await server.steps()
    await server.supervisor_ends("completed")
    await server.resources.delete(COMPUTE, "me")
    assert await server.steps() == "Completed"
