"""How many replicas a running keeper is to have: orders.json in its folder, and a bell beside it.

The control plane writes the file whole and rings; the keeper reads it at its start and when the
bell rings. So an order is never lost, and none has to be repeated.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from pathlib import Path

from lazulite.store.files import read_json, write_atomically


@dataclasses.dataclass(frozen=True)
class Orders:
    """The replicas that are wanted."""

    sockets: tuple[str, ...]
    """One per replica. A shorter list is a beginning of a longer one."""
    asleep: bool = False
    """Start none of them before somebody waits at the waiting socket."""
    number: int = 0
    """Counts orders that were given, so that one is known to be new that says what one before did:
    to sleep, say, after a request has woken the keeper."""


class Bell:
    """The keeper's end: a pipe with a name."""

    def __init__(self, folder: Path) -> None:
        path = folder / "bell"
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._folder = folder

    def fileno(self) -> int:
        """Readable once it was rung."""
        return self._descriptor

    def silence(self) -> None:
        """Forget that it was rung."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._descriptor, 4096)

    def orders(self) -> Orders | None:
        """The last orders; None if there were none yet."""
        return _read(self._folder)

    def close(self) -> None:
        """Hear nothing more."""
        os.close(self._descriptor)


def give(folder: Path, orders: Orders) -> None:
    """Give orders to the keeper whose folder it is. The same again does nothing.

    Raises FileNotFoundError if the folder is gone.
    """
    before = _read(folder)
    if before is not None:
        if before == dataclasses.replace(orders, number=before.number):
            return
        orders = dataclasses.replace(orders, number=before.number + 1)
    write_atomically(folder / "orders.json", json.dumps(dataclasses.asdict(orders)).encode())
    with contextlib.suppress(OSError):  # it starts, and will read them, or it ends
        bell = os.open(folder / "bell", os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(bell, b"!")
        finally:
            os.close(bell)


def _read(folder: Path) -> Orders | None:
    found = read_json(folder / "orders.json")
    if found is None:
        return None
    return Orders(tuple(found["sockets"]), bool(found["asleep"]), int(found["number"]))
