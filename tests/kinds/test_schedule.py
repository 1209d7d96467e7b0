"""Schedules: what is kept, what is refused, and what they say of themselves."""

import pytest

from lazulite.identity.roles import ROLES

D = "2023-10-01"
JOB = {"jobType": "Command", "command": "ls", "computeId": "c", "environmentId": "azureml:e:1"}
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


async def told(plane):
    await plane.settle_kinds("/schedules")
    return (await plane.call("GET", "/schedules/s", api=D)).json()["properties"]


async def test_a_schedule_is_kept_and_says_when_it_fires_next(plane):
    extra = {"displayName": "nightly", "tags": {"a": "b"}, "properties": {"own": "1"}}
    assert (await put(plane, CRON, **extra)).status_code == 201
    found = await told(plane)
    assert found["action"] == ACTION
    assert found["trigger"] == {**CRON, "endTime": None, "timeZone": "UTC"}
    assert (found["isEnabled"], found["provisioningState"]) == (True, "Succeeded")
    assert found["properties"]["own"] == "1"
    assert found["properties"]["lazulite.nextTime"][10:16] == "T10:15"


async def test_what_the_server_says_is_not_kept_when_it_is_written_back(plane):
    await put(plane, CRON)
    shown = await told(plane)
    await plane.call("PUT", "/schedules/s", {"properties": shown}, api=D)
    row = await plane.base.resources.find(f"{plane.workspace}/schedules/s")
    assert (row.properties["properties"], row.generation) == ({}, 1)


async def test_a_monitor_is_kept_and_says_that_nothing_comes_of_it(plane):
    await put(plane, CRON, {"actionType": "CreateMonitor", "monitorDefinition": {}})
    assert "does not start them" in (await told(plane))["properties"]["lazulite.note"]


async def jobs_of(plane):
    listed = await plane.call("GET", "/jobs", api=D)
    return {job["name"]: job["properties"] for job in listed.json()["value"]}


CLUSTER = {
    "computeType": "AmlCompute",
    "properties": {"scaleSettings": {"minNodeCount": 0, "maxNodeCount": 1}},
}
AT_ONCE = {"triggerType": "Recurrence", "frequency": "Day", "interval": 1}


async def test_a_schedule_submits_its_command_at_its_time(plane):
    await plane.put("/computes/c", CLUSTER)
    await put(plane, AT_ONCE)
    found = (await told(plane))["properties"]
    ((name, job),) = (await jobs_of(plane)).items()
    assert name == f"s-{found['lazulite.lastTime'][:19].translate(DASHES)}Z"
    assert (job["command"], found["lazulite.lastRun"].endswith(f"/jobs/{name}")) == ("ls", True)
    assert found["lazulite.nextTime"] > found["lazulite.lastTime"]
    await told(plane)
    assert len(await jobs_of(plane)) == 1


SCIENTIST = next(role for role in ROLES.values() if role.name == "AzureML Data Scientist")
DASHES = str.maketrans("", "", "-:")


async def test_what_cannot_be_started_is_told_and_the_schedule_goes_on(plane):
    await put(plane, AT_ONCE)
    found = await told(plane)
    assert "ReferencedResourceNotFound" in found["properties"]["lazulite.lastError"]
    assert "lazulite.nextTime" in found["properties"]
    invoke = {"endpoint": "azureml:gone", "properties": {}}
    action = {"actionType": "InvokeBatchEndpoint", "endpointInvocationDefinition": invoke}
    await put(plane, {**AT_ONCE, "interval": 2}, action)
    assert "azureml:gone" in (await told(plane))["properties"]["lazulite.lastError"]


async def test_a_schedule_may_not_do_what_its_writer_may_not(plane):
    await plane.put("/computes/c", CLUSTER)
    client_id, secret = await plane.colleague()
    await plane.assign(client_id, SCIENTIST, plane.workspace)
    sent = {"authorization": f"Bearer {await plane.token(secret)}"}
    given = {"trigger": AT_ONCE, "action": ACTION}
    made = await plane.call("PUT", "/schedules/s", {"properties": given}, api=D, headers=sent)
    assert made.status_code == 201, made.text
    assignments = await plane.call(
        "GET",
        f"{plane.workspace}/providers/Microsoft.Authorization/roleAssignments",
        api="2022-04-01",
    )
    for each in assignments.json()["value"]:
        if each["properties"]["principalId"] == client_id:
            assert (await plane.call("DELETE", each["id"], api="2022-04-01")).status_code == 200
    assert "AuthorizationFailed" in (await told(plane))["properties"]["lazulite.lastError"]
    assert await jobs_of(plane) == {}


@pytest.mark.parametrize(
    ("action", "status", "named"),
    [
        ({**ACTION, "jobDefinition": {**JOB, "jobType": "Pipeline"}}, 501, "Pipeline"),
        ({**ACTION, "jobDefinition": {"jobType": "Command", "computeId": "c"}}, 400, "command"),
        (
            {"actionType": "InvokeBatchEndpoint", "endpointInvocationDefinition": {"a": None}},
            400,
            "endpoint",
        ),
    ],
)
async def test_what_could_never_start_is_refused(plane, action, status, named):
    answer = await put(plane, CRON, action)
    assert answer.status_code == status
    assert named in answer.text


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
    assert (await plane.call("DELETE", "/schedules/s", api=D)).status_code == 202
    await plane.settle_kinds("/schedules")
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
        ({**CRON, "timeZone": "Moon Standard Time"}, "timeZone"),
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
