"""Rules: when they fire, who is told, and what when nobody listens."""

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from lazulite.core.errors import LazuliteError
from lazulite.core.ids import fold
from lazulite.identity.roles import CONTRIBUTOR, READER
from lazulite.telemetry.alerts import MOST_TRIES
from lazulite.telemetry.metrics import MINUTE_MS, Merge, Point

RULE = {
    "severity": 2,
    "description": "too slow",
    "evaluationFrequency": "PT1M",
    "windowSize": "PT5M",
    "criteria": {
        "odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
        "allOf": [
            {
                "name": "failures",
                "metricName": "RequestsPerMinute",
                "operator": "GreaterThan",
                "threshold": 3,
                "timeAggregation": "Total",
                "dimensions": [
                    {"name": "statusCodeClass", "operator": "Include", "values": ["5xx"]}
                ],
            }
        ],
    },
}
GROUP = {"groupShortName": "ops", "webhookReceivers": [{"name": "w", "serviceUri": "http://h/x"}]}
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Site:
    """A plane with an endpoint, a rule about it, and somebody who listens."""

    def __init__(self, plane):
        self.plane, self.now, self.sent, self.fails = plane, NOON, [], 0
        self.alerts = plane.server.telemetry.alerts
        self.alerts._clock, self.alerts._send = lambda: self.now, self._take
        self.scope = f"{plane.workspace}/onlineEndpoints/watched"
        self.group = plane.workspace.partition("/providers/")[0]

    def insights(self, name):
        return f"{self.group}/providers/microsoft.insights/{name}"

    async def rule(self, path="", headers=None, **changes):
        action = {
            "actionGroupId": self.insights("ActionGroups/OPS"),
            "webHookProperties": {"a": "b"},
        }
        properties = {**RULE, "scopes": [self.scope], "actions": [action], **changes}
        return await self.plane.call(
            "PUT",
            path or self.insights("metricAlerts/slow"),
            {"location": "global", "properties": properties},
            api="2018-03-01",
            headers=headers,
        )

    def failures(self, count, at=NOON, code="503"):
        minute = int(at.timestamp() * 1000) // MINUTE_MS * MINUTE_MS
        of = (("deployment", "blue"), ("statusCode", code), ("statusCodeClass", f"{code[0]}xx"))
        point = Point(
            fold(self.scope), "RequestsPerMinute", minute, count, dimensions=of, merge=Merge.SUM
        )
        self.plane.server.telemetry.store.write({}, [point])

    async def after(self, **span):
        """Look again when so much time has passed; what was sent for it."""
        self.now += timedelta(**span)
        before = len(self.sent)
        await self.alerts.look()
        await self.alerts.deliver()
        return self.sent[before:]

    async def status(self):
        path = self.insights("metricAlerts/slow/status")
        answer = await self.plane.call("GET", path, api="2018-03-01")
        return answer.json()["value"][0]["properties"]["status"]

    def _take(self, url, body):
        if self.fails:
            self.fails -= 1
            raise LazuliteError("DataNotReachable", "nobody there")
        self.sent.append((url, json.loads(body)["data"]))


@pytest.fixture
async def site(plane):
    site = Site(plane)
    body = {"location": "global", "properties": GROUP}
    made = await plane.call("PUT", site.insights("actionGroups/ops"), body, api="2021-09-01")
    assert made.status_code == 201, made.text
    assert (await site.rule()).status_code == 200
    return site


async def test_a_rule_fires_and_resolves_once_for_each_change(site):
    assert await site.after(minutes=1) == []
    site.failures(4, site.now)
    [(url, told)] = await site.after(minutes=1, seconds=6)
    assert url == "http://h/x"
    essentials = told["essentials"]
    assert (essentials["monitorCondition"], essentials["severity"]) == ("Fired", "Sev2")
    assert essentials["alertTargetIDs"] == [site.scope.lower()]
    [condition] = told["alertContext"]["condition"]["allOf"]
    assert (condition["metricValue"], condition["threshold"]) == (4.0, "3")
    assert condition["dimensions"] == [{"name": "statusCodeClass", "value": "5xx"}]
    assert told["alertContext"]["properties"] == {"a": "b"}
    assert await site.status() == "Unhealthy"
    assert await site.after(minutes=1) == []
    [(_, resolved)] = await site.after(minutes=10)
    assert resolved["essentials"]["monitorCondition"] == "Resolved"
    assert resolved["essentials"]["alertId"] == essentials["alertId"]
    assert await site.status() == "Healthy"


async def test_other_series_do_not_count(site):
    site.failures(9, code="200")
    assert await site.after(minutes=2) == []


async def test_a_rule_is_judged_as_often_as_it_says(site):
    await site.rule(evaluationFrequency="PT5M")
    await site.after(seconds=1)
    site.failures(4)
    assert await site.after(minutes=4) == []
    assert len(await site.after(minutes=1)) == 1


async def test_a_rule_that_is_disabled_or_has_no_group_tells_nobody(site):
    await site.rule(enabled=False)
    site.failures(4)
    assert await site.after(minutes=1, seconds=6) == []
    gone = [{"actionGroupId": site.insights("actionGroups/other")}]
    await site.rule(actions=gone)
    assert await site.after(minutes=1) == []
    assert await site.status() == "Unhealthy"


