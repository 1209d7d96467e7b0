"""Alert rules at work: each judged as often as it says, and told of once for each change.

What is to be told, and to whom, is kept before it is sent: a message that cannot be delivered is
tried again, a few times, over restarts. Killed between sending and noting it, it is sent twice.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import copy
import json
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from lazulite.core.clock import Clock
from lazulite.core.durations import parse_duration
from lazulite.core.errors import ArmError, LazuliteError
from lazulite.core.ids import ACTION_GROUPS, METRIC_ALERTS
from lazulite.identity.access import Access
from lazulite.store.resources import Json, Resource, Resources
from lazulite.telemetry.alert_message import Change, message
from lazulite.telemetry.alert_rules import has_fired, judge, window
from lazulite.telemetry.spans import milliseconds
from lazulite.telemetry.store import TelemetryStore

log = logging.getLogger(__name__)

EVERY_S = 10.0
MEASURE = "Microsoft.Insights/metrics/read"
TELL = f"{ACTION_GROUPS}/read"
MARK = "alerts"
MOST_TRIES = 5
_WAITS_S = (10, 30, 60, 120)
"""Between tries."""
_AT_ONCE = 4

Send = Callable[[str, bytes], None]
"""POST a body of JSON to a URL. Blocks. Raises LazuliteError if it is not taken."""


class Alerts:
    """Judges rules as who wrote them last, and sends what has changed.

    Call look() and deliver() every few seconds, apart: receivers take their time.
    """

    def __init__(
        self,
        resources: Resources,
        store: TelemetryStore,
        send: Send,
        clock: Clock,
        access: Access,
    ) -> None:
        """access: what writers of rules may do now."""
        self._resources, self._store, self._send, self._clock = resources, store, send, clock
        self._lock = threading.Lock()
        self._access = access
        self._barred: set[str] = set()
        """Uids of rules that are neither judged nor told of: their writers have lost the rights."""

    async def check(self, actor: str, rule: Json) -> None:
        """Whoever may write rules must not be told of metrics that they may not read.

        rule: the properties. Raises ArmError 403.
        """
        for scope in rule["scopes"]:
            await self._access.require(actor, MEASURE, scope)
        for action in rule["actions"]:
            await self._access.require(actor, TELL, action["actionGroupId"])

    def state(self, alert: Resource) -> Json | None:
        """{"fired", "since", "at"} of a rule; None before it was first judged. Blocks."""
        found: Json | None = (self._store.mark(MARK) or {}).get(alert.uid)
        return found

    async def look(self) -> None:
        """Judge the rules that are due, and keep what is to be told."""
        rules = await self._resources.of_type(METRIC_ALERTS)
        groups = {row.key: row for row in await self._resources.of_type(ACTION_GROUPS)}
        self._barred = {row.uid for row in rules if not await self._may(row)}
        await asyncio.to_thread(self._look, rules, groups)

    async def deliver(self) -> None:
        """Send what is due, to a few receivers at a time; each message is noted by itself.

        A receiver that fails gets no other message this time: it may take seconds to do so.
        """
        waiting = await asyncio.to_thread(self._due)
        slots = asyncio.Semaphore(_AT_ONCE)
        ends = await asyncio.gather(
            *(self._deliver(messages, slots) for messages in waiting.values()),
            return_exceptions=True,  # a fault with one receiver is none with the others
        )
        for end in ends:
            if isinstance(end, Exception):
                log.error("alerts could not be delivered", exc_info=end)

    async def _may(self, alert: Resource) -> bool:
        try:
            await self.check(alert.modified_by, alert.properties)
        except ArmError as error:
            if alert.uid not in self._barred:
                log.warning("alert %s is not judged: %s", alert.name, error.message)
            return False
        return True

    def _look(self, rules: list[Resource], groups: dict[str, Resource]) -> None:
        now = self._clock()
        with self._changing() as states:
            kept = {row.uid: states.get(row.uid) or _unknown() for row in rules}
            for row in rules:
                state = kept[row.uid]
                if row.uid in self._barred:
                    state["waiting"] = []
                elif row.properties["enabled"] and milliseconds(now) >= state["due"]:
                    self._judge(row, state, groups, now)
            states.clear()
            states.update(kept)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Json]]:
        """The states of all rules by uid, alone; what is changed in them is kept."""
        with self._lock:
            before = self._store.mark(MARK) or {}
            states = copy.deepcopy(before)
            yield states
            if states != before:
                self._store.write({}, (), {MARK: states})

    def _judge(
        self, alert: Resource, state: Json, groups: dict[str, Resource], now: datetime
    ) -> None:
        """Note whether the rule fires, and what is to be told of it."""
        rule, at = alert.properties, milliseconds(now)
        frequency = parse_duration(rule["evaluationFrequency"])
        state["due"], state["at"] = at + int(frequency.total_seconds() * 1000), at
        scopes = judge(self._store, rule, now)
        fired = has_fired(scopes, state["fired"])
        if fired == state["fired"] or (not fired and not rule["autoMitigate"]):
            return
        change = Change(fired, at, at if fired else state["since"])
        state["fired"], state["since"] = fired, at
        word = "fired" if fired else "resolved"
        log.warning("alert %s: %s", word, alert.name, extra={"resource": alert.id})
        met = next((found for found in scopes if all(each.is_met for each in found)), scopes[0])
        for action in rule["actions"]:
            group = groups.get(str(action["actionGroupId"]).casefold())
            given = action.get("webHookProperties")
            body = message(alert, change, met, window(rule, now), given)
            for url in _receivers(group):
                state["waiting"].append({"url": url, "body": body, "tries": 0, "due": at})

    def _due(self) -> dict[str, list[tuple[str, Json]]]:
        """Messages and the uids of their rules, by URL."""
        at = milliseconds(self._clock())
        found: dict[str, list[tuple[str, Json]]] = collections.defaultdict(list)
        for uid, state in (self._store.mark(MARK) or {}).items():
            for each in state["waiting"]:
                if each["due"] <= at:
                    found[each["url"]].append((uid, each))
        return found

    async def _deliver(self, messages: list[tuple[str, Json]], slots: asyncio.Semaphore) -> None:
        async with slots:
            for uid, each in messages:
                body = json.dumps(each["body"]).encode()
                try:
                    await asyncio.to_thread(self._send, each["url"], body)
                except LazuliteError as error:
                    await asyncio.to_thread(self._note, uid, each, error)
                    return
                await asyncio.to_thread(self._note, uid, each, None)

    def _note(self, uid: str, sent: Json, error: LazuliteError | None) -> None:
        """A message has been taken, or is to be tried again, or is given up."""
        with self._changing() as states:
            waiting = states[uid]["waiting"] if uid in states else []
            if sent not in waiting:  # its rule has gone
                return
            place = waiting.index(sent)
            tries = sent["tries"] + 1
            if error is None or tries == MOST_TRIES:
                del waiting[place]
            else:
                due = milliseconds(self._clock()) + 1000 * _WAITS_S[tries - 1]
                waiting[place] = {**sent, "tries": tries, "due": due}
        if error is not None and tries == MOST_TRIES:
            log.error("an alert was not delivered: %s", error.message)


def _receivers(group: Resource | None) -> list[str]:
    """The URLs of a group; none of one that is gone or disabled."""
    if group is None or not group.properties["enabled"]:
        return []
    return [str(each["serviceUri"]) for each in group.properties["webhookReceivers"]]


def _unknown() -> Json:
    waiting: list[Any] = []
    return {"fired": False, "since": 0, "at": 0, "due": 0, "waiting": waiting}
