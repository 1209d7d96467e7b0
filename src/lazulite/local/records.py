"""What local endpoints there are: a file each, in the words of version 2 of the command line."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.core.ids import ENDPOINT_NAME
from lazulite.store.files import make_folder_durably, read_json, write_json


@dataclasses.dataclass(frozen=True, kw_only=True)
class LocalDeployment:
    """One deployment, as it was started last."""

    values: Mapping[str, Any]
    """What its file and options said; paths are absolute."""
    task: str
    """The name of its keeper: another one for each start."""
    port: int
    """Of this machine's loopback; the same for all starts."""
    environment: str
    """The hash of what it runs in."""
    debug_port: int | None = None

    @property
    def name(self) -> str:
        """As it was given, in any case."""
        return str(self.values["name"])


@dataclasses.dataclass(frozen=True, kw_only=True)
class LocalEndpoint:
    """One endpoint and its deployments."""

    values: Mapping[str, Any]
    """What its file and options said."""
    deployments: tuple[LocalDeployment, ...] = ()
    """In the order of their making."""

    @property
    def name(self) -> str:
        """As it was given, in any case."""
        return str(self.values["name"])

    def find(self, name: str) -> LocalDeployment | None:
        """The deployment of that name, in any case."""
        found = (each for each in self.deployments if each.name.lower() == name.lower())
        return next(found, None)

    def deployment(self, name: str) -> LocalDeployment:
        """The same. Raises CommandError with the names that there are."""
        if (found := self.find(name)) is not None:
            return found
        there = ", ".join(each.name for each in self.deployments) or "none"
        raise CommandError(
            "ResourceNotFound",
            f"The local endpoint {self.name!r} has no deployment {name!r}; it has: {there}.",
            exit_code=NOT_FOUND,
        )

    def having(self, deployment: LocalDeployment) -> LocalEndpoint:
        """The endpoint with the deployment in the place of one of that name."""
        old = self.find(deployment.name)
        if old is None:
            return dataclasses.replace(self, deployments=(*self.deployments, deployment))
        kept = tuple(deployment if each is old else each for each in self.deployments)
        return dataclasses.replace(self, deployments=kept)

    def without(self, name: str) -> LocalEndpoint:
        """The endpoint without the deployment of that name."""
        kept = tuple(each for each in self.deployments if each.name.lower() != name.lower())
        return dataclasses.replace(self, deployments=kept)


@dataclasses.dataclass(frozen=True)
class Records:
    """The endpoints of one user. folder: below the data folder; made with the first endpoint."""

    folder: Path

    def find(self, name: str) -> LocalEndpoint | None:
        """The endpoint of that name, in any case. Raises CommandError for what is no name."""
        return _read(self._path(name))

    def get(self, name: str) -> LocalEndpoint:
        """The same. Raises CommandError, with exit code 3, if there is none."""
        if (found := self.find(name)) is not None:
            return found
        raise CommandError(
            "ResourceNotFound",
            f"There is no local endpoint {name!r}; `lazulite ml online-endpoint list --local` shows"
            " those that there are.",
            exit_code=NOT_FOUND,
        )

    def all(self) -> list[LocalEndpoint]:
        """Every endpoint, by name."""
        found = (_read(path) for path in sorted(self.folder.glob("*.json")))
        return [each for each in found if each is not None]

    def write(self, endpoint: LocalEndpoint) -> None:
        """Keep it in the place of what it was. The caller is changing() it."""
        write_json(self._path(endpoint.name), dataclasses.asdict(endpoint))

    def remove(self, name: str) -> None:
        """Forget it. The caller is changing() it, and has stopped what it ran."""
        self._path(name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def changing(self, name: str) -> Iterator[None]:
        """Held by the one command that changes the endpoint. Raises CommandError for a second."""
        path = self._path(name).with_suffix(".lock")
        make_folder_durably(self.folder)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise CommandError(
                "Conflict",
                f"Another command changes the local endpoint {name!r} at this moment: wait for it.",
            ) from None
        finally:
            os.close(descriptor)

    def _path(self, name: str) -> Path:
        if ENDPOINT_NAME.fullmatch(name) is None:
            raise bad_name("endpoint", name)
        return self.folder / f"{name.lower()}.json"


def check_name(name: str) -> None:
    """Raise CommandError for what is no name of a deployment."""
    if ENDPOINT_NAME.fullmatch(name) is None:
        raise bad_name("deployment", name)


def bad_name(what: str, name: str) -> CommandError:
    """The rule of names, which is that of the server."""
    return CommandError(
        "InvalidArgument",
        f"{name[:100]!r} is no name of a local {what}: it has at most 32 letters, digits and"
        " hyphens, begins with a letter and ends with a letter or digit.",
    )


def _read(path: Path) -> LocalEndpoint | None:
    found = read_json(path)
    if found is None:
        return None
    made = tuple(LocalDeployment(**each) for each in found["deployments"])
    return LocalEndpoint(values=found["values"], deployments=made)
