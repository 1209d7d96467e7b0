"""What a set of replicas is started in."""

import json

import pytest

from lazulite.core.errors import SpecError
from lazulite.executors.container import OWN_CONTAINER
from lazulite.executors.launch import Mount, Sandbox
from lazulite.executors.memory import MemoryExecutor
from lazulite.executors.protocol import Phase
from lazulite.serving.kept_logs import KeptLogs
from lazulite.serving.replica_sets import ReplicaSets, ReplicaSpec


@pytest.fixture
def executor(tmp_path):
    return MemoryExecutor(tmp_path / "tasks")


async def started_in(executor, tmp_path, base, own):
    """The sandbox in the spec of a set that shows `own`, on a server with the sandbox `base`."""
    sets = ReplicaSets(executor, tmp_path, tmp_path, base, KeptLogs(tmp_path / "kept"))
    spec = ReplicaSpec(
        python="python",
        processes=1,
        env={},
        code_dir=None,
        init_timeout_s=1,
        request_timeout_ms=1,
        sandbox=own.to_json(),
    )
    await sets.ensure("uid-1", spec)
    written = json.loads((executor.folder("uid-1") / "spec.json").read_text())
    return Sandbox.from_json(written["sandbox"])


async def test_a_set_is_started_in_what_the_server_has_now(executor, tmp_path):
    shown = Sandbox().showing("/model")
    before = await started_in(executor, tmp_path, Sandbox(), shown)
    assert before == shown
    executor.end("uid-1", Phase.LOST)
    base = Sandbox(kind="bubblewrap", network=False, details={"a": "1"}).showing("/more")
    found = await started_in(executor, tmp_path, base, shown)
    assert (found.kind, found.network, found.details) == ("bubblewrap", False, {"a": "1"})
    assert found.mounts == (Mount(path="/more"), Mount(path="/model"))


async def test_an_image_stays_an_image_and_is_held_to_the_servers_limits(executor, tmp_path):
    own = Sandbox(kind="docker", details={"image": "x"})
    base = Sandbox(kind="bubblewrap", network=False, details={"processes": "9", "image": "y"})
    found = await started_in(executor, tmp_path, base, own)
    assert (found.kind, found.network) == ("docker", False)
    assert found.details == {"processes": "9", "image": "x"}


async def test_an_image_with_its_own_server_is_not_started_without_a_network(executor, tmp_path):
    own, base = Sandbox(kind=OWN_CONTAINER), Sandbox(kind="bubblewrap", network=False)
    with pytest.raises(SpecError, match="LAZULITE_ISOLATION_NETWORK is none") as refused:
        await started_in(executor, tmp_path, base, own)
    assert refused.value.code == "NetworkNeeded"
    assert await executor.observe("uid-1") is Phase.LOST
    with_network = Sandbox(kind="bubblewrap")
    assert (await started_in(executor, tmp_path, with_network, own)).kind == OWN_CONTAINER
