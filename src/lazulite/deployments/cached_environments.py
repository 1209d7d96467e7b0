"""The environments that are built on this machine, over REST. An extension: Azure has none of it.

They are the server's, not a workspace's: one set of packages is built once for all. So who asks
needs the role for it in the subscription.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from pydantic import Field

from lazulite.arm.bodies import read_form
from lazulite.arm.envelope import timestamp
from lazulite.arm.kind import Properties
from lazulite.arm.reports import Asking, Report
from lazulite.core.clock import Clock
from lazulite.core.errors import ArmError
from lazulite.environments.cache import Cache, Entry, Limits
from lazulite.environments.service import Environments
from lazulite.store.resources import Json

GIB = 1 << 30
LINES = 200
"""Lines of a build log that are shown."""


class PruneRequest(Properties):
    """The body of pruneEnvironments. Without limits, all that nobody uses goes."""

    max_age_days: float | None = Field(default=None, ge=0, le=36500)
    """Days since the last use."""
    max_gib: float | None = Field(default=None, ge=0, le=1e9)
    """GiB of all environments together."""
    dry_run: bool = False
    """Say what would go, and remove nothing."""


@dataclasses.dataclass(frozen=True)
class CachedEnvironments:
    """Answers below a location."""

    cache: Cache
    environments: Environments
    clock: Clock

    def reports(self) -> tuple[Report, ...]:
        """List, show and prune."""
        listed = ("locations", "*", "environmentCache")
        read = "locations/environmentCache/read"
        return (
            Report(path=listed, permission=read, perform=self.listing),
            Report(path=(*listed, "*"), permission=read, perform=self.show),
            Report(
                path=("locations", "*", "pruneEnvironments"),
                permission="locations/environmentCache/delete",
                perform=self.prune,
                method="POST",
            ),
        )

    async def listing(self, asking: Asking) -> Json:
        """All of them, the least recently used first."""
        return {"value": [_shown(each) for each in await self.cache.entries()], "nextLink": None}

    async def show(self, asking: Asking) -> Json:
        """One, by its hash or the beginning of it, with the end of its build log.

        Raises ArmError 404 if there is none, 400 if there are several.
        """
        start = asking.names[-1].lower()
        found = [each for each in await self.cache.entries() if each.hash.startswith(start)]
        if not found:
            message = f"There is no environment {start!r} in the cache: look at the list."
            raise ArmError("ResourceNotFound", message, 404)
        if len(found) > 1:
            message = f"{len(found)} environments begin with {start!r}: give more of the hash."
            raise ArmError("BadArgument", message, target="hash")
        log = self.environments.tail(found[0].hash, LINES)
        return {**_shown(found[0]), "log": log}

    async def prune(self, asking: Asking) -> Json:
        """Remove what the limits do not let stay; never what is used or being built."""
        asked = read_form(PruneRequest, asking.body)
        days, gib = asked.max_age_days, asked.max_gib
        limits = Limits(
            age=None if days is None else timedelta(days=days),
            size=None if gib is None else int(gib * GIB),
        )
        gone = await self.cache.prune(limits, self.clock(), pretend=asked.dry_run)
        return {"value": [_shown(each) for each in gone], "freed": sum(each.size for each in gone)}


def _shown(entry: Entry) -> Json:
    return {
        "name": entry.hash,
        "status": entry.state,
        "size": entry.size,
        "lastUsed": timestamp(entry.last_used),
        "usedBy": list(entry.used_by),
        **entry.about,
    }
