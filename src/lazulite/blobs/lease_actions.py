"""The five actions on a lease, as Azure's table of outcomes has them. Pure.

Source: "Lease Blob: outcomes of lease operations by state", learn.microsoft.com.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from lazulite.blobs.errors import BlobError
from lazulite.blobs.leases import Lease, granted


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wish:
    """What a lease request says. period_s: of a break; None: as long as the lease would last."""

    action: str
    id: str = ""
    proposed: str = ""
    duration_s: int = 0
    period_s: int | None = None


def decide(wish: Wish, lease: Lease | None, now: datetime) -> Lease | None:
    """The lease after the action; None: it is available. Raises BlobError 409."""
    if wish.action == "acquire":
        return _acquired(wish, lease, now)
    if wish.action == "break":
        return _broken(wish, lease, now)
    if lease is None:
        absent = "NotPresentWith" if wish.action == "change" else "IdMismatchWith"
        raise BlobError(f"Lease{absent}LeaseOperation")
    if wish.action == "change":
        return _changed(wish, lease, now)
    if lease.id != wish.id:
        raise BlobError("LeaseIdMismatchWithLeaseOperation")
    return None if wish.action == "release" else _renewed(lease, now)


def remaining_s(lease: Lease, now: datetime) -> int:
    """Seconds until a break takes effect, rounded up."""
    left = (lease.broken or now) - now
    return max(0, -(-left // timedelta(seconds=1)))


def _acquired(wish: Wish, lease: Lease | None, now: datetime) -> Lease:
    if lease is not None and lease.is_active(now):
        if lease.id != wish.proposed:
            raise BlobError("LeaseAlreadyPresent")
        if lease.state(now) == "breaking":
            raise BlobError("LeaseIsBreakingAndCannotBeAcquired")
    return granted(wish.proposed, wish.duration_s, now)


def _renewed(lease: Lease, now: datetime) -> Lease:
    if lease.broken is not None:
        raise BlobError("LeaseIsBrokenAndCannotBeRenewed")
    return lease.renewed(now)


def _changed(wish: Wish, lease: Lease, now: datetime) -> Lease:
    if not lease.is_active(now):
        raise BlobError("LeaseNotPresentWithLeaseOperation")
    if lease.id not in {wish.id, wish.proposed}:
        raise BlobError("LeaseIdMismatchWithLeaseOperation")
    if lease.broken is not None:
        raise BlobError("LeaseIsBreakingAndCannotBeChanged")
    return dataclasses.replace(lease, id=wish.proposed)


def _broken(wish: Wish, lease: Lease | None, now: datetime) -> Lease:
    if lease is None:
        raise BlobError("LeaseNotPresentWithLeaseOperation")
    if not lease.is_active(now):
        return dataclasses.replace(lease, broken=lease.broken or now)
    ends = [end for end in (lease.broken, lease.expires) if end is not None]
    if wish.period_s is not None:
        ends.append(now + timedelta(seconds=wish.period_s))
    return dataclasses.replace(lease, broken=min(ends, default=now))
