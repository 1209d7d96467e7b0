"""HTTP/1.1 with kept connections, on the standard library: a command must start in a moment."""

from __future__ import annotations

import dataclasses
import http.client
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

from lazulite.cli.errors import CommandError
from lazulite.cli.remedies import unreachable, untrusted
from lazulite.cli.traces import shown_url

logger = logging.getLogger("cli.lazulite.http")
"""Below knack's own logger, so that --verbose and --debug show it."""
_TIMEOUT_S = 660.0  # above the longest scoring request that Azure allows
_CHUNK = 1 << 18  # bytes
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})


class Sink(Protocol):
    """Where the body of an answer goes."""

    def write(self, data: bytes, /) -> int:
        """As files do it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """One request; a body given as a path is streamed from that file."""

    method: str
    url: str
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes | Path | None = None
    count: Callable[[int], None] = lambda size: None
    """Called with the bytes of the body's file as they go; more than once if it is sent again."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def value(self) -> Any:
        """The body as JSON, or as text if it is not JSON; None if it is empty."""
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body.decode(errors="replace")


class Http:
    """Connections to a few origins, kept open between requests; may be shared by threads."""

    def __init__(self, ca_file: Path | None) -> None:
        """ca_file: certificates to trust in place of the system's."""
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._tls: ssl.SSLContext | None = None
        self._idle: dict[str, list[http.client.HTTPConnection]] = {}
        self._busy: set[http.client.HTTPConnection] = set()
        self._aborted = False

    def send(self, request: Request, into: Sink | None = None) -> Answer:
        """The answer, whatever its status; the body of a 2xx one goes to `into` if that is given.

        Raises CommandError if the server cannot be reached. Nothing is sent twice, but for
        requests safe to repeat that met a kept connection which the server had just closed.
        """
        began, told = time.monotonic(), "no answer"
        try:
            answer = self._answer(request, into)
            told = f"{answer.status}, request id {answer.headers.get('x-ms-request-id', 'none')}"
        finally:
            took_ms = (time.monotonic() - began) * 1000
            logger.info("%s %s: %s, %.0f ms", request.method, shown_url(request.url), told, took_ms)
        return answer

    def _answer(self, request: Request, into: Sink | None) -> Answer:
        kept = self._take(request.url) if request.method in _REPEATABLE else None
        if kept is not None:
            with suppress(ConnectionError, http.client.HTTPException):
                return self._exchange(kept, request, into)
        try:
            return self._exchange(self._open(request.url), request, into)
        except ssl.SSLCertVerificationError as error:
            raise untrusted(_origin(request.url), error, datetime.now(UTC)) from error
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(_origin(request.url), error) from error

    def close(self) -> None:
        """Close what is kept. Safe to repeat."""
        with self._lock:
            kept = [connection for idle in self._idle.values() for connection in idle]
            self._idle.clear()
        for connection in kept:
            connection.close()

    def abort(self) -> None:
        """Cut off what other threads send and receive, and send nothing more."""
        with self._lock:
            self._aborted = True
            sockets = [each.sock for each in self._busy if each.sock]
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _exchange(
        self, connection: http.client.HTTPConnection, request: Request, into: Sink | None
    ) -> Answer:
        try:
            self._begin(connection)
            _send(connection, request)
            response = connection.getresponse()
            body = b""
            if into is not None and 200 <= response.status < 300:
                _copy(response, into, _origin(request.url))
            else:
                body = response.read()
        except BaseException:
            connection.close()
            raise
        finally:
            with self._lock:
                self._busy.discard(connection)
        self._give_back(request.url, connection, closing=response.will_close)
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(status=response.status, headers=headers, body=body)

    def _begin(self, connection: http.client.HTTPConnection) -> None:
        """Connect it, and have abort() know of it."""
        if connection.sock is None:
            connection.connect()
        with self._lock:
            if self._aborted:
                raise ConnectionAbortedError("the command was interrupted")
            self._busy.add(connection)

    def _open(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, parts.port, _TIMEOUT_S, blocksize=_CHUNK)
        return http.client.HTTPSConnection(
            host, parts.port, timeout=_TIMEOUT_S, context=self._context(), blocksize=_CHUNK
        )

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = _trusting(self._ca_file)
            return self._tls

    def _take(self, url: str) -> http.client.HTTPConnection | None:
        with self._lock:
            idle = self._idle.get(_origin(url))
            return idle.pop() if idle else None

    def _give_back(
        self, url: str, connection: http.client.HTTPConnection, *, closing: bool
    ) -> None:
        if closing:
            connection.close()
            return
        with self._lock:
            self._idle.setdefault(_origin(url), []).append(connection)


class Counted:
    """A file whose bytes count as they are read or written."""

    def __init__(self, file: IO[bytes], count: Callable[[int], None]) -> None:
        self._file, self._count = file, count

    def read(self, size: int = -1) -> bytes:
        """The next bytes of the file."""
        data = self._file.read(size)
        self._count(len(data))
        return data

    def write(self, data: bytes) -> int:
        """As the file does it."""
        written = self._file.write(data)
        self._count(written)
        return written


def _send(connection: http.client.HTTPConnection, request: Request) -> None:
    target = request.url.split(_origin(request.url), 1)[1] or "/"
    headers = dict(request.headers)
    if isinstance(request.body, Path):
        headers["Content-Length"] = str(request.body.stat().st_size)
        with request.body.open("rb") as file:
            body = Counted(file, request.count)
            connection.request(request.method, target, body=body, headers=headers)
    else:
        connection.request(request.method, target, body=request.body, headers=headers)


def _copy(response: http.client.HTTPResponse, into: Sink, origin: str) -> None:
    """Raises CommandError: what has been written in part is not asked for again."""
    while chunk := _piece(response, origin):
        try:
            into.write(chunk)
        except OSError as error:
            message = f"What {origin} sends cannot be kept: {error}."
            raise CommandError("FileNotWritable", message) from error


def _piece(response: http.client.HTTPResponse, origin: str) -> bytes:
    """The next bytes; http.client takes a connection that breaks for the body's end."""
    try:
        chunk = response.read(_CHUNK)
        if not chunk and response.length:
            raise http.client.IncompleteRead(b"", response.length)
    except (OSError, http.client.HTTPException) as error:
        raise unreachable(origin, error) from error
    return chunk


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:
        raise CommandError(
            "CertificateFileNotReadable",
            f"The certificates in {ca_file} cannot be read ({error}). `lazulite env` prints the"
            " path of the server's own bundle.",
        ) from error
