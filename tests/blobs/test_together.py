"""Group commit: what waits at the same moment is written at once."""

import asyncio

import pytest

from lazulite.blobs.together import Together


async def test_what_comes_during_a_write_is_written_together_next():
    groups, may_go = [], asyncio.Event()

    async def write(items):
        groups.append(list(items))
        await may_go.wait()

    together = Together(write)
    adding = [asyncio.create_task(together.add(0))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    adding += [asyncio.create_task(together.add(number)) for number in (1, 2, 3)]
    await asyncio.sleep(0)
    assert not any(each.done() for each in adding)
    may_go.set()
    await asyncio.gather(*adding)
    assert groups == [[0], [1, 2, 3]]


async def test_a_failed_write_fails_all_of_its_group_and_not_the_next():
    async def write(items):
        if "bad" in items:
            raise OSError("full")

    together = Together(write)
    with pytest.raises(OSError, match="full"):
        await together.add("bad")
    await together.add("good")


async def test_a_waiter_that_goes_away_takes_nobody_along():
    written, may_go = [], asyncio.Event()

    async def write(items):
        await may_go.wait()
        written.extend(items)

    together = Together(write)
    first, second = (asyncio.create_task(together.add(name)) for name in ("a", "b"))
    await asyncio.sleep(0)
    first.cancel()
    may_go.set()
    await second
    assert written == ["a", "b"]
