"""Microsoft.Insights/autoscaleSettings, and the deployments that they scale."""

import dataclasses
from datetime import timedelta

import pytest

from lazulite.core.clock import utc_now
from lazulite.core.errors import ArmError
from lazulite.core.ids import fold
from lazulite.deployments.autoscale_metrics import kept_metrics
from lazulite.deployments.autoscaling import Autoscaling, Window
from lazulite.identity.roles import CONTRIBUTOR
from lazulite.telemetry.metrics import MINUTE_MS, Merge, Point
from lazulite.telemetry.spans import milliseconds

API, FIRST = "2022-10-01", "2015-04-01"
DEPLOYMENT = "/onlineEndpoints/eyes/deployments/blue"


class Minutes:
    """What every metric is said to be, minute by minute; the windows that were asked for."""

    def __init__(self, *values):
        self.values, self.windows = values, []

    async def __call__(self, window):
        self.windows.append(window)
        return self.values


class Clock:
    """The time, and what a test adds to it."""

    later = timedelta(0)

    def __call__(self):
        return utc_now() + self.later


@pytest.fixture
async def group(plane):
    await plane.put("/onlineEndpoints/eyes", {"authMode": "Key"})
    await deploy(plane, 2)
    return plane


async def deploy(plane, capacity, **properties):
    given = {"endpointComputeType": "Managed", **properties}
    await plane.put(DEPLOYMENT, given, sku={"name": "Default", "capacity": capacity})
    await plane.settle_kinds("nothing")


def scaler(plane, read, clock):
    return Autoscaling(plane.base.resources, read, clock, plane.server.directory.access)


def path(plane, name="cpu"):
    scope = plane.workspace.partition("/providers/")[0]
    return f"{scope}/providers/Microsoft.Insights/autoscaleSettings" + (f"/{name}" if name else "")


def rule(operator, threshold, direction, value="1"):
    return {
        "metricTrigger": {
            "metricName": "CpuUtilizationPercentage",
            "metricResourceUri": "/x",
            "timeGrain": "PT1M",
            "statistic": "Average",
            "timeWindow": "PT5M",
            "timeAggregation": "Average",
            "operator": operator,
            "threshold": threshold,
        },
        "scaleAction": {
            "direction": direction,
            "type": "ChangeCount",
            "value": value,
            "cooldown": "PT5M",
        },
    }


OUT, IN = rule("GreaterThan", 70, "Increase", "2"), rule("LessThan", 30, "Decrease")


def setting(plane, *rules, capacity=("1", "4", "2"), **more):
    names = ("minimum", "maximum", "default")
    bounds = dict(zip(names, capacity, strict=True))
    profile = {"name": "default", "capacity": bounds, "rules": list(rules)}
    properties = {"targetResourceUri": plane.workspace + DEPLOYMENT, "profiles": [profile]}
    return {"location": "local", "properties": {**properties, **more}}


async def put(plane, *rules, name="cpu", **more):
    return await plane.call("PUT", path(plane, name), setting(plane, *rules, **more), api=API)


async def capacity(plane):
    return (await plane.call("GET", DEPLOYMENT)).json()["sku"]["capacity"]


@pytest.mark.parametrize("api", [FIRST, "2014-04-01", API])
async def test_a_setting_is_kept_as_it_was_said_in_every_version(group, api):
    body = setting(group, OUT, IN, notifications=[{"operation": "Scale"}])
    made = await group.call("PUT", path(group), body, api=api)
    again = await group.call("PUT", path(group), body, api=api)
    found = (await group.call("GET", path(group), api=api)).json()
    assert (made.status_code, again.status_code) == (201, 200)
    assert found["type"] == "Microsoft.Insights/autoscaleSettings"
    properties = found["properties"]
    assert (properties["enabled"], properties["name"]) == (True, "cpu")
    assert properties["notifications"] == [{"operation": "Scale"}]
    (profile,) = properties["profiles"]
    assert profile["capacity"] == {"minimum": "1", "maximum": "4", "default": "2"}
    assert profile["rules"][0]["scaleAction"] == OUT["scaleAction"]
    assert profile["rules"][1]["metricTrigger"].items() >= IN["metricTrigger"].items()


