"""What has been counted since this control plane began, for Prometheus."""

from __future__ import annotations

import bisect
import collections
from collections.abc import Mapping

from lazulite.telemetry.gauges import Sample
from lazulite.telemetry.places import Landscape
from lazulite.telemetry.traffic import Key, Tally

BOUNDS_MS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 180_000)
"""Upper bounds of histogram buckets, inclusive."""

NOWHERE: Key = ("", "")
"""Where requests count whose caller named no endpoint that there is."""


class Histogram:
    """Counts by bucket; the last one has no bound."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_MS) + 1)
        self.total_ms = 0

    def add(self, spread: Mapping[int, int]) -> None:
        """Count values in milliseconds, each so many times."""
        for value, count in spread.items():
            self.counts[bisect.bisect_left(BOUNDS_MS, value)] += count
            self.total_ms += value * count


class Counters:
    """Sums by deployment, and the last measurement.

    Nobody needs a key to name an endpoint, so that only names of what is there become series.
    """

    def __init__(self) -> None:
        self.requests: collections.Counter[tuple[Key, int]] = collections.Counter()
        self.bytes_in: collections.Counter[Key] = collections.Counter()
        self.bytes_out: collections.Counter[Key] = collections.Counter()
        self.connections: collections.Counter[str] = collections.Counter()
        self.durations: dict[Key, Histogram] = collections.defaultdict(Histogram)
        self.model_durations: dict[Key, Histogram] = collections.defaultdict(Histogram)
        self.lost_lines = self.rows_left_out = 0
        self.sample: Sample | None = None

    def add(self, tallies: Mapping[tuple[Key, int], Tally], places: Landscape) -> None:
        """Count requests."""
        for (named, _), tally in tallies.items():
            key = _place(named, places)
            for (code, _model), count in tally.codes.items():
                self.requests[key, code] += count
            self.bytes_in[key] += tally.bytes_in
            self.bytes_out[key] += tally.bytes_out
            self.connections[key[0]] += tally.connections
            if key[1]:  # what was refused has no duration to speak of
                self.durations[key].add(tally.latencies)
                self.model_durations[key].add(tally.model_latencies)

    def forget_others(self, places: Landscape) -> None:
        """Drop what was counted of endpoints and deployments that are gone."""
        for request in [each for each in self.requests if _place(each[0], places) != each[0]]:
            del self.requests[request]
        for counted in (self.bytes_in, self.bytes_out, self.durations, self.model_durations):
            for key in [each for each in counted if _place(each, places) != each]:
                del counted[key]
        for name in [each for each in self.connections if each not in {"", *places.endpoints}]:
            del self.connections[name]


def _place(key: Key, places: Landscape) -> Key:
    """The key itself if it is there, its endpoint's if that is, or NOWHERE."""
    if key in places.deployments:
        return key
    return (key[0], "") if key[0] in places.endpoints else NOWHERE
