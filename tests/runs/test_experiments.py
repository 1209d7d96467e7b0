"""Rows that are made beside a workspace's end."""

import pytest

from lazulite.core.clock import utc_now
from lazulite.core.errors import ArmError
from lazulite.core.ids import WORKSPACES
from lazulite.runs.experiments import Experiments
from lazulite.runs.run_rows import Runs
from lazulite.store.database import close_database, open_database
from lazulite.store.resources import Draft, Resources

WORKSPACE = f"/subscriptions/s/resourceGroups/g/providers/{WORKSPACES}/w"


@pytest.fixture
async def rows(tmp_path):
    engine = await open_database(tmp_path / "state.db")
    made = Resources(engine, utc_now)
    await made.put(Draft(resource_type=WORKSPACES, id=WORKSPACE, properties={}), "me")
    yield made
    await close_database(engine)


async def test_nothing_is_made_in_a_workspace_that_is_leaving(rows):
    await rows.delete(WORKSPACE, "me", reconciled={WORKSPACES})
    experiments = Experiments(rows)
    with pytest.raises(ArmError, match="being deleted"):
        await experiments.ensure(WORKSPACE, "late", "me")
    with pytest.raises(ArmError, match="being deleted"):
        await Runs(rows, experiments, None).modify(WORKSPACE, "late", "run", {}, "me")
    assert not await rows.below(WORKSPACE)


async def test_an_experiment_that_is_gone_is_not_changed_for_ever(rows):
    experiments = Experiments(rows)
    made = await experiments.ensure(WORKSPACE, "exp", "me")
    await rows.delete(made.id, "me")
    assert await experiments.change(made, {"description": "x"}, "me") == made