async def test_settings_are_listed_patched_and_deleted(group):
    await put(group, OUT)
    listed = (await group.call("GET", path(group, ""), api=API)).json()["value"]
    assert [item["name"] for item in listed] == ["cpu"]
    body = {"tags": {"a": "b"}, "properties": {"enabled": False}}
    changed = (await group.call("PATCH", path(group), body, api=API)).json()
    assert (changed["tags"], changed["properties"]["enabled"]) == ({"a": "b"}, False)
    assert len(changed["properties"]["profiles"]) == 1
    assert (await group.call("DELETE", path(group), api=API)).status_code == 200
    assert (await group.call("GET", path(group), api=API)).status_code == 404


@pytest.mark.parametrize(
    ("change", "target"),
    [
        ({"capacity": ("3", "2", "2")}, "profiles[0].capacity"),
        ({"capacity": ("0", "2", "1")}, "profiles[0].capacity"),
        ({"capacity": ("1", "2", "5")}, "profiles[0].capacity"),
        ({"targetResourceUri": "/subscriptions/s/x"}, "targetResourceUri"),
        ({"profiles": []}, "profiles"),
    ],
)
async def test_a_setting_that_cannot_be_is_refused(group, change, target):
    answer = await put(group, OUT, **change)
    assert answer.status_code == 400
    error = answer.json()["error"]
    first = error["details"][0] if error.get("details") else error
    assert first["target"] == target


async def stranger(plane):
    """Who may do anything in a group of their own: their id, headers, and a path there."""
    scope = plane.workspace.partition("/resourceGroups/")[0] + "/resourceGroups/theirs"
    await plane.call("PUT", scope, {"location": "local"}, api="2021-04-01")
    object_id, client = await plane.colleague()
    await plane.assign(object_id, CONTRIBUTOR, scope)
    headers = {"authorization": f"Bearer {await plane.token(client)}"}
    return object_id, headers, f"{scope}/providers/Microsoft.Insights/autoscaleSettings/theirs"


async def test_nobody_scales_or_reads_what_they_may_not(group):
    object_id, headers, theirs = await stranger(group)
    body = setting(group, OUT, capacity=("4", "9", "5"))
    refused = await group.call("PUT", theirs, body, api=API, headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "AuthorizationFailed")
    assert "onlineEndpoints/deployments/write" in refused.text
    await group.assign(object_id, CONTRIBUTOR, group.workspace + DEPLOYMENT)
    refused = await group.call("PUT", theirs, body, api=API, headers=headers)
    assert refused.status_code == 403
    assert "Microsoft.Insights/metrics/read" in refused.text
    made = await group.call("PUT", theirs, setting(group), api=API, headers=headers)
    assert made.status_code == 201, made.text


async def test_a_setting_ends_with_the_rights_of_its_writer(group):
    object_id, headers, theirs = await stranger(group)
    given = await group.assign(object_id, CONTRIBUTOR, group.workspace + DEPLOYMENT)
    body = setting(group, capacity=("4", "9", "5"))
    await group.call("PUT", theirs, body, api=API, headers=headers)
    assert (await put(group)).status_code == 409
    await group.call("DELETE", given.json()["id"], api="2022-04-01")
    scaling = scaler(group, Minutes(), Clock())
    await scaling.look()
    (seen,) = scaling.seen.values()
    assert object_id in seen["reason"]
    assert await capacity(group) == 2
    assert (await put(group)).status_code == 201


async def test_a_zone_that_nobody_knows_is_refused_by_name(group):
    body = setting(group)
    dates = {"timeZone": "Nowhere", "start": "2024-01-01", "end": "2024-01-02"}
    body["properties"]["profiles"][0]["fixedDate"] = dates
    answer = await group.call("PUT", path(group), body, api=API)
    assert answer.status_code == 400
    assert "'Nowhere' is no time zone" in answer.text


async def test_a_deployment_has_one_setting(group):
    await put(group, OUT)
    answer = await put(group, OUT, name="other")
    assert answer.status_code == 409
    assert "scales" in answer.json()["error"]["message"]
    assert (await put(group, IN)).status_code == 200


