"""The nodes of a compute cluster: how many there should be, and which job has which.

Source: spec/BATCH.md 6. A node serves one job at a time; what each job gets is in shares.py.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

from lazulite.batch.shares import Demand, fair_shares


class NodeState(StrEnum):
    """Azure's words for the states of a node."""

    PREPARING = "preparing"
    IDLE = "idle"
    RUNNING = "running"
    LEAVING = "leaving"
    UNUSABLE = "unusable"
    """It did not come up; it holds its place for a moment, and another one is tried."""
    PREEMPTED = "preempted"
    """Somebody has evicted it; another one takes its place at once."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Node:
    """One node, as it was last seen."""

    id: str
    state: NodeState
    job: str | None = None
    """The uid of the job that has the node."""
    since: float = 0.0
    """Unix seconds: when it came into its state."""
    reason: str = ""
    """Why it is unusable."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scale:
    """The scale settings of a cluster."""

    least: int
    most: int
    idle_s: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """The nodes as they shall be, how many more to start, and what to aim for."""

    nodes: tuple[Node, ...]
    start: int
    target: int


def plan(nodes: Sequence[Node], demands: Sequence[Demand], scale: Scale, now: float) -> Plan:
    """Give nodes back, hand them out, grow at once, shrink after the idle time."""
    holders = {node.job for node in nodes if node.job is not None}
    shares = fair_shares(demands, holders, scale.most)
    kept = _handed_out(_given_back(nodes, shares, now), demands, shares, now)
    target = min(max(sum(shares.values()), scale.least), scale.most)
    kept = _shrunk(kept, target, scale, now)
    return Plan(nodes=tuple(kept), start=max(0, target - places(kept)), target=target)


def places(nodes: Sequence[Node]) -> int:
    """How many places of the cluster are taken: what leaves or was evicted has none any more."""
    gone = {NodeState.LEAVING, NodeState.PREEMPTED}
    return sum(node.state not in gone for node in nodes)


def _given_back(nodes: Sequence[Node], shares: Mapping[str, int], now: float) -> list[Node]:
    """What is more than a job's share is idle again: its latest nodes, all once it has ended."""
    seen, left = Counter[str | None](), list[Node]()
    for node in sorted(nodes, key=lambda node: node.since):
        seen[node.job] += node.state is NodeState.RUNNING
        if node.state is NodeState.RUNNING and seen[node.job] > shares.get(node.job or "", 0):
            node = dataclasses.replace(node, state=NodeState.IDLE, job=None, since=now)
        left.append(node)
    order = {node.id: place for place, node in enumerate(nodes)}
    return sorted(left, key=lambda node: order[node.id])


def _handed_out(
    nodes: list[Node], demands: Sequence[Demand], shares: Mapping[str, int], now: float
) -> list[Node]:
    """A job may begin with fewer nodes than its share; none has two before each has one."""
    given = list(nodes)
    idle = [place for place, node in enumerate(given) if node.state is NodeState.IDLE]
    has = Counter(node.job for node in given)
    while idle and (short := [d.job for d in demands if has[d.job] < shares.get(d.job, 0)]):
        job, place = min(short, key=lambda job: has[job]), idle.pop(0)
        given[place] = dataclasses.replace(
            given[place], state=NodeState.RUNNING, job=job, since=now
        )
        has[job] += 1
    return given


def _shrunk(nodes: list[Node], target: int, scale: Scale, now: float) -> list[Node]:
    """Nodes beyond the target leave once they were idle long enough, the longest idle first."""
    stale = sorted(
        (node.since, place)
        for place, node in enumerate(nodes)
        if node.state is NodeState.IDLE and now - node.since >= scale.idle_s
    )
    shrunk = list(nodes)
    for _, place in stale[: max(0, places(nodes) - max(target, scale.least))]:
        shrunk[place] = dataclasses.replace(shrunk[place], state=NodeState.LEAVING, since=now)
    return shrunk
