"""The replicas of a deployment together: what holds for all of them, and how many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lazulite.serving.keeper_status import ReplicaState
from lazulite.serving.replica import Replica

Make = Callable[[int, str], Replica]


class Fleet:
    """Replicas by index; those that leave stay until their process has ended."""

    def __init__(self, make: Make) -> None:
        """make: a replica of an index and a socket path."""
        self.replicas: list[Replica] = []
        self._make = make

    @property
    def is_served(self) -> bool:
        """True if a replica is ready."""
        return any(replica.state is ReplicaState.READY for replica in self.replicas)

    @property
    def is_complete(self) -> bool:
        """True if all replicas that are to stay are ready."""
        staying = [replica for replica in self.replicas if not replica.is_leaving]
        return all(replica.state is ReplicaState.READY for replica in staying)

    @property
    def is_gone(self) -> bool:
        """True if no process is left."""
        return all(replica.process is None for replica in self.replicas)

    @property
    def is_leaving(self) -> bool:
        """True if no replica is to stay."""
        return all(replica.is_leaving for replica in self.replicas)

    @property
    def pids(self) -> set[int]:
        """The processes that are there."""
        return {one.process.pid for one in self.replicas if one.process is not None}

    def resize(self, paths: Sequence[str]) -> tuple[list[Replica], list[Replica]]:
        """Have one replica per socket path: those to start now, and those to stop.

        One that is still leaving stays on; it is started again once its process has ended.
        """
        surplus = [one for one in self.replicas if one.index >= len(paths) and not one.is_leaving]
        for replica in self.replicas:
            replica.is_leaving = replica.index >= len(paths)
        known = {replica.index for replica in self.replicas}
        new = [self._make(n, path) for n, path in enumerate(paths) if n not in known]
        self.replicas = sorted([*self.replicas, *new], key=lambda replica: replica.index)
        return new, surplus

    def drop(self, replica: Replica) -> None:
        """Forget a replica whose process has ended."""
        replica.socket.close()
        self.replicas.remove(replica)

    def arrange_sockets(self) -> None:
        """Clients find ready replicas only; those of a dead one are turned away at once.

        Who has connected to a replica that stops is still served.
        """
        for replica in self.replicas:
            if replica.state is ReplicaState.READY:
                replica.socket.show()
            elif replica.process is None:
                replica.socket.close()
            else:
                replica.socket.hide()

    def close_sockets(self) -> None:
        """Remove every socket."""
        for replica in self.replicas:
            replica.socket.close()

    def kill(self) -> None:
        """End all processes and wait until they are gone."""
        for replica in self.replicas:
            if replica.process is not None:
                replica.process.kill()
        for replica in self.replicas:
            if replica.process is not None:
                replica.exit = replica.process.wait()
                replica.process.close()
                replica.process = None

    def reports(self) -> list[dict[str, Any]]:
        """The replicas' entries in status.json."""
        return [replica.report() for replica in self.replicas]