async def test_nobody_is_told_of_what_they_may_not_read(site):
    plane = site.plane
    group = site.group.rpartition("/")[0] + "/theirs"
    await plane.call("PUT", group, {"location": "local"}, api="2021-04-01")
    object_id, client = await plane.colleague()
    await plane.assign(object_id, CONTRIBUTOR, group)
    asked = {
        "path": f"{group}/providers/microsoft.insights/metricAlerts/theirs",
        "headers": {"authorization": f"Bearer {await plane.token(client)}"},
    }
    refused = await site.rule(**asked)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "AuthorizationFailed")
    assert "Microsoft.Insights/metrics/read" in refused.text
    given = await plane.assign(object_id, READER, plane.workspace)
    refused = await site.rule(**asked)
    assert (refused.status_code, "actionGroups/read" in refused.text) == (403, True)
    await plane.assign(object_id, READER, site.insights("actionGroups/ops"))
    assert (await site.rule(**asked)).status_code == 200
    await plane.call("DELETE", given.json()["id"], api="2022-04-01")
    site.failures(4)
    assert len(await site.after(minutes=1, seconds=6)) == 1  # the other rule's
    await plane.assign(object_id, READER, plane.workspace)
    assert len(await site.after(minutes=1)) == 1


async def test_a_message_is_tried_again_a_few_times(site):
    site.failures(4)
    site.fails = 2
    assert await site.after(minutes=1, seconds=6) == []
    assert await site.after(seconds=11) == []
    assert len(await site.after(seconds=31)) == 1
    site.fails = MOST_TRIES
    for _ in range(MOST_TRIES):
        assert await site.after(minutes=10) == []
    assert await site.after(minutes=10) == []


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"scopes": ["/subscriptions/s/resourceGroups/g"]}, "scopes"),
        ({"evaluationFrequency": "PT3M"}, "evaluationFrequency"),
        ({"windowSize": "PT1M", "evaluationFrequency": "PT5M"}, "windowSize"),
        ({"severity": 9}, None),
    ],
)
async def test_a_rule_that_could_never_be_judged_is_refused(site, changes, target):
    answer = await site.rule(**changes)
    assert answer.status_code == 400
    if target:
        assert answer.json()["error"]["target"] == target


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"metricName": "Nonsense"}, "Nonsense"),
        ({"dimensions": [{"name": "region", "values": ["x"]}]}, "region"),
        ({"timeAggregation": "Count"}, "use Total"),
        ({"criterionType": "DynamicThresholdCriterion"}, "DynamicThresholdCriterion"),
    ],
)
async def test_a_condition_that_is_not_judged_is_named(site, change, named):
    criterion = {**RULE["criteria"]["allOf"][0], **change}
    answer = await site.rule(criteria={"allOf": [criterion]})
    assert answer.status_code == 400
    assert named in answer.text


async def test_a_receiver_that_takes_its_time_holds_up_nobody_else(site):
    urls = ["http://slow/x", *(f"http://h/{n}" for n in range(6))]
    receivers = [{"name": str(n), "serviceUri": url} for n, url in enumerate(urls)]
    body = {"location": "global", "properties": {**GROUP, "webhookReceivers": receivers}}
    path = site.insights("actionGroups/ops")
    await site.plane.call("PUT", path, body, api="2021-09-01")
    ended = threading.Event()

    def send(url, body):
        if "slow" in url:
            assert ended.wait(60)
        site._take(url, body)

    site.alerts._send = send
    site.failures(4)
    site.now += timedelta(minutes=1, seconds=6)
    await site.alerts.look()
    delivery = asyncio.create_task(site.alerts.deliver())
    while len(site.sent) < 6:
        await asyncio.sleep(0.01)
    assert await site.status() == "Unhealthy"
    site.now += timedelta(minutes=20)
    await site.alerts.look()
    assert await site.status() == "Healthy"
    ended.set()
    await delivery
    assert site.sent[-1][0] == "http://slow/x"
    told = await site.after(seconds=1)
    assert {each["essentials"]["monitorCondition"] for _, each in told} == {"Resolved"}
    assert len(told) == 7


async def test_a_fault_with_one_receiver_is_none_with_the_others(site):
    receivers = [{"name": n, "serviceUri": f"http://{n}/"} for n in ("bad", "good")]
    body = {"location": "global", "properties": {**GROUP, "webhookReceivers": receivers}}
    path = site.insights("actionGroups/ops")
    await site.plane.call("PUT", path, body, api="2021-09-01")

    def send(url, body):
        if "bad" in url:
            raise ValueError(url)
        site._take(url, body)

    site.alerts._send = send
    site.failures(4)
    assert [url for url, _ in await site.after(minutes=1, seconds=6)] == ["http://good/"]
    assert await site.after(seconds=10) == []


async def test_a_group_has_ten_receivers_at_most(site):
    receivers = [{"name": str(n), "serviceUri": f"http://h/{n}"} for n in range(11)]
    body = {"location": "global", "properties": {**GROUP, "webhookReceivers": receivers}}
    path = site.insights("actionGroups/ops")
    answer = await site.plane.call("PUT", path, body, api="2021-09-01")
    assert answer.status_code == 400
    assert "webhookReceivers" in answer.text


async def test_receivers_that_are_not_served_are_refused(site):
    mail = {"emailReceivers": [{"name": "me", "emailAddress": "a@b.c"}]}
    body = {"location": "global", "properties": {**GROUP, **mail}}
    path = site.insights("actionGroups/mail")
    answer = await site.plane.call("PUT", path, body, api="2021-09-01")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ReceiverNotSupported")
