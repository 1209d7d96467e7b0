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
        sets = {row.id: row.observed.get("serving") for row in rows}
        signs = {key: await self.sets.sign(each["task"]) for key, each in sets.items() if each}
        changed = [arm_id for arm_id, sign in signs.items() if self._seen.get(arm_id) != sign]
        for arm_id in changed:
            await self.resources.touch(arm_id)
        self._seen = signs
