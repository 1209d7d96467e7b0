"""The nodes of a compute cluster: how many there should be, and which job has which.

Source: spec/BATCH.md 6. A node serves one job at a time; jobs are served in the order they came.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from enum import StrEnum


class NodeState(StrEnum):
    """Azure's words for the states of a node."""

    PREPARING = "preparing"
    IDLE = "idle"
    RUNNING = "running"
    LEAVING = "leaving"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Node:
    """One node, as it was last seen."""

    id: str
    state: NodeState
    job: str | None = None
    """The uid of the job that has the node."""
    since: float = 0.0
    """Unix seconds: when it came into its state."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scale:
    """The scale settings of a cluster."""

    least: int
    most: int
    idle_s: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Demand:
    """A job that has not ended, and the number of nodes it asks for."""

    job: str
    nodes: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """The nodes as they shall be, how many more to start, and what to aim for."""

    nodes: tuple[Node, ...]
    start: int
    target: int


def plan(nodes: Sequence[Node], demands: Sequence[Demand], scale: Scale, now: float) -> Plan:
    """Give nodes back, hand them out, grow at once, shrink after the idle time."""
    kept = _handed_out(_given_back(nodes, demands, now), demands, now)
    wanted = sum(min(demand.nodes, scale.most) for demand in demands)
    target = min(max(wanted, scale.least), scale.most)
    kept = _shrunk(kept, target, scale, now)
    staying = [node for node in kept if node.state is not NodeState.LEAVING]
    return Plan(nodes=tuple(kept), start=max(0, target - len(staying)), target=target)


def _given_back(nodes: Sequence[Node], demands: Sequence[Demand], now: float) -> list[Node]:
    """A node whose job has ended is idle again."""
    active = {demand.job for demand in demands}
    return [
        dataclasses.replace(node, state=NodeState.IDLE, job=None, since=now)
        if node.state is NodeState.RUNNING and node.job not in active
        else node
        for node in nodes
    ]


def _handed_out(nodes: list[Node], demands: Sequence[Demand], now: float) -> list[Node]:
    """First come, first served; a job may begin with fewer nodes than it asked for."""
    given = list(nodes)
    for demand in demands:
        missing = demand.nodes - sum(node.job == demand.job for node in given)
        idle = [place for place, node in enumerate(given) if node.state is NodeState.IDLE]
        for place in idle[: max(0, missing)]:
            given[place] = dataclasses.replace(
                given[place], state=NodeState.RUNNING, job=demand.job, since=now
            )
    return given


def _shrunk(nodes: list[Node], target: int, scale: Scale, now: float) -> list[Node]:
    """Nodes beyond the target leave once they were idle long enough, the longest idle first."""
    staying = sum(node.state is not NodeState.LEAVING for node in nodes)
    stale = sorted(
        (node.since, place)
        for place, node in enumerate(nodes)
        if node.state is NodeState.IDLE and now - node.since >= scale.idle_s
    )
    shrunk = list(nodes)
    for _, place in stale[: max(0, staying - max(target, scale.least))]:
        shrunk[place] = dataclasses.replace(shrunk[place], state=NodeState.LEAVING, since=now)
    return shrunk
