"""Claim, step, settle: one resource at a time, safe to kill at any line."""

import asyncio
import dataclasses
from datetime import timedelta

import pytest

from lazulite.core.clock import utc_now
from lazulite.core.errors import ArmError, OutageError, SpecError
from lazulite.core.ids import ONLINE_ENDPOINTS
from lazulite.operations.reconciler import LEASE, LONGEST_DELAY, Step, claim, delay, settle, step
from lazulite.store.database import close_database, open_database
from lazulite.store.resources import Draft, Resources

KIND = "P/things"
ID = "/subscriptions/s/resourceGroups/g/providers/P/things/t"


@pytest.fixture
async def table(tmp_path):
    engine = await open_database(tmp_path / "state.db")
    yield Resources(engine, utc_now)
    await close_database(engine)


async def put(table, **properties):
    draft = Draft(resource_type=KIND, id=ID, properties=properties)
    return (await table.put(draft, "me"))[0]


def sees(observed=None, converged=True, **more):
    async def reconcile(resource):
        return Step(observed=observed or {}, converged=converged, **more)

    return {KIND: reconcile}


def raises(error):
    async def reconcile(resource):
        raise error

    return {KIND: reconcile}


async def test_a_step_that_converges_makes_it_succeeded(table):
    await put(table, a=1)
    assert (await table.find(ID)).provisioning_state == "Creating"
    assert await step(table.engine, sees({"b": 2}), utc_now())
    found = await table.find(ID)
    assert (found.provisioning_state, found.observed, found.due_at) == ("Succeeded", {"b": 2}, None)
    assert not await step(table.engine, sees(), utc_now())


async def test_a_leased_resource_is_nobody_elses_until_the_lease_ends(table):
    await put(table, a=1)
    now = utc_now()
    held = await claim(table.engine, now)
    assert await claim(table.engine, now + LEASE / 2) is None
    taken = await claim(table.engine, now + LEASE)
    assert taken.uid == held.uid
    assert not await settle(table.engine, held, None, observed={"late": True})
    assert await settle(table.engine, taken, None, observed={"in time": True})
    assert (await table.find(ID)).observed == {"in time": True}


async def test_a_killed_worker_is_taken_over_at_once_by_the_next_server(table):
    await put(table, a=1)
    await claim(table.engine, utc_now())
    await table.release_leases()
    assert await claim(table.engine, utc_now()) is not None


async def test_a_put_during_a_step_is_not_lost(table):
    await put(table, a=1)
    held = await claim(table.engine, utc_now())
    await put(table, a=2)
    await settle(table.engine, held, None, observed_generation=held.generation)
    assert (await table.find(ID)).provisioning_state == "Updating"
    assert await step(table.engine, sees(), utc_now())
    assert (await table.find(ID)).provisioning_state == "Succeeded"


async def test_a_touch_during_a_step_is_not_lost(table):
    await put(table, a=1)
    held = await claim(table.engine, utc_now())
    await table.touch(ID)
    await settle(table.engine, held, None, observed_generation=1)
    assert await step(table.engine, sees(), utc_now())


@pytest.mark.parametrize("error", [SpecError("Bad", "no such model"), ArmError("Bad", "no")])
async def test_an_error_for_a_person_fails_it_until_the_next_put(table, error):
    await put(table, a=1)
    await step(table.engine, raises(error), utc_now())
    found = await table.find(ID)
    assert (found.provisioning_state, found.error["code"]) == ("Failed", "Bad")
    assert not await step(table.engine, sees(), utc_now() + timedelta(days=1))
    await put(table, a=1)
    assert (await table.find(ID)).provisioning_state == "Updating"


@pytest.mark.parametrize("error", [RuntimeError("a bug"), OutageError("Lost", "no front door")])
async def test_an_error_of_ours_is_tried_again_later_and_fails_nothing(table, error):
    await put(table, a=1)
    now = utc_now()
    await step(table.engine, raises(error), now)
    found = await table.find(ID)
    assert (found.provisioning_state, found.attempts) == ("Creating", 1)
    assert not await step(table.engine, sees(), now)
    assert await step(table.engine, sees(), now + timedelta(seconds=2))


