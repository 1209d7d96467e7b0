"""Put Block List: which stretch of which file each named block is."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence

from lazulite.blobs.errors import BlobError
from lazulite.blobs.values import Block

BLOCKS_PER_BLOB = 50_000


class Pick(enum.Enum):
    """Where a block list looks for a block; LATEST: uncommitted first, then committed."""

    COMMITTED = "Committed"
    UNCOMMITTED = "Uncommitted"
    LATEST = "Latest"


@dataclasses.dataclass(frozen=True)
class Chosen:
    """A block of the new blob. offset: where it is in the present blob; None: uncommitted."""

    block: Block
    offset: int | None


def choose_blocks(
    picks: Sequence[tuple[Pick, bytes]], waiting: Mapping[bytes, int], committed: Sequence[Block]
) -> list[Chosen]:
    """The blocks in the order of the list. waiting: bytes of the uncommitted ones, by id.

    A block may be named more than once. Raises BlobError InvalidBlockList for one that is absent.
    """
    if len(picks) > BLOCKS_PER_BLOB:
        raise BlobError("InvalidBlockList", f"{len(picks)} blocks; 50,000 are allowed.")
    placed = _placed(committed)
    return [_choose(pick, name, waiting, placed) for pick, name in picks]


def _placed(committed: Sequence[Block]) -> dict[bytes, Chosen]:
    placed, offset = dict[bytes, Chosen](), 0
    for block in committed:
        placed[block.id] = Chosen(block, offset)
        offset += block.size
    return placed


def _choose(
    pick: Pick, name: bytes, waiting: Mapping[bytes, int], placed: Mapping[bytes, Chosen]
) -> Chosen:
    if pick is not Pick.COMMITTED and name in waiting:
        return Chosen(Block(name, waiting[name]), None)
    if pick is not Pick.UNCOMMITTED and name in placed:
        return placed[name]
    raise BlobError("InvalidBlockList", f"There is no {pick.value} block with the id {name!r}.")
