"""Leases: Azure's table of outcomes, and that they outlive the process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lazulite.blobs.conditions import Conditions
from lazulite.blobs.errors import BlobError
from lazulite.blobs.lease_actions import Wish, decide, remaining_s
from lazulite.blobs.leases import INFINITE, granted
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.values import Expected

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINE, OTHER = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
FIXED = granted(MINE, 30, NOW)
STATES = {
    "available": (None, NOW),
    "leased": (FIXED, NOW),
    "expired": (FIXED, NOW + timedelta(seconds=30)),
    "breaking": (decide(Wish(action="break"), FIXED, NOW), NOW + timedelta(seconds=1)),
    "broken": (decide(Wish(action="break", period_s=0), FIXED, NOW), NOW),
}
BREAKING = "LeaseIsBreakingAndCannotBeAcquired"
PRESENT, MISMATCH = "LeaseAlreadyPresent", "LeaseIdMismatchWithLeaseOperation"
NONE = "LeaseNotPresentWithLeaseOperation"


@pytest.mark.parametrize(
    ("action", "lease_id", "outcomes"),
    [
        ("acquire", MINE, ["leased", "leased", "leased", BREAKING, "leased"]),
        ("acquire", OTHER, ["leased", PRESENT, "leased", PRESENT, "leased"]),
        ("renew", MINE, [MISMATCH, "leased", "leased", *["LeaseIsBrokenAndCannotBeRenewed"] * 2]),
        ("renew", OTHER, [MISMATCH] * 5),
        ("release", MINE, [MISMATCH, *["available"] * 4]),
        ("release", OTHER, [MISMATCH] * 5),
        ("change", MINE, [NONE, "leased", NONE, "LeaseIsBreakingAndCannotBeChanged", NONE]),
        ("change", OTHER, [NONE, MISMATCH, NONE, MISMATCH, NONE]),
        ("break", "", [NONE, "breaking", "broken", "breaking", "broken"]),
    ],
)  # fmt: skip
def test_outcomes_are_those_of_the_documentation(action, lease_id, outcomes):
    found = []
    proposed = lease_id if action == "acquire" else "33333333-3333-3333-3333-333333333333"
    for lease, now in STATES.values():
        wish = Wish(action=action, id=lease_id, proposed=proposed, duration_s=30)
        try:
            after = decide(wish, lease, now)
            found.append(after.state(now) if after else "available")
        except BlobError as error:
            found.append(error.code)
    assert dict(zip(STATES, found, strict=True)) == dict(zip(STATES, outcomes, strict=True))


def test_infinite_lease_ends_when_it_is_broken_and_not_before():
    lease = granted(MINE, INFINITE, NOW)
    assert lease.is_active(NOW + timedelta(days=10_000))
    broken = decide(Wish(action="break", period_s=10), lease, NOW)
    assert (remaining_s(broken, NOW), broken.is_active(NOW + timedelta(seconds=10))) == (10, False)
    assert decide(Wish(action="break"), lease, NOW).state(NOW) == "broken"


def test_break_takes_no_longer_than_the_lease_would_have():
    broken = decide(Wish(action="break", period_s=60), FIXED, NOW)
    assert remaining_s(broken, NOW) == 30


async def content(*pieces):
    for piece in pieces:
        yield piece


async def test_lease_outlives_a_restart_and_guards_every_write(open_store):
    address = BlobAddress("mlstore", "files", "a")
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        await store.put(address, content(b"old"), Expected(10))
        await store.leases.keep(address, granted(MINE, INFINITE, store.clock()))
    async with open_store() as store:
        assert store.leases.find(address).id == MINE
        for lease, code in ((None, "LeaseIdMissing"), (OTHER, "LeaseIdMismatchWithBlobOperation")):
            conditions = Conditions(lease=lease)
            writes = [
                store.put(address, content(b"new"), Expected(10), conditions=conditions),
                store.put_block(address, b"1", content(b"new"), Expected(10), lease),
                store.put_block_list(address, [], conditions=conditions),
                store.update(address, lambda said: said, conditions),
                store.amend(address, lambda said: said, conditions),
                store.delete(address, conditions),
            ]
            for write in writes:
                with pytest.raises(BlobError) as refused:
                    await write
                assert refused.value.code == code
        await store.delete(address, Conditions(lease=MINE))
        assert store.leases.find(address) is None
