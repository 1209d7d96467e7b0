"""Leases of blobs and containers: who may write, decided purely, and kept on disk.

Source: "Lease Blob", "Lease Container" and their tables of outcomes, learn.microsoft.com.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

from lazulite.blobs.errors import BlobError
from lazulite.blobs.lease_rows import LeaseRows
from lazulite.blobs.names import BlobAddress
from lazulite.core.clock import Clock

INFINITE = -1  # seconds


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lease:
    """id: a GUID; duration_s: INFINITE or 15 to 60; broken: when a break takes effect."""

    id: str
    duration_s: int
    expires: datetime | None = None
    broken: datetime | None = None

    def state(self, now: datetime) -> str:
        """leased, expired, breaking or broken."""
        if self.broken is not None:
            return "breaking" if now < self.broken else "broken"
        return "expired" if self.expires is not None and now >= self.expires else "leased"

    def is_active(self, now: datetime) -> bool:
        """Whether writes need its id."""
        return self.state(now) in {"leased", "breaking"}

    def renewed(self, now: datetime) -> Lease:
        """The same for another term."""
        return granted(self.id, self.duration_s, now)

    def to_json(self) -> dict[str, Any]:
        """As the database keeps it."""
        times = {"expires": self.expires, "broken": self.broken}
        said = {name: moment.isoformat() if moment else None for name, moment in times.items()}
        return {"id": self.id, "duration_s": self.duration_s, **said}

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Lease:
        """What to_json() gave."""
        times = {
            name: datetime.fromisoformat(said[name]) if said[name] else None
            for name in ("expires", "broken")
        }
        return cls(id=said["id"], duration_s=said["duration_s"], **times)


def granted(lease_id: str, duration_s: int, now: datetime) -> Lease:
    """A new term."""
    expires = None if duration_s == INFINITE else now + timedelta(seconds=duration_s)
    return Lease(id=lease_id, duration_s=duration_s, expires=expires)


class Leases:
    """All leases of a store. In memory, because every request asks; on disk before the answer."""

    def __init__(self, rows: LeaseRows, clock: Clock) -> None:
        """rows: asked once, by load()."""
        self._rows, self._clock = rows, clock
        self._held: dict[str, Lease] = {}

    async def load(self) -> None:
        """Read what the last process left. Before any other call."""
        self._held = {key: Lease.from_json(said) for key, said in (await self._rows.all()).items()}

    def find(self, address: BlobAddress) -> Lease | None:
        """The lease of a blob, or of a container, whose blob name is empty; expired ones too."""
        return self._held.get(address.key)

    def headers(self, address: BlobAddress) -> dict[str, str]:
        """What answers say of the lease."""
        lease, now = self.find(address), self._clock()
        if lease is None:
            return {"x-ms-lease-status": "unlocked", "x-ms-lease-state": "available"}
        headers = {
            "x-ms-lease-status": "locked" if lease.is_active(now) else "unlocked",
            "x-ms-lease-state": lease.state(now),
        }
        if lease.state(now) == "leased":
            kind = "infinite" if lease.duration_s == INFINITE else "fixed"
            headers["x-ms-lease-duration"] = kind
        return headers

    def check_write(self, address: BlobAddress, given: str | None) -> None:
        """Raises BlobError 412 unless the id that was given is that of the active lease."""
        lease = self.find(address)
        if given is None and lease is not None and lease.is_active(self._clock()):
            raise BlobError("LeaseIdMissing")
        self.check_read(address, given)

    def check_read(self, address: BlobAddress, given: str | None) -> None:
        """Raises BlobError 412 if an id was given, and it is not that of an active lease."""
        if given is None:
            return
        lease, level = self.find(address), "Blob" if address.name else "Container"
        if lease is None:
            raise BlobError(f"LeaseNotPresentWith{level}Operation")
        if not lease.is_active(self._clock()):
            raise BlobError("LeaseLost")
        if lease.id != given.strip().lower():
            raise BlobError(f"LeaseIdMismatchWith{level}Operation")

    async def written(self, address: BlobAddress) -> None:
        """After a write: a lease that had ended can no longer be renewed."""
        lease = self.find(address)
        if lease is not None and not lease.is_active(self._clock()):
            await self.drop(address)

    async def keep(self, address: BlobAddress, lease: Lease) -> None:
        """Durable on return; replaces the one before."""
        await self._rows.put(address, lease.to_json())
        self._held[address.key] = lease

    async def drop(self, address: BlobAddress) -> None:
        """Nothing if there is none."""
        if address.key in self._held:
            await self._rows.forget(address)
            del self._held[address.key]

    async def drop_container(self, account: str, container: str) -> None:
        """The lease of a container and those of its blobs."""
        for key in await self._rows.forget_container(account, container):
            self._held.pop(key, None)
