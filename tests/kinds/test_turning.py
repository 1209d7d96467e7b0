"""Processes that the front door turns from: they stop once it has turned, whenever that is."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from lazulite.deployments.online_scaling import Scaling
from lazulite.executors.launch import Sandbox
from lazulite.kinds.online_deployment import OnlineDeployments
from lazulite.serving.front_door import FrontDoorError
from lazulite.serving.loads import Loads

PATH = "/onlineEndpoints/eyes/deployments/blue"
LONG = timedelta(hours=1)
AT_ONCE = timedelta(seconds=1)


class Machine:
    """Stands for what is around a deployment: replicas that are ready at once, a front door."""

    def __init__(self, folder):
        self.now, self.is_broken = datetime(2026, 1, 1, tzinfo=UTC), False
        self.discarded, self.sizes = [], {}
        self.row = None
        scaling = Scaling(self, Loads(folder), lambda: self.now)
        self.kind = OnlineDeployments(None, self, self, self.publish, scaling, lambda: self.now)

    async def publish(self):
        if self.is_broken:
            raise FrontDoorError("FrontDoorLost", "The folder cannot be written to.")

    async def materials(self, deployment):
        given = {"python": "python", "environment": "hash", "code_dir": "/code", "model_dir": None}
        return SimpleNamespace(server=None, sandbox=Sandbox(), variables=dict, **given)

    async def ensure(self, name, spec):
        processes = self.sizes.setdefault(name, spec.processes)
        replicas = [
            {"index": n, "state": "ready", "socket": f"{name}-{n}"} for n in range(processes)
        ]
        return {"state": "ready", "replicas": replicas, "waiting_socket": f"{name}-w"}

    async def resize(self, name, processes, *, asleep):
        self.sizes[name] = processes

    async def discard(self, name):
        self.discarded.append(name)
        return True

    async def change(self, plane, capacity=1, **properties):
        """The caller changes the deployment: another generation."""
        whole = {"endpointComputeType": "Managed", **properties}
        await plane.put(PATH, whole, sku={"name": "Default", "capacity": capacity})
        found = await plane.base.resources.find(plane.workspace + PATH)
        self.row = found._replace(observed=self.row.observed if self.row else found.observed)

    async def step(self):
        done = await self.kind.reconcile(self.row)
        self.row = self.row._replace(observed=done.observed)
        return done

    async def settle(self):
        while not (await self.step()).converged:
            pass

    async def fail_to_turn(self):
        self.is_broken = True
        with pytest.raises(FrontDoorError):
            await self.settle()
        self.now += LONG
        with pytest.raises(FrontDoorError):
            await self.step()
        self.is_broken = False


@pytest.fixture
async def machine(plane, tmp_path):
    await plane.put("/onlineEndpoints/eyes", {"authMode": "Key"})
    return Machine(tmp_path)


async def test_replicas_that_serve_stay_until_the_front_door_has_turned(plane, machine):
    await machine.change(plane)
    await machine.settle()
    old = machine.row.task_name
    await machine.change(plane, environmentVariables={"A": "2"})
    await machine.fail_to_turn()
    assert old not in machine.discarded
    await machine.settle()
    machine.now += AT_ONCE
    await machine.step()
    assert old not in machine.discarded
    machine.now += LONG
    await machine.step()
    assert machine.discarded == [old]


async def test_surplus_instances_stay_until_the_front_door_has_turned(plane, machine):
    await machine.change(plane, capacity=3)
    await machine.settle()
    task = machine.row.task_name
    await machine.change(plane, capacity=1)
    await machine.fail_to_turn()
    assert machine.sizes == {task: 3}
    await machine.settle()
    machine.now += AT_ONCE
    await machine.settle()
    assert machine.sizes == {task: 3}
    machine.now += LONG
    await machine.settle()
    assert machine.sizes == {task: 1}


async def test_shrinking_twice_does_not_cut_those_that_left_first(plane, machine):
    await machine.change(plane, capacity=3)
    await machine.settle()
    task = machine.row.task_name
    for capacity in (2, 1):
        await machine.change(plane, capacity=capacity)
        await machine.settle()
    assert machine.sizes == {task: 3}


async def test_a_request_that_wakes_a_deployment_is_waited_for_when_it_is_updated(plane, machine):
    scale = {"scaleType": "TargetUtilization", "minInstances": 0, "maxInstances": 1}
    await machine.change(plane, scaleSettings=scale)
    await machine.settle()
    old = machine.row.task_name
    await machine.change(plane, scaleSettings=scale, environmentVariables={"A": "2"})
    await machine.settle()
    for passed_s, discarded in ((60, []), (20, [old])):
        machine.now += timedelta(seconds=passed_s)
        await machine.step()
        assert machine.discarded == discarded


async def test_a_deployment_that_is_deleted_takes_all_its_sets_along(plane, machine):
    await machine.change(plane)
    await machine.settle()
    old = machine.row.task_name
    await machine.change(plane, environmentVariables={"A": "2"})
    await machine.settle()
    machine.row = machine.row._replace(deleting=True)
    await machine.settle()
    assert {old, machine.row.task_name} <= set(machine.discarded)
