"""What the front door knows of online endpoints: frozen values, safe in a configuration."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Literal, get_args

AuthMode = Literal["key", "aml_token", "aad_token"]

MOST_MIRRORED = 50
"""Percent. Source: spec/ONLINE.md 5.5."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LEAST = {
    "request_timeout_ms": 1,
    "max_queue_wait_ms": 1,
    "max_concurrent": 1,
    "instances": 0,
    "most_instances": 1,
    "cold_ms": 0,
}
_SOCKET = re.compile(r"/[\w./@+=~-]{1,94}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deployment:
    """One deployment: the replica processes that answer, and the limits of its request_settings.

    Raises ValueError for a value that could not be written safely into HAProxy's configuration.
    """

    name: str
    sockets: tuple[str, ...]
    """Absolute paths of Unix sockets, one per replica process; empty while none is ready."""
    waiting: str
    """The socket where requests wait while no replica is up; whoever is ready next takes them."""
    request_timeout_ms: int = 5000
    max_queue_wait_ms: int = 500
    max_concurrent: int = 1
    """max_concurrent_requests_per_instance."""
    instances: int = 1
    """How many there are now; 0 while the deployment sleeps."""
    most_instances: int = 1
    """How many there may come to be."""
    cold_ms: int = 0
    """What a request that finds it asleep may wait for it to wake."""

    def __post_init__(self) -> None:
        """Refuse what the configuration cannot carry."""
        require_name("deployment", self.name)
        for path in (*self.sockets, self.waiting):
            require_socket(path)
        for field, least in _LEAST.items():
            value = getattr(self, field)
            if type(value) is not int or value < least:
                raise ValueError(
                    f"{field} is {value!r}: it must be a whole number of {least} or more"
                )

    @property
    def in_flight_limit(self) -> int:
        """Requests that may run or wait at one time; more get 429. Source: spec/ONLINE.md 5.5.

        Of a deployment that grows, as many as it may grow to take.
        """
        return 2 * self.max_concurrent * self.limiting_instances

    @property
    def limiting_instances(self) -> int:
        """How many instances the limit of requests is counted for."""
        return max(self.instances, self.most_instances)

    @property
    def waiting_slots(self) -> int:
        """Requests that may wait for a replica to start; all of them while it sleeps."""
        return self.slots * len(self.sockets) if self.sockets else self.in_flight_limit

    @property
    def slots(self) -> int:
        """Requests that one replica process is sent at a time; it answers them in turn.

        An instance gets max_concurrent_requests_per_instance of them, shared by its processes. One
        keeps all that wait in one queue; more keep a process of short calls busy.
        """
        return -(-self.max_concurrent * self.instances // max(1, len(self.sockets)))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One online endpoint: who may call it, and where its calls go.

    Names are matched without regard to case, as ARM does. Raises ValueError for what cannot be
    served.
    """

    name: str
    uid: str
    """The audience (`aud`) of its aml_token tokens."""
    auth_mode: AuthMode
    scope: str = ""
    """Its ARM id, for messages."""
    callers: tuple[str, ...] = ()
    """Object ids of those who may score; used by auth_mode aad_token."""
    key_hashes: tuple[str, ...] = ()
    """SHA-256 of each valid key, in lower-case hexadecimal digits; used by auth_mode key."""
    traffic: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Percent by deployment name: 100 in all, or nothing at all."""
    mirror: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Percent of the requests that are copied, by the name of one deployment without traffic."""
    deployments: tuple[Deployment, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what the configuration cannot carry."""
        require_name("endpoint", self.name)
        require_name("uid", self.uid)
        if self.auth_mode not in get_args(AuthMode):
            raise ValueError(f"auth_mode is {self.auth_mode!r}: nobody could be let in")
        if not self.scope.isprintable():
            raise ValueError(f"scope {self.scope[:200]!r}: it must be an ARM id")
        for caller in self.callers:
            require_name("caller", caller)
        for digest in self.key_hashes:
            if not _SHA256.fullmatch(digest):
                raise ValueError(f"key hash {digest[:80]!r}: it must be 64 lower-case hex digits")
        self._check_traffic()
        self._check_mirror()

    def _check_traffic(self) -> None:
        names = {deployment.name for deployment in self.deployments}
        if len({name.lower() for name in names}) < len(self.deployments):
            raise ValueError(f"endpoint {self.name!r} has two deployments of one name")
        for name, percent in self.traffic.items():
            if name not in names or type(percent) is not int or not 0 <= percent <= 100:
                raise ValueError(
                    f"traffic {name!r}: {percent!r} of endpoint {self.name!r}: it must be 0 to 100 "
                    f"for one of its deployments {sorted(names)}"
                )
        if sum(self.traffic.values()) not in (0, 100):
            raise ValueError(
                f"traffic of endpoint {self.name!r} adds up to {sum(self.traffic.values())}: "
                "it must be 100, or 0 to take no traffic"
            )

    def _check_mirror(self) -> None:
        served = {deployment.name for deployment in self.deployments}
        for name, percent in self.mirror.items():
            if name not in served or type(percent) is not int or not 1 <= percent <= MOST_MIRRORED:
                raise ValueError(
                    f"mirror {name!r}: {percent!r} of endpoint {self.name!r}: it must be 1 to "
                    f"{MOST_MIRRORED} for one of its deployments {sorted(served)}"
                )


def require_name(what: str, name: str) -> None:
    """Raise ValueError unless the name is 1 to 128 ASCII letters, digits, hyphens, underscores."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{what} {name[:200]!r}: only A-Z a-z 0-9 _ - are allowed, 1 to 128 of them"
        )


def require_socket(path: str) -> None:
    """Raise ValueError unless the path can be a Unix socket that HAProxy connects to or listens on.

    95 bytes at most: HAProxy binds under a longer temporary name before it renames.
    """
    if not _SOCKET.fullmatch(path) or len(path.encode()) > 95:
        raise ValueError(
            f"socket path {path[:200]!r}: it must be absolute, at most 95 bytes, of letters, "
            "digits and . _ - / @ + = ~; choose a shorter or plainer run folder"
        )
