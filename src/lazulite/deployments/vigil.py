"""Deployments that rest are looked at when something happens to their processes."""

from __future__ import annotations

import dataclasses

from lazulite.core.ids import ONLINE_DEPLOYMENTS
from lazulite.serving.replica_sets import ReplicaSets, Sign
from lazulite.store.resources import Resources


@dataclasses.dataclass
class Vigil:
    """Compares what each serving set shows from outside with what it showed the last time.

    So a keeper that died, or a replica that is not ready, is acted on within a second, and a
    deployment that just serves costs hardly anything.
    """

    resources: Resources
    sets: ReplicaSets
    _seen: dict[str, Sign] = dataclasses.field(default_factory=dict)

    async def look(self) -> None:
        """Make deployments due whose sets have changed since the last call, or are new to it."""
        rows = await self.resources.of_type(ONLINE_DEPLOYMENTS)
        tasks = {row.id: row.observed["serving"]["task"] for row in rows if _serves(row.observed)}
        signs = {arm_id: await self.sets.sign(task) for arm_id, task in tasks.items()}
        changed = [arm_id for arm_id, sign in signs.items() if self._seen.get(arm_id) != sign]
        for arm_id in changed:
            await self.resources.touch(arm_id)
        self._seen = signs


def _serves(observed: dict[str, object]) -> bool:
    return bool(observed.get("serving"))
