"""The processes behind a cluster's nodes: started, looked at and stopped, from their rows.

A node that does not come up is unusable: it keeps its place for RETRY_S and says why, then another
one is tried. One that was evicted is killed at once, as in Azure. Source: spec/BATCH.md 6.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

from lazulite.batch.cluster import Node, NodeState
from lazulite.executors.protocol import Executor, Phase, Task

RETRY_S = 10.0
"""How long an unusable or evicted node is shown; an unusable one holds its place so long."""
LISTENS_WITHIN_S = 60.0
"""A node that does not listen by then is unusable."""
_OVER = {NodeState.UNUSABLE, NodeState.PREEMPTED}
_LONGEST_REASON = 500


@dataclasses.dataclass(frozen=True)
class NodeTasks:
    """Every call returns at once and may be repeated. sockets: the short folder of theirs."""

    executor: Executor
    sockets: Path

    async def start(self, node: str, now: float) -> Node:
        """Start a node, or adopt the one of that id."""
        socket = str(self.socket(node))
        command = (sys.executable, "-m", "lazulite.executors.node", socket, node)
        await self.executor.ensure(Task(name=node, command=command))
        return Node(id=node, state=NodeState.PREPARING, since=now)

    async def seen(self, nodes: Iterable[Node], evicted: Collection[str], now: float) -> list[Node]:
        """The nodes as they are now; those that have gone are dropped with their files."""
        found = []
        for node in nodes:
            left = await self._looked_at(_evicted(node, now) if node.id in evicted else node, now)
            if left is None:
                await self._forget(node.id)
            else:
                found.append(left)
        return found

    async def stop(self, nodes: Iterable[Node]) -> None:
        """End what leaves or has no business here any more."""
        for node in nodes:
            if node.state is NodeState.LEAVING:
                await self.executor.stop(node.id)
            elif node.state in _OVER:
                await self.executor.stop(node.id, kill=True)

    def socket(self, node: str) -> Path:
        """Where the node listens once it is ready."""
        return self.sockets / f"{node}.sock"

    async def _forget(self, node: str) -> None:
        self.socket(node).unlink(missing_ok=True)
        await self.executor.forget(node)

    async def _looked_at(self, node: Node, now: float) -> Node | None:
        runs = await self.executor.observe(node.id) is Phase.RUNNING
        if node.state in _OVER:
            return node if runs or now - node.since < RETRY_S else None
        if node.state is not NodeState.PREPARING:
            return node if runs else None
        if not runs:
            return _unusable(node, now, f"the node ended at its start. {self._last_words(node)}")
        if self.socket(node.id).exists():
            return dataclasses.replace(node, state=NodeState.IDLE, since=now)
        if now - node.since > LISTENS_WITHIN_S:
            return _unusable(node, now, f"the node did not listen within {LISTENS_WITHIN_S:g} s")
        return node

    def _last_words(self, node: Node) -> str:
        try:
            text = (self.executor.folder(node.id) / "log").read_text(errors="replace")
        except OSError:
            return ""
        return text.strip()[-_LONGEST_REASON:]


def _unusable(node: Node, now: float, reason: str) -> Node:
    return dataclasses.replace(
        node, state=NodeState.UNUSABLE, job=None, since=now, reason=reason.strip()
    )


def _evicted(node: Node, now: float) -> Node:
    if node.state in _OVER:
        return node
    return dataclasses.replace(node, state=NodeState.PREEMPTED, job=None, since=now)
