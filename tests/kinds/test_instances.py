"""Compute instances: one node that comes and goes as they start and stop."""

import pytest

from lazulite.computes import power
from lazulite.core.clock import utc_now
from lazulite.executors.memory import MemoryExecutor
from lazulite.kinds.compute import Clusters
from lazulite.operations.reconciler import step
from lazulite.store.database import close_database, open_database
from lazulite.store.resources import Draft, Resources

WORKSPACE = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
)
COMPUTES = "Microsoft.MachineLearningServices/workspaces/computes"
INSTANCE = {"computeType": "ComputeInstance", "properties": {"vmSize": "Standard_D1"}}


class Machine:
    """An instance on pretended processes."""

    def __init__(self, engine, folder):
        self.resources = Resources(engine, utc_now)
        self.executor, self.sockets = MemoryExecutor(folder / "tasks"), folder
        self.kinds = {COMPUTES: Clusters(self.resources, self.executor, folder, utc_now).reconcile}

    async def want(self, wanted):
        found = await self.row()
        draft = Draft(
            resource_type=COMPUTES,
            id=f"{WORKSPACE}/computes/i",
            properties=INSTANCE,
            envelope={"location": "local", "power": wanted},
            uid=found.uid if found else None,
        )
        await self.resources.put(draft, "me")

    async def turn(self, operation):
        await self.want(power.turned((await self.row()).envelope["power"], operation, utc_now()))

    async def step(self):
        """One step, after the nodes that run have begun to listen."""
        for name in self.executor.tasks:
            (self.sockets / f"{name}.sock").touch()
        await self.resources.touch(f"{WORKSPACE}/computes/i")
        assert await step(self.resources.engine, self.kinds, utc_now())
        return power.state_of(await self.row())

    async def row(self):
        return await self.resources.find(f"{WORKSPACE}/computes/i")


@pytest.fixture
async def machine(tmp_path):
    engine = await open_database(tmp_path / "state.db")
    made = Machine(engine, tmp_path)
    await made.want(power.new_power(utc_now()))
    yield made
    await close_database(engine)


async def test_an_instance_runs_once_its_node_listens(machine):
    assert power.state_of(await machine.row()) == "Creating"
    assert await machine.step() == "Creating"
    assert (await machine.row()).provisioning_state == "Creating"
    assert await machine.step() == "Running"
    row = await machine.row()
    assert (row.provisioning_state, len(machine.executor.tasks)) == ("Succeeded", 1)
    assert power.last_operation(row)["operationStatus"] == "Succeeded"


async def test_a_stopped_instance_has_no_node_and_comes_back_when_started(machine):
    await machine.step(), await machine.step()
    await machine.turn(power.STOP)
    assert await machine.step() == "Stopping"
    assert (await machine.row()).provisioning_state == "Updating"
    assert await machine.step() == "Stopped"
    assert ((await machine.row()).provisioning_state, machine.executor.tasks) == ("Succeeded", {})
    await machine.turn(power.START)
    assert await machine.step() == "Starting"
    assert await machine.step() == "Running"


async def test_a_restarted_instance_has_another_node(machine):
    await machine.step(), await machine.step()
    before = set(machine.executor.tasks)
    await machine.turn(power.RESTART)
    states = [await machine.step() for _ in range(4)]
    assert states == ["Restarting", "Restarting", "Restarting", "Running"]
    assert len(machine.executor.tasks) == 1
    assert not before & set(machine.executor.tasks)
    assert power.last_operation(await machine.row())["operationName"] == "Restart"
    assert await machine.step() == "Running"


async def test_a_node_that_dies_is_replaced(machine):
    await machine.step(), await machine.step()
    (name,) = machine.executor.tasks
    await machine.executor.stop(name, kill=True)
    await machine.step()
    assert await machine.step() == "Running"
    assert name not in machine.executor.tasks
