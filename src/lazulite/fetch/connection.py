"""Connections to addresses that were checked: the name is resolved once, and never again.

A server that keeps a client waiting is cut off by a watchdog, whatever the client blocks on: the
handshake, a header or a chunk.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType

from lazulite.fetch.addresses import Address
from lazulite.fetch.errors import not_allowed, not_reachable
from lazulite.fetch.limits import Limits
from lazulite.fetch.rules import Rules
from lazulite.fetch.urls import Url

TICK_S = 0.5  # so soon is a stop noticed
Resolve = Callable[[str, int], Sequence[str]]
"""From a host and port to addresses; raises OSError."""


class Connection(http.client.HTTPConnection):
    """HTTP over a socket that is open already; it never opens another one by itself."""

    auto_open = 0


def resolve(host: str, port: int) -> list[str]:
    """What the machine's resolver says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def open_socket(url: Url, rules: Rules, limits: Limits, ask: Resolve) -> socket.socket:
    """A TCP connection to an address of the URL's host that may be connected to.

    Raises FetchError: UrlNotAllowed if there is none, DataNotReachable if none answers.
    """
    try:
        addresses = ask(url.host, url.port)
    except (OSError, UnicodeError) as error:
        raise not_reachable(url.shown, f"the host {url.host} is not known ({error})") from error
    trusted = rules.trusts(url)
    admitted = [item for item in addresses if trusted or rules.admits(_address(item))]
    if not admitted:
        raise not_allowed(
            url.shown,
            f"the host {url.host} is not on the public network. If it is to be reached, list it in "
            "LAZULITE_FETCH_ALLOW",
        )
    return _first(url, admitted, limits)


def secured(url: Url, sock: socket.socket) -> socket.socket:
    """The socket, with TLS if the URL says so. Raises OSError if the certificate is not good."""
    if url.scheme == "http":
        return sock
    return ssl.create_default_context().wrap_socket(sock, server_hostname=url.host)


class Watchdog:
    """Ends a connection on which too little arrives. count() what has arrived."""

    def __init__(self, sock: socket.socket, limits: Limits, stop: threading.Event) -> None:
        """sock: may be wrapped in TLS or closed meanwhile; stop: ends the connection, too."""
        self._stop = stop
        self._end = socket.socket(fileno=os.dup(sock.fileno()))
        self._limits, self._arrived, self._done = limits, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="fetch-watchdog")
        self.has_bitten = False

    def count(self, size: int) -> None:
        """Note bytes that have arrived."""
        self._arrived += size

    def __enter__(self) -> Watchdog:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Watch no more."""
        self._done.set()
        self._thread.join()
        self._end.close()

    def _watch(self) -> None:
        window, before = self._limits.window_s, 0
        now = time.monotonic()
        end, look = now + self._limits.seconds, now + window
        while not self._done.wait(min(window, TICK_S)):
            now, arrived = time.monotonic(), self._arrived
            is_slow = now >= look and arrived - before < self._limits.least
            if is_slow or now > end or self._stop.is_set():
                self.has_bitten = True
                with contextlib.suppress(OSError):
                    self._end.shutdown(socket.SHUT_RDWR)
                return
            if now >= look:
                before, look = arrived, now + window


def _first(url: Url, addresses: Sequence[str], limits: Limits) -> socket.socket:
    last: OSError | None = None
    for address in addresses:
        try:
            sock = socket.create_connection((address, url.port), limits.connect_s)
        except OSError as error:
            last = error
        else:
            sock.settimeout(limits.window_s)
            return sock
    raise not_reachable(url.shown, f"{url.host} does not answer ({last})") from last


def _address(text: str) -> Address:
    return ipaddress.ip_address(text)