def test_the_delay_grows_to_five_minutes_and_never_overflows():
    assert [delay(n).total_seconds() for n in (0, 1, 5)] == [1, 2, 32]
    assert delay(10_000) == LONGEST_DELAY


async def test_what_is_watched_comes_up_again_though_it_has_converged(table):
    await put(table, a=1)
    now = utc_now()
    await step(table.engine, sees(after=timedelta(seconds=5)), now)
    assert not await step(table.engine, sees(), now + timedelta(seconds=4))
    assert await step(table.engine, sees(), now + timedelta(seconds=5))


async def test_a_failed_update_is_shown_while_the_old_state_is_watched(table):
    await put(table, a=1)
    now = utc_now()
    error = SpecError("Bad", "it does not start").body
    await step(table.engine, sees({"old": 1}, error=error, after=timedelta(seconds=2)), now)
    found = await table.find(ID)
    assert (found.provisioning_state, found.observed) == ("Failed", {"old": 1})
    assert await step(table.engine, sees(), now + timedelta(seconds=2))


async def test_a_deleted_resource_goes_when_its_step_says_so(table):
    await put(table, a=1)
    await table.delete(ID, "me", reconciled={KIND})
    assert (await table.find(ID)).provisioning_state == "Deleting"
    with pytest.raises(ArmError, match="being deleted"):
        await put(table, a=2)
    await step(table.engine, sees(converged=False, after=timedelta(0)), utc_now())
    assert await table.find(ID) is not None
    await step(table.engine, sees(), utc_now())
    assert await table.find(ID) is None
    new = await put(table, a=3)
    assert new.generation == 1


async def test_tombstones_answer_for_a_day_and_then_go(table):
    made = await put(table, a=1)
    await table.delete(ID, "me")
    assert (await table.by_uid(made.uid)).gone_at is not None
    await table.bury()
    assert await table.by_uid(made.uid) is not None
    later = Resources(table.engine, lambda: utc_now() + timedelta(days=2))
    await later.bury()
    assert await table.by_uid(made.uid) is None


async def test_a_new_row_needs_a_parent_that_stays(table):
    child = Draft(resource_type="P/things/parts", id=f"{ID}/parts/p", properties={}, under=ID)
    with pytest.raises(ArmError, match="is being deleted or is gone"):
        await table.put(child, "me")
    await put(table, a=1)
    _, created = await table.put(child, "me")
    assert created
    await table.delete(ID, "me", reconciled={KIND})
    other = dataclasses.replace(child, id=f"{ID}/parts/q")
    with pytest.raises(ArmError, match="is being deleted or is gone"):
        await table.put(other, "me")


async def test_a_name_in_urls_is_given_once_however_many_ask_at_a_time(table):
    ids = [f"{ID}{n}/onlineEndpoints/One" for n in range(4)]
    drafts = [Draft(resource_type=ONLINE_ENDPOINTS, id=each, properties={}) for each in ids]
    puts = (table.put(each, "me") for each in drafts)
    answers = await asyncio.gather(*puts, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, ArmError)]
    assert [answer.status for answer in refused] == [409] * 3
    assert len(await table.named(ONLINE_ENDPOINTS, "one")) == 1
    await table.delete((await table.named(ONLINE_ENDPOINTS, "one"))[0].id, "me")
    assert (await table.put(drafts[3], "me"))[1]


async def test_secrets_renewed_at_once_are_all_kept(table):
    await put(table, a=1)
    renewals = (table.reseal(ID, lambda _, n=n: {f"key{n}": n}) for n in range(8))
    await asyncio.gather(*renewals)
    assert (await table.find(ID)).secrets == {f"key{n}": n for n in range(8)}


async def test_an_operation_ends_when_its_generation_is_settled(table):
    made = await put(table, a=1)
    assert made.settled_at is None
    then = utc_now() + timedelta(seconds=7)
    await step(table.engine, sees(after=timedelta(0)), then)
    assert (await table.find(ID)).settled_at == then
    await step(table.engine, sees(after=timedelta(0)), then + timedelta(seconds=7))
    assert (await table.find(ID)).settled_at == then
    assert (await put(table, a=2)).settled_at is None
    await step(table.engine, raises(SpecError("Bad", "no")), then + timedelta(seconds=20))
    assert (await table.find(ID)).settled_at == then + timedelta(seconds=20)
