"""HTTP GET, HEAD and POST at addresses that the rules allow, redirects of GET included.

Nothing is sent that was not asked for: no cookies, no credentials of the machine, no proxy.
Source: spec/SECURITY.md 2.4.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import os
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from types import TracebackType
from urllib.parse import urljoin

from lazulite.fetch.connection import Connection, Resolve, Watchdog, open_socket, resolve, secured
from lazulite.fetch.errors import FetchError, not_allowed, not_reachable, too_large
from lazulite.fetch.limits import Limits
from lazulite.fetch.rules import Rules
from lazulite.fetch.urls import Url, parse_url

REDIRECTS = frozenset({301, 302, 303, 307, 308})
CHUNK = 1 << 20  # bytes
BROKEN = (OSError, http.client.HTTPException, ValueError)


@dataclasses.dataclass(frozen=True)
class Fetcher:
    """What all fetches of a server share."""

    rules: Rules = dataclasses.field(default_factory=Rules)
    limits: Limits = dataclasses.field(default_factory=Limits)
    resolve: Resolve = resolve

    def session(self, stop: threading.Event | None = None) -> Session:
        """A session for one thread. stop: once it is set, bodies end with a FetchError."""
        return Session(self, stop or threading.Event())


class Answer:
    """A response; its body can be read once."""

    def __init__(
        self,
        url: Url,
        response: http.client.HTTPResponse,
        watchdog: Watchdog,
        bounds: tuple[int, threading.Event],
    ) -> None:
        """url: where it came from after redirects; bounds: bytes at most, and what stops it."""
        self.url, self.status, self.headers = url, response.status, response.headers
        self._response, self._watchdog = response, watchdog
        self._limit, self._stop = bounds
        self.is_read = False

    def chunks(self) -> Iterator[bytes]:
        """The body. Raises FetchError if it is too large, too slow, or ends early."""
        self._check_head()
        arrived = 0
        while chunk := self._next():
            arrived += len(chunk)
            if arrived > self._limit:
                raise self._too_large()
            yield chunk
        said = self.headers.get("Content-Length")
        if said is not None and int(said) != arrived:
            raise not_reachable(self.url.shown, f"it ended after {arrived} of {said} bytes")
        self.is_read = True

    def read(self, limit: int) -> bytes:
        """A small body. Raises FetchError if it has more bytes than that."""
        self._limit = min(self._limit, limit)
        return b"".join(self.chunks())

    def _next(self) -> bytes:
        if self._stop.is_set():
            raise not_reachable(self.url.shown, "the server is stopping")
        try:
            chunk = self._response.read1(CHUNK)
        except BROKEN as error:
            raise _broken(self.url, error, self._watchdog) from error
        if not chunk and self._watchdog.has_bitten:
            raise _broken(self.url, None, self._watchdog)
        self._watchdog.count(len(chunk))
        return chunk

    def _check_head(self) -> None:
        coding = self.headers.get("Content-Encoding", "identity").lower()
        if coding != "identity":
            raise not_reachable(self.url.shown, f"it is sent in the encoding {coding!r}")
        said = self.headers.get("Content-Length", "0")
        if not said.isdecimal():
            raise not_reachable(self.url.shown, f"its Content-Length is {said!r}")
        if int(said) > self._limit:
            raise self._too_large()

    def _too_large(self) -> FetchError:
        message = f"{self.url.shown!r} has more than the {self._limit} bytes that are fetched."
        return too_large(message)


class Session:
    """Requests of one thread, which reuse their connections. Close it, or use it in a with."""

    def __init__(self, fetcher: Fetcher, stop: threading.Event) -> None:
        """stop: once it is set, bodies end with a FetchError."""
        self._fetcher, self._stop = fetcher, stop
        self._open: dict[tuple[str, str, int], Connection] = {}

    def __enter__(self) -> Session:
        """The session itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close what is open."""
        for connection in self._open.values():
            _discard(connection, None)
        self._open.clear()

    @contextlib.contextmanager
    def get(
        self, text: str, headers: Mapping[str, str] | None = None, *, method: str = "GET"
    ) -> Iterator[Answer]:
        """Ask for a URL. Whatever its status, the answer is the body's; redirects are followed.

        Raises FetchError for a URL or address that is not allowed, and if no answer comes. With an
        Authorization header, redirects are refused.
        """
        sent = {"Accept": "*/*", "Accept-Encoding": "identity", **(headers or {})}
        url = self._fetcher.rules.resolved(parse_url(text))
        for _ in range(self._fetcher.limits.redirects + 1):
            with self._exchange(method, url, sent) as answer:
                location = answer.headers.get("Location")
                if answer.status not in REDIRECTS or not location:
                    yield answer
                    return
                if "authorization" in {name.lower() for name in sent}:
                    raise not_allowed(url.shown, "it redirects a request with credentials")
                url = self._redirected(url, location)
        raise not_allowed(text.partition("?")[0], "it redirects too often")

    @contextlib.contextmanager
    def post(self, text: str, body: bytes) -> Iterator[Answer]:
        """Send a body of JSON to a URL. Whatever its status, the answer is not followed.

        Raises FetchError for a URL or address that is not allowed, and if no answer comes.
        """
        url = self._fetcher.rules.resolved(parse_url(text))
        sent = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        with self._exchange("POST", url, sent, body) as answer:
            yield answer

    def _redirected(self, url: Url, location: str) -> Url:
        to = parse_url(urljoin(str(url), location))
        if to.scheme != url.scheme:
            raise not_allowed(url.shown, f"it redirects to {to.scheme}: give {to.shown} instead")
        return self._fetcher.rules.resolved(to)

    @contextlib.contextmanager
    def _exchange(
        self, method: str, url: Url, headers: Mapping[str, str], body: bytes | None = None
    ) -> Iterator[Answer]:
        """One request and its answer. The connection is kept if the body was read to its end."""
        limits = self._fetcher.limits
        connection, sock = self._connected(url)
        try:
            with Watchdog(sock, limits, self._stop) as watchdog:
                try:
                    if connection.sock is None:
                        connection.sock = secured(url, sock)
                    sent = {"Host": url.authority, **headers}
                    connection.request(method, url.target, body, sent)
                    response = connection.getresponse()
                except BROKEN as error:
                    raise _broken(url, error, watchdog) from error
                answer = Answer(url, response, watchdog, (limits.size, self._stop))
                yield answer
                if (answer.is_read or method == "HEAD") and not response.will_close:
                    response.close()
                    self._open[url.origin] = connection
        finally:
            if self._open.get(url.origin) is not connection:
                _discard(connection, sock)

    def _connected(self, url: Url) -> tuple[Connection, socket.socket]:
        """A connection that was kept, or a new one, whose socket is still to be secured."""
        kept = self._open.pop(url.origin, None)
        if kept is not None and kept.sock is not None:
            if not _has_ended(kept.sock):
                return kept, kept.sock
            _discard(kept, None)
        fetcher = self._fetcher
        sock = open_socket(url, fetcher.rules, fetcher.limits, fetcher.resolve)
        return Connection(url.host, url.port), sock


def _discard(connection: Connection, sock: socket.socket | None) -> None:
    """Close it now: a response that was not read would keep its file descriptor open."""
    for held in (connection.sock, sock):
        if held is not None and (descriptor := held.detach()) >= 0:
            os.close(descriptor)
    connection.close()


def _has_ended(sock: socket.socket) -> bool:
    """Whether an idle connection has something to read, which can only be its end."""
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(0))


def _broken(url: Url, error: Exception | None, watchdog: Watchdog) -> FetchError:
    if watchdog.has_bitten or isinstance(error, TimeoutError):
        return not_reachable(url.shown, "it is too slow")
    return not_reachable(url.shown, f"the connection broke ({error or 'closed'})")