async def test_rules_change_the_capacity_that_everybody_sees(group):
    clock, high = Clock(), Minutes(80.0, 90.0)
    await put(group, OUT, IN)
    await scaler(group, high, clock).look()
    assert await capacity(group) == 4
    (window,) = high.windows[:1]
    assert (window.metric, window.aggregation) == ("CpuUtilizationPercentage", "Average")
    assert window.end - window.start == timedelta(minutes=5)

    low = Minutes(10.0)
    scaling = scaler(group, low, clock)
    await scaling.look()
    assert low.windows == []  # the deployment is still being scaled
    await group.settle_kinds("nothing")
    await scaling.look()
    assert await capacity(group) == 4  # cooldown
    clock.later = timedelta(minutes=6)
    await scaling.look()
    assert await capacity(group) == 3


async def test_a_new_process_knows_the_last_action_by_the_row(group):
    await put(group, OUT)
    await scaler(group, Minutes(90.0), Clock()).look()
    await group.settle_kinds("nothing")
    await put(group, OUT, capacity=("1", "9", "2"))
    await scaler(group, Minutes(90.0), Clock()).look()
    assert await capacity(group) == 4


async def test_what_was_decided_is_shown(group):
    await put(group, OUT)
    autoscaling = scaler(group, Minutes(50.0), Clock())
    await autoscaling.look()
    (seen,) = autoscaling.seen.values()
    assert (seen["reason"], seen["profile"]) == ("no rule applies", "default")
    assert seen["metrics"] == [{"metricName": "CpuUtilizationPercentage", "value": 50.0}]
    await group.call("DELETE", path(group), api=API)
    await autoscaling.look()
    assert autoscaling.seen == {}


async def refusing(window):
    raise ArmError("BadRequest", f"there is no metric {window.metric}")


@pytest.mark.parametrize(
    ("more", "read", "reason"),
    [
        ({"enabled": False}, Minutes(90.0), "is disabled"),
        ({}, refusing, "there is no metric Cpu"),
    ],
)
async def test_a_setting_that_has_no_effect_says_why(group, more, read, reason):
    await put(group, OUT, **more)
    autoscaling = scaler(group, read, Clock())
    await autoscaling.look()
    (seen,) = autoscaling.seen.values()
    assert reason in seen["reason"]
    assert await capacity(group) == 2


async def test_a_deployment_that_scales_itself_is_left_alone(group):
    await deploy(group, 2, scaleSettings={"scaleType": "TargetUtilization"})
    await put(group, OUT)
    autoscaling = scaler(group, Minutes(90.0), Clock())
    await autoscaling.look()
    (seen,) = autoscaling.seen.values()
    assert "set them to Default" in seen["reason"]


async def test_metrics_are_read_by_the_minute_of_their_resource(group):
    endpoint = group.workspace + "/onlineEndpoints/eyes"
    now = utc_now()
    minute = milliseconds(now) - milliseconds(now) % MINUTE_MS
    points = [
        Point(fold(endpoint), "RequestsPerMinute", at, total, dimensions=of, merge=Merge.SUM)
        for at, total, of in (
            (minute, 3.0, (("statusCode", "200"),)),
            (minute, 4.0, (("statusCode", "424"),)),
            (minute - MINUTE_MS, 5.0, ()),
            (minute - 60 * MINUTE_MS, 100.0, ()),
        )
    ]
    group.base.telemetry.write({}, points)
    read = kept_metrics(group.base.telemetry, group.base.resources)
    asked = Window(
        resource=endpoint.upper(),
        metric="requestsperminute",
        aggregation="Total",
        start=now - timedelta(minutes=5),
        end=now,
        grain=timedelta(minutes=1),
    )
    assert list(await read(asked)) == [5.0, 7.0]
    assert list(await read(dataclasses.replace(asked, grain=timedelta(minutes=10)))) == [12.0]
    assert list(await read(dataclasses.replace(asked, resource=endpoint + "x"))) == []
    with pytest.raises(ArmError, match="Valid metrics"):
        await read(dataclasses.replace(asked, metric="nonsense"))
