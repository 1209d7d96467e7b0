"""Group commit: writes that wait at the same moment share one transaction, and one sync of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Together(Generic[T]):
    """Collects what comes while a write is under way, and writes it as the next one."""

    def __init__(self, write: Callable[[Sequence[T]], Awaitable[None]]) -> None:
        """write: makes all items durable, or raises and has written none; one call at a time."""
        self._write = write
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def add(self, item: T) -> None:
        """Durable on return. Raises what the write of its group raised."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        await done

    async def _write_all(self) -> None:
        while group := self._waiting:
            self._waiting = []
            failure: BaseException | None = None
            try:
                await self._write([item for item, _ in group])
            except BaseException as error:  # noqa: BLE001 - raised where the items came from
                failure = error
            for _, done in group:
                _settle(done, failure)
        self._writing = None


def _settle(done: asyncio.Future[None], failure: BaseException | None) -> None:
    if done.done():
        return  # its waiter was cancelled
    if failure is None:
        done.set_result(None)
    elif isinstance(failure, asyncio.CancelledError):
        done.cancel()
    else:
        done.set_exception(failure)
