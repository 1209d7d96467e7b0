"""The counters as a page in Prometheus' text format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lazulite.telemetry.counters import BOUNDS_MS, Counters, Histogram
from lazulite.telemetry.traffic import Key

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = Mapping[str, str]
Samples = list[tuple[Labels, float]]


def page(counters: Counters) -> str:
    """Everything that is counted and measured."""
    return "".join(f"{line}\n" for line in _lines(counters))


def _lines(counters: Counters) -> Iterator[str]:
    yield from _family(
        "requests_total",
        "counter",
        "Requests by deployment and status code.",
        (
            ({**_of(key), "code": str(code)}, float(count))
            for (key, code), count in sorted(counters.requests.items())
        ),
    )
    for name, what, counted in (
        ("request_bytes_total", "Bytes received from callers.", counters.bytes_in),
        ("response_bytes_total", "Bytes sent to callers.", counters.bytes_out),
    ):
        samples = ((_of(key), float(size)) for key, size in sorted(counted.items()))
        yield from _family(name, "counter", what, samples)
    yield from _family(
        "connections_total",
        "counter",
        "Connections whose first request was for the endpoint.",
        (({"endpoint": name}, float(n)) for name, n in sorted(counters.connections.items())),
    )
    yield from _histograms(
        "request_duration_seconds", "From the first byte to the last.", counters.durations
    )
    yield from _histograms(
        "model_duration_seconds",
        "Until a replica began its answer.",
        counters.model_durations,
    )
    yield from _losses(counters)
    yield from _measured(counters)
    yield from _mirrored(counters)


def _losses(counters: Counters) -> Iterator[str]:
    what = "Lines of the access log that were dropped before they were counted."
    yield from _family("access_lines_lost_total", "counter", what, [({}, counters.lost_lines)])
    what = "Requests that were counted and have no row in the traffic log."
    yield from _family(
        "traffic_rows_left_out_total", "counter", what, [({}, counters.rows_left_out)]
    )


def _mirrored(counters: Counters) -> Iterator[str]:
    what = "Copies of requests by outcome, since HAProxy was last started or reloaded."
    copies = counters.sample.copies if counters.sample else {}
    samples = (
        ({**_of(key), "outcome": outcome}, float(count))
        for key, outcomes in sorted(copies.items())
        for outcome, count in sorted(outcomes.items())
    )
    yield from _family("mirrored_requests", "gauge", what, samples)


def _measured(counters: Counters) -> Iterator[str]:
    sample = counters.sample
    if sample is None:
        return
    if sample.stats is not None:
        loads = sorted(sample.stats.deployments.items())
        what = "Requests that wait for a replica."
        queued = ((_of(key), float(load.queued)) for key, load in loads)
        yield from _family("queue_depth", "gauge", what, queued)
        what = "Requests that a replica has."
        active = ((_of(key), float(load.in_flight - load.queued)) for key, load in loads)
        yield from _family("requests_active", "gauge", what, active)
        what = "Open connections of callers, to whatever endpoint."
        connections: Samples = [({}, float(sample.stats.connections))]
        yield from _family("connections_active", "gauge", what, connections)
        what = "Lines of the access log that HAProxy dropped, since it was last started."
        dropped: Samples = [({}, float(sample.stats.dropped_lines))]
        yield from _family("access_lines_dropped", "gauge", what, dropped)
    of = [({**_of(one.deployment), "instance": one.name}, one) for one in sample.instances]
    what = "Whether the instance takes requests."
    ready = ((labels, float(one.state == "ready")) for labels, one in of)
    yield from _family("instance_ready", "gauge", what, ready)
    what = "Of all processors of the machine."
    cpu = ((labels, one.cpu_percent) for labels, one in of if one.cpu_percent is not None)
    yield from _family("instance_cpu_percent", "gauge", what, cpu)
    memory = ((labels, float(one.memory)) for labels, one in of if one.memory is not None)
    yield from _family("instance_memory_bytes", "gauge", "Resident memory.", memory)
    yield from _family("disk_percent", "gauge", "Of the data folder.", [({}, sample.disk)])


def _of(key: Key) -> dict[str, str]:
    return {"endpoint": key[0], "deployment": key[1]}


def _family(
    name: str, kind: str, what: str, samples: Iterable[tuple[Labels, float]]
) -> Iterator[str]:
    yield f"# HELP lazulite_{name} {what}"
    yield f"# TYPE lazulite_{name} {kind}"
    for labels, value in samples:
        yield f"lazulite_{name}{_labels(labels)} {value:.10g}"


def _histograms(name: str, what: str, found: Mapping[Key, Histogram]) -> Iterator[str]:
    yield f"# HELP lazulite_{name} {what}"
    yield f"# TYPE lazulite_{name} histogram"
    for key, histogram in sorted(found.items()):
        passed = 0
        for bound, count in zip((*BOUNDS_MS, None), histogram.counts, strict=True):
            passed += count
            labels = {**_of(key), "le": "+Inf" if bound is None else f"{bound / 1000:g}"}
            yield f"lazulite_{name}_bucket{_labels(labels)} {passed}"
        yield f"lazulite_{name}_sum{_labels(_of(key))} {histogram.total_ms / 1000:.10g}"
        yield f"lazulite_{name}_count{_labels(_of(key))} {passed}"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
