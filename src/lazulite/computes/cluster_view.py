"""A cluster's nodes, as its row has them and as callers see them. Source: spec/BATCH.md 6."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lazulite.arm.envelope import timestamp
from lazulite.arm.kind import Answer, Call
from lazulite.batch.cluster import Node, NodeState, places
from lazulite.core.errors import ArmError
from lazulite.store.resources import Json, Resource

EVICTED = "evicted"
"""The key in a cluster's envelope: the ids of nodes that somebody wanted to be evicted."""
_STATES = ("idle", "running", "preparing", "unusable", "leaving", "preempted")


def nodes_of(cluster: Resource) -> list[Node]:
    """The nodes, as they were last seen."""
    found = cluster.observed.get("nodes", ())
    return [Node(**{**fields, "state": NodeState(fields["state"])}) for fields in found]


def is_steady(nodes: Sequence[Node], target: int) -> bool:
    """Whether there are as many nodes as there should be, and none on its way out."""
    return places(nodes) == target and all(node.state is not NodeState.LEAVING for node in nodes)


def evicted(cluster: Resource) -> frozenset[str]:
    """The nodes that somebody wanted to be evicted."""
    return frozenset(cluster.envelope.get(EVICTED, ()))


def with_evicted(cluster: Resource, node_id: str) -> Json:
    """The cluster's envelope with one more such node. Raises ArmError if it is none of its."""
    there = [node.id for node in nodes_of(cluster)]
    if node_id not in there:
        listed = ", ".join(there) or "none now"
        message = f"nodeId is {node_id!r}; the nodes of {cluster.name!r} are: {listed}."
        raise ArmError("BadArgument", message, target="nodeId")
    kept = [node for node in there if node in evicted(cluster) or node == node_id]
    return {**cluster.envelope, EVICTED: kept}


def cluster_view(cluster: Resource) -> Json:
    """What only the server can say of a cluster."""
    nodes, target = nodes_of(cluster), cluster.observed.get("target", 0)
    since = cluster.observed.get("allocated")
    errors = [cluster.error] if cluster.error else []
    errors += [
        {"code": "NodeUnusable", "message": f"Node {node.id}: {node.reason}"}
        for node in nodes
        if node.state is NodeState.UNUSABLE
    ]
    return {
        "allocationState": "Steady" if is_steady(nodes, target) else "Resizing",
        "allocationStateTransitionTime": since or timestamp(cluster.created_at),
        "currentNodeCount": places(nodes),
        "targetNodeCount": target,
        "nodeStateCounts": {
            f"{state}NodeCount": sum(node.state == state for node in nodes) for state in _STATES
        },
        "errors": errors or None,
    }


def listed_nodes(call: Call, names: Mapping[str, str]) -> Answer:
    """Answer listNodes. names: of jobs, by their uid. Raises ArmError for other types."""
    kind = call.resource.properties["computeType"]
    if kind != "AmlCompute":
        message = f"{call.resource.name!r} is {kind}: only AmlCompute has a list of nodes."
        raise ArmError("BadArgument", message, target="computeType")
    nodes = [
        {
            "nodeId": node.id,
            "privateIpAddress": "127.0.0.1",
            "publicIpAddress": None,
            "port": None,
            "nodeState": node.state,
            "runId": names.get(node.job or ""),
        }
        for node in nodes_of(call.resource)
    ]
    named = {"computeType": kind} if call.version[:10] <= "2021-04-30" else {}
    return Answer(body={**named, "nodes": nodes, "nextLink": None})
