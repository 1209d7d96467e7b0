"""Clusters on pretended processes: nodes that do not come up, and nodes that are taken away."""

from datetime import timedelta

import pytest

from lazulite.batch.cluster import NodeState
from lazulite.computes.cluster_view import cluster_view, nodes_of, with_evicted
from lazulite.computes.node_tasks import RETRY_S
from lazulite.core.clock import utc_now
from lazulite.core.errors import ArmError
from lazulite.executors.memory import MemoryExecutor
from lazulite.executors.protocol import Phase
from lazulite.kinds.compute import Clusters
from lazulite.operations.reconciler import step
from lazulite.store.database import close_database, open_database
from lazulite.store.resources import Draft, Resources

WORKSPACE = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
)
COMPUTES = "Microsoft.MachineLearningServices/workspaces/computes"
ID = f"{WORKSPACE}/computes/c"
SCALE = {"minNodeCount": 1, "maxNodeCount": 2, "nodeIdleTimeBeforeScaleDown": "PT120S"}
CLUSTER = {"computeType": "AmlCompute", "properties": {"scaleSettings": SCALE}}


class Machine:
    def __init__(self, engine, folder):
        self.passed = timedelta()
        self.resources = Resources(engine, self.now)
        self.executor, self.sockets = MemoryExecutor(folder / "tasks"), folder
        self.kinds = {COMPUTES: Clusters(self.resources, self.executor, folder, self.now).reconcile}

    def now(self):
        return utc_now() + self.passed

    async def write(self, envelope):
        found = await self.row()
        draft = Draft(
            resource_type=COMPUTES,
            id=ID,
            properties=CLUSTER,
            envelope={"location": "local", **envelope},
            uid=found.uid if found else None,
        )
        await self.resources.put(draft, "me")

    async def step(self):
        """One step; the nodes, and how callers see the cluster."""
        await self.resources.touch(ID)
        assert await step(self.resources.engine, self.kinds, self.now())
        row = await self.row()
        return nodes_of(row), cluster_view(row)

    async def row(self):
        return await self.resources.find(ID)


@pytest.fixture
async def machine(tmp_path):
    engine = await open_database(tmp_path / "state.db")
    made = Machine(engine, tmp_path)
    await made.write({})
    yield made
    await close_database(engine)


async def test_a_node_that_does_not_start_is_unusable_and_another_one_is_tried(machine):
    (node,), view = await machine.step()
    assert (node.state, view["nodeStateCounts"]["preparingNodeCount"]) == (NodeState.PREPARING, 1)
    (machine.executor.folder(node.id) / "log").write_text("no room for a node")
    machine.executor.end(node.id, Phase.FAILED)
    for _ in range(2):
        (seen,), view = await machine.step()
        assert (seen.id, seen.state) == (node.id, NodeState.UNUSABLE)
    assert view["nodeStateCounts"]["unusableNodeCount"] == 1
    assert "no room for a node" in view["errors"][0]["message"]
    machine.passed += timedelta(seconds=RETRY_S)
    (fresh,), view = await machine.step()
    assert fresh.id != node.id
    assert (fresh.state, view["errors"]) == (NodeState.PREPARING, None)


async def test_a_node_that_never_listens_is_killed(machine):
    (node,), _ = await machine.step()
    machine.passed += timedelta(minutes=2)
    (node,), _ = await machine.step()
    assert node.state is NodeState.UNUSABLE
    assert "did not listen" in node.reason
    assert machine.executor.phases[node.id] is Phase.LOST


async def test_an_evicted_node_is_killed_shown_and_replaced(machine):
    (node,), _ = await machine.step()
    (machine.sockets / f"{node.id}.sock").touch()
    await machine.write(with_evicted(await machine.row(), node.id))
    (old, new), view = await machine.step()
    assert (old.state, new.state) == (NodeState.PREEMPTED, NodeState.PREPARING)
    assert machine.executor.phases[node.id] is Phase.LOST
    assert (view["currentNodeCount"], view["targetNodeCount"]) == (1, 1)
    assert view["nodeStateCounts"]["preemptedNodeCount"] == 1
    machine.passed += timedelta(seconds=RETRY_S)
    nodes, _ = await machine.step()
    assert [node.id for node in nodes] == [new.id]
    assert not list(machine.sockets.glob("*.sock"))


async def test_only_nodes_that_are_there_can_be_evicted(machine):
    (node,), _ = await machine.step()
    with pytest.raises(ArmError, match=node.id):
        with_evicted(await machine.row(), "elsewhere")
