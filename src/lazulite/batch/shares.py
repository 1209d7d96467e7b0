"""Fair shares: how many nodes of a cluster each job should have.

Every job has one before any has two, in the order in which they came; then they grow in turns. So
a small job does not wait for the end of a large one, and a large one keeps what nobody else needs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence


@dataclasses.dataclass(frozen=True, kw_only=True)
class Demand:
    """A job that has not ended, and the number of nodes it asks for."""

    job: str
    nodes: int


def fair_shares(demands: Sequence[Demand], holders: Collection[str], most: int) -> dict[str, int]:
    """Nodes by job; jobs that have to wait are left out.

    demands: in the order in which they came. holders: jobs that have a node now, which keep one
    whatever comes. most: nodes that the cluster may have.
    """
    shares = {demand.job: 1 for demand in demands if demand.job in holders}
    for demand in demands:
        if len(shares) >= most:
            break
        shares.setdefault(demand.job, 1)
    left, hungry = most - len(shares), [d for d in demands if d.job in shares]
    while left > 0 and (hungry := [d for d in hungry if shares[d.job] < d.nodes]):
        for demand in hungry[:left]:
            shares[demand.job] += 1
        left -= min(left, len(hungry))
    return shares
