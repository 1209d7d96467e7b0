"""From requests to rows of the traffic log and to metrics.

Every request counts in the metrics. Of the rows, so many a second are kept at most, failed
requests first: a laptop that answers 30,000 a second would write gigabytes an hour otherwise.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Any

from lazulite.core.ids import fold
from lazulite.serving.access_log import Access
from lazulite.telemetry.metrics import MINUTE_MS, PERCENTILES, Merge, Point
from lazulite.telemetry.places import Landscape

MOST_ROWS = 1000
"""Of the requests of one second that are read together."""
CLOSED = 499
"""The ResponseCode of a request whose caller left; they got none."""
_OPEN_MS = 3 * MINUTE_MS
_AUTH = {"key": "Key", "aml_token": "AMLToken", "aad_token": "AADToken"}

Key = tuple[str, str]
"""Names of an endpoint and a deployment in lower case; the deployment "" if there is none."""


class Tally:
    """What some requests of one deployment in one minute add up to."""

    def __init__(self) -> None:
        self.codes: collections.Counter[tuple[int, int | None]] = collections.Counter()
        self.latencies: collections.Counter[int] = collections.Counter()
        self.model_latencies: collections.Counter[int] = collections.Counter()
        self.overhead_ms = self.queue_ms = self.queued = 0
        self.bytes_in = self.bytes_out = self.connections = 0

    def add(self, seen: Access) -> None:
        """Count a request."""
        total = max(0, seen.total_ms)
        self.codes[response_code(seen), seen.model_status] += 1
        self.latencies[total] += 1
        if seen.model_ms >= 0:
            self.model_latencies[seen.model_ms] += 1
            self.overhead_ms += max(0, total - seen.model_ms)
        if seen.queue_ms >= 0:
            self.queued += 1
            self.queue_ms += seen.queue_ms
        self.bytes_in += seen.bytes_in
        self.bytes_out += seen.bytes_out
        self.connections += seen.is_first


class Traffic:
    """Turns what was read into rows and points; keeps the latencies of the last few minutes."""

    def __init__(self) -> None:
        self._open: dict[tuple[Key, int], tuple[_Spread, _Spread]] = {}

    def tallies(self, requests: Iterable[Access]) -> dict[tuple[Key, int], Tally]:
        """By deployment and minute."""
        found: dict[tuple[Key, int], Tally] = collections.defaultdict(Tally)
        for seen in requests:
            key = (seen.endpoint, seen.deployment.lower())
            found[key, seen.at - seen.at % MINUTE_MS].add(seen)
        return found

    def points(self, tallies: dict[tuple[Key, int], Tally], places: Landscape) -> Iterator[Point]:
        """The metrics of endpoints and deployments that are there."""
        for (key, minute), tally in tallies.items():
            if (endpoint := places.endpoints.get(key[0])) is not None:
                yield from _of_endpoint(fold(endpoint.id), key[1], minute, tally)
                if key[1]:  # what was refused has no latency to speak of
                    yield from self._percentiles(fold(endpoint.id), (key[0], ""), minute, tally)
            if (deployment := places.deployments.get(key)) is not None:
                yield from _of_deployment(fold(deployment.id), minute, tally)
                yield from self._percentiles(fold(deployment.id), key, minute, tally)
        newest = max((minute for _, minute in self._open), default=0)
        for known in [known for known in self._open if newest - known[1] > _OPEN_MS]:
            del self._open[known]

    def _percentiles(self, resource: str, key: Key, minute: int, tally: Tally) -> Iterator[Point]:
        """Of all that the minute has had so far, weighted by requests."""
        spreads = self._open.setdefault((key, minute), (_Spread(), _Spread()))
        for name, spread, more in zip(
            ("RequestLatency", "ModelLatency"),
            spreads,
            (tally.latencies, tally.model_latencies),
            strict=True,
        ):
            spread.update(more)
            count = spread.total()
            for percent, value in percentiles(spread) if count else ():
                total = float(value * count)
                yield Point(resource, f"{name}_P{percent}", minute, total, count, merge=Merge.FINAL)


_Spread = collections.Counter[int]


def percentiles(spread: collections.Counter[int]) -> list[tuple[int, int]]:
    """The values below which so many percent lie: (percent, value)."""
    ordered, count = sorted(spread.items()), spread.total()
    found, passed, place = [], 0, 0
    for percent in PERCENTILES:
        rank = -(-count * percent // 100)
        while passed + ordered[place][1] < rank:
            passed, place = passed + ordered[place][1], place + 1
        found.append((percent, ordered[place][0]))
    return found


def rows(requests: Sequence[Access], numbers: dict[Key, int]) -> tuple[list[tuple[Any, ...]], int]:
    """Rows of the traffic log, and how many were left out. numbers: of the places, by name."""
    seconds: dict[int, list[tuple[Access, int]]] = collections.defaultdict(list)
    for seen in requests:
        if (place := _place(seen, numbers)) is not None:
            seconds[seen.at // 1000].append((seen, place))
    chosen = [one for found in seconds.values() for one in _failed_first(found)]
    chosen.sort(key=lambda one: one[0].at)
    left_out = sum(map(len, seconds.values())) - len(chosen)
    return [_row(seen, place) for seen, place in chosen], left_out


def _failed_first(requests: list[tuple[Access, int]]) -> list[tuple[Access, int]]:
    """As many as have rows."""
    if len(requests) <= MOST_ROWS:
        return requests
    return sorted(requests, key=lambda one: one[0].status == HTTPStatus.OK)[:MOST_ROWS]


def _place(seen: Access, numbers: dict[Key, int]) -> int | None:
    """The number of a request's place: the endpoint's own if its deployment has gone."""
    found = numbers.get((seen.endpoint, seen.deployment.lower()))
    return numbers.get((seen.endpoint, "")) if found is None else found


def _row(seen: Access, place: int) -> tuple[Any, ...]:
    code = response_code(seen)
    model_reason = None if seen.model_status is None else reason(seen.model_status)
    received, sent = max(0, seen.header_ms), max(0, seen.total_ms - _until_answer(seen))
    return (
        seen.at, place, seen.method, seen.path, seen.protocol, code, reason(code),
        seen.model_status, model_reason, seen.bytes_in, seen.bytes_out, seen.user_agent,
        seen.request_id, seen.client_request_id, _AUTH.get(seen.auth, ""),
        max(0, seen.total_ms), received, sent, max(0, seen.queue_ms),
        None if seen.model_ms < 0 else seen.model_ms, 0, 0,
    )  # fmt: skip


def _until_answer(seen: Access) -> int:
    times = (seen.header_ms, seen.queue_ms, seen.connect_ms, seen.model_ms)
    return sum(max(0, each) for each in times)


def response_code(seen: Access) -> int:
    """What the caller got."""
    return seen.status if seen.status > 0 else CLOSED


def reason(code: int) -> str:
    """The words for a status."""
    if code == CLOSED:
        return "Client Closed Request"
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return ""


def _of_endpoint(resource: str, deployment: str, minute: int, tally: Tally) -> Iterator[Point]:
    of = (("deployment", deployment),)
    for (code, model), count in tally.codes.items():
        codes = (
            ("statusCode", str(code)),
            ("statusCodeClass", f"{code // 100}xx"),
            ("modelStatusCode", "" if model is None else str(model)),
        )
        yield _sum(resource, "RequestsPerMinute", minute, count, (*of, *codes))
    for direction, size in (("in", tally.bytes_in), ("out", tally.bytes_out)):
        split = (*of, ("direction", direction))
        yield _sum(resource, "NetworkBytes", minute, size / 60, split)
    yield _sum(resource, "NewConnectionsPerSecond", minute, tally.connections / 60, ())
    if deployment:
        yield from _latencies(resource, minute, tally, of)


def _of_deployment(resource: str, minute: int, tally: Tally) -> Iterator[Point]:
    by_code: collections.Counter[int] = collections.Counter()
    for (code, _), count in tally.codes.items():
        by_code[code] += count
    for code, count in by_code.items():
        split = (("envoy_response_code", str(code)),)
        yield _sum(resource, "RequestsPerMinute", minute, count, split)
    yield from _latencies(resource, minute, tally, ())


def _latencies(
    resource: str, minute: int, tally: Tally, of: tuple[tuple[str, str], ...]
) -> Iterator[Point]:
    for name, spread in (
        ("RequestLatency", tally.latencies),
        ("ModelLatency", tally.model_latencies),
    ):
        if spread:
            total = float(sum(value * count for value, count in spread.items()))
            bounds = (float(min(spread)), float(max(spread)))
            yield Point(resource, name, minute, total, spread.total(), *bounds, of)
    answered = tally.model_latencies.total()
    for name, total, count in (
        ("OverheadLatency", tally.overhead_ms, answered),
        ("QueueLatency", tally.queue_ms, tally.queued),
    ):
        if count:
            yield Point(resource, name, minute, float(total), count, dimensions=of)


def _sum(
    resource: str, metric: str, minute: int, value: float, of: tuple[tuple[str, str], ...]
) -> Point:
    return Point(resource, metric, minute, float(value), dimensions=of, merge=Merge.SUM)
