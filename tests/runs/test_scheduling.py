"""Schedules over restarts and outages: a start for each time, and one only."""

from datetime import UTC, datetime, timedelta

import pytest

from lazulite.core.errors import ArmError, OutageError
from lazulite.operations.reconciler import step
from lazulite.runs.scheduling import SINCE, Scheduling, switched
from lazulite.store.database import close_database, open_database
from lazulite.store.resources import Draft, Resources

ID = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices"
    "/workspaces/w/schedules/s"
)
TYPE = "Microsoft.MachineLearningServices/workspaces/schedules"
HOURLY = {
    "triggerType": "Cron",
    "expression": "0 * * * *",
    "startTime": None,
    "endTime": None,
    "timeZone": "UTC",
}


class Clockwork:
    """A schedule, a clock that a test turns, and what was started under which name."""

    def __init__(self, engine):
        self.now = datetime(2026, 3, 4, 10, 20, tzinfo=UTC)
        self.engine, self.resources = engine, Resources(engine, lambda: self.now)
        self.started, self.calls, self.trouble = {}, 0, []
        self.scheduling = Scheduling({"CreateJob": self.start}, lambda: self.now)

    async def start(self, schedule, action, name):
        self.calls += 1
        self.started[name] = action
        if self.trouble:
            raise self.trouble.pop()
        return f"/jobs/{name}"

    async def write(self, trigger=HOURLY, *, enabled=True):
        found = await self.resources.find(ID)
        properties = {
            "trigger": trigger,
            "action": {"actionType": "CreateJob"},
            "isEnabled": enabled,
        }
        draft = Draft(
            resource_type=TYPE,
            id=ID,
            properties=properties,
            envelope={SINCE: switched(found, properties, self.now)},
            uid=found.uid if found else None,
        )
        await self.resources.put(draft, "me")

    async def run(self, **later):
        """Let time go on, and the reconciler with it."""
        self.now += timedelta(**later)
        while await step(self.engine, {TYPE: self.scheduling.reconcile}, self.now):
            pass

    @property
    def hours(self):
        return [name.removeprefix("s-20260304T")[:4] for name in self.started]


@pytest.fixture
async def clockwork(tmp_path):
    engine = await open_database(tmp_path / "state.db")
    yield Clockwork(engine)
    await close_database(engine)


async def test_each_time_starts_one_job(clockwork):
    await clockwork.write()
    for _ in range(150):
        await clockwork.run(minutes=1)
    assert (clockwork.hours, clockwork.calls) == (["1100", "1200"], 2)


async def test_a_start_that_was_not_noted_is_the_same_start_again(clockwork):
    """As when the server dies between the two: the name is the same, so the job is found."""
    await clockwork.write()
    clockwork.trouble = [OutageError("Down", "gone"), KeyError("a bug")]
    await clockwork.run(minutes=45)
    for _ in range(10):
        await clockwork.run(seconds=2)
    assert (clockwork.hours, clockwork.calls) == (["1100"], 3)
    assert (await clockwork.resources.find(ID)).observed["lastRun"].endswith("T110000Z")


async def test_of_missed_times_the_latest_is_made_up_for(clockwork):
    await clockwork.write()
    await clockwork.run(hours=5)
    observed = (await clockwork.resources.find(ID)).observed
    assert (clockwork.hours, observed["skipped"]) == (["1500"], 4)
    assert observed["next"].startswith("2026-03-04T16:00")


async def test_what_a_person_has_to_mend_is_noted_and_the_next_time_comes(clockwork):
    await clockwork.write()
    clockwork.trouble = [ArmError("NoCompute", "there is none")]
    await clockwork.run(minutes=45)
    assert "NoCompute" in (await clockwork.resources.find(ID)).observed["error"]
    await clockwork.run(minutes=60)
    assert clockwork.hours == ["1100", "1200"]
    assert (await clockwork.resources.find(ID)).observed["error"] is None


async def test_times_before_it_was_changed_or_switched_on_do_not_count(clockwork):
    await clockwork.write(enabled=False)
    await clockwork.run(minutes=45)
    await clockwork.write()
    await clockwork.run(minutes=10)
    assert clockwork.hours == []
    await clockwork.write({**HOURLY, "expression": "10 * * * *"})
    await clockwork.run(minutes=10)
    assert clockwork.hours == []
    await clockwork.write({**HOURLY, "expression": "10 * * * *"})
    await clockwork.run(minutes=50)
    assert clockwork.hours == ["1210"]
