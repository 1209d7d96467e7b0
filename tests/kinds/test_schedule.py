"""Schedules: what is kept, what is refused, and what they say of themselves."""

import pytest

D = "2023-10-01"
JOB = {"jobType": "Command", "command": "ls", "computeId": "c"}
ACTION = {"actionType": "CreateJob", "jobDefinition": JOB}
CRON = {
    "triggerType": "Cron",
    "expression": "15 10 * * MON-FRI",
    "startTime": "2023-01-01T00:00:00",
}
EVERY = {
    "triggerType": "recurrence",
    "frequency": "week",
    "interval": "2",
    "schedule": {"hours": [8], "minutes": [30], "weekDays": ["monday"]},
}


async def put(plane, trigger, action=ACTION, **extra):
    given = {"trigger": trigger, "action": action, **extra}
    return await plane.call("PUT", "/schedules/s", {"properties": given}, api=D)


async def test_a_schedule_is_kept_and_says_that_nothing_comes_of_it(plane):
    made = await put(plane, CRON, displayName="nightly", tags={"a": "b"}, properties={"own": "1"})
    assert made.status_code == 201
    found = (await plane.call("GET", "/schedules/s", api=D)).json()["properties"]
    assert found["action"] == ACTION
    assert found["trigger"] == {**CRON, "endTime": None, "timeZone": "UTC"}
    assert (found["isEnabled"], found["provisioningState"]) == (True, "Succeeded")
    assert found["properties"]["own"] == "1"
    assert "does not start them" in found["properties"]["lazulite.note"]


async def test_the_note_is_not_kept_when_it_is_written_back(plane):
    shown = (await put(plane, CRON)).json()["properties"]
    await plane.call("PUT", "/schedules/s", {"properties": shown}, api=D)
    row = await plane.base.resources.find(f"{plane.workspace}/schedules/s")
    assert (row.properties["properties"], row.generation) == ({}, 1)


async def test_recurrences_are_read_in_any_case(plane):
    trigger = (await put(plane, EVERY)).json()["properties"]["trigger"]
    assert (trigger["triggerType"], trigger["frequency"], trigger["interval"]) == (
        "Recurrence", "Week", 2)  # fmt: skip
    assert trigger["schedule"]["weekDays"] == ["Monday"]


async def test_schedules_are_switched_off_listed_and_deleted(plane):
    await put(plane, CRON)
    off = await put(plane, CRON, isEnabled=False)
    assert (off.status_code, off.json()["properties"]["isEnabled"]) == (200, False)
    listed = await plane.call("GET", "/schedules", api=D, listViewType="All")
    assert [item["name"] for item in listed.json()["value"]] == ["s"]
    assert (await plane.call("DELETE", "/schedules/s", api=D)).status_code == 200
    assert (await plane.call("GET", "/schedules/s", api=D)).status_code == 404


@pytest.mark.parametrize(
    "expression", ["* * * * *", "*/5 0-23/2 1,15 JAN,dec 0", "0 0 31 12 sat", "59 23 1 1 6"]
)
async def test_cron_expressions_are_taken(plane, expression):
    assert (await put(plane, {"triggerType": "Cron", "expression": expression})).status_code == 201


@pytest.mark.parametrize(
    ("trigger", "target"),
    [
        ({"triggerType": "Cron", "expression": "* * * *"}, "expression"),
        ({"triggerType": "Cron", "expression": "60 * * * *"}, "expression"),
        ({"triggerType": "Cron", "expression": "5-1 * * * *"}, "expression"),
        ({"triggerType": "Cron", "expression": "*/0 * * * *"}, "expression"),
        ({"triggerType": "Cron", "expression": "* * * MOON *"}, "expression"),
        ({"triggerType": "Cron"}, "expression"),
        ({**CRON, "startTime": "soon"}, "startTime"),
        ({**EVERY, "interval": 0}, "interval"),
        ({**EVERY, "frequency": "Century"}, "frequency"),
        ({**EVERY, "schedule": {"hours": [24], "minutes": [0]}}, "schedule.hours.0"),
    ],
)
async def test_a_faulty_trigger_is_refused_by_name(plane, trigger, target):
    answer = await put(plane, trigger)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["target"].endswith(target)


@pytest.mark.parametrize(
    ("trigger", "action"),
    [
        ({}, ACTION),
        ({"triggerType": "Moon"}, ACTION),
        (CRON, {"actionType": "CreateJob"}),
        (CRON, {"actionType": "Sing", "jobDefinition": JOB}),
        ({**CRON, "endTime": "2022-01-01T00:00:00"}, ACTION),
    ],
)
async def test_what_is_no_schedule_is_refused(plane, trigger, action):
    assert (await put(plane, trigger, action)).status_code == 400
    assert (await plane.call("GET", "/schedules/s", api=D)).status_code == 404
