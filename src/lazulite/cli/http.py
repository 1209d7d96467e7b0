"""HTTP/1.1 with kept connections, on the standard library: a command must start in a moment."""

from __future__ import annotations

import dataclasses
import http.client
import json
import logging
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from lazulite.cli.errors import CommandError

logger = logging.getLogger("cli.lazulite.http")
"""Below knack's own logger, so that --debug shows it."""
_TIMEOUT_S = 660.0  # above the longest scoring request that Azure allows
_CHUNK = 1 << 18  # bytes
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """One request; a body given as a path is streamed from that file."""

    method: str
    url: str
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes | Path | None = None


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

    def send(self, request: Request, into: IO[bytes] | None = None) -> Answer:
        """The answer, whatever its status; the body of a 2xx one goes to `into` if that is given.

        Raises CommandError if the server cannot be reached. Nothing is sent twice, but for
        requests safe to repeat that met a kept connection which the server had just closed.
        """
        began = time.monotonic()
        answer = self._answer(request, into)
        logger.debug(
            "%s %s: %d, request id %s, %.0f ms",
            request.method,
            request.url.partition("?")[0],  # what follows may be a signature
            answer.status,
            answer.headers.get("x-ms-request-id", "none"),
            (time.monotonic() - began) * 1000,
        )
        return answer

    def _answer(self, request: Request, into: IO[bytes] | None) -> Answer:
        kept = self._take(request.url) if request.method in _REPEATABLE else None
        if kept is not None:
            with suppress(ConnectionError, http.client.HTTPException):
                return self._exchange(kept, request, into)
        try:
            return self._exchange(self._open(request.url), request, into)
        except ssl.SSLCertVerificationError as error:
            raise _untrusted(request.url, error) from error
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(request.url, error) from error

    def close(self) -> None:
        """Close what is kept. Safe to repeat."""
        with self._lock:
            kept = [connection for idle in self._idle.values() for connection in idle]
            self._idle.clear()
        for connection in kept:
            connection.close()

    def _exchange(
        self, connection: http.client.HTTPConnection, request: Request, into: IO[bytes] | None
    ) -> Answer:
        try:
            _send(connection, request)
            response = connection.getresponse()
            body = b""
            if into is not None and 200 <= response.status < 300:
                _copy(response, into)
            else:
                body = response.read()
        except BaseException:
            connection.close()
            raise
        self._give_back(request.url, connection, closing=response.will_close)
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(status=response.status, headers=headers, body=body)

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


def _send(connection: http.client.HTTPConnection, request: Request) -> None:
    target = request.url.split(_origin(request.url), 1)[1] or "/"
    headers = dict(request.headers)
    if isinstance(request.body, Path):
        headers["Content-Length"] = str(request.body.stat().st_size)
        with request.body.open("rb") as file:
            connection.request(request.method, target, body=file, headers=headers)
    else:
        connection.request(request.method, target, body=request.body, headers=headers)


def _copy(response: Iterable[bytes], into: IO[bytes]) -> None:
    read = getattr(response, "read")  # noqa: B009 - typeshed hides it behind BufferedIOBase
    while chunk := read(_CHUNK):
        into.write(chunk)


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


def _untrusted(url: str, error: ssl.SSLCertVerificationError) -> CommandError:
    return CommandError(
        "CertificateNotTrusted",
        f"The certificate of {_origin(url)} is not trusted: {error.verify_message}. Set"
        " SSL_CERT_FILE to the server's CA bundle; `lazulite env` on the server prints it.",
    )


def _unreachable(url: str, error: Exception) -> CommandError:
    return CommandError(
        "ServerNotReachable",
        f"{_origin(url)} did not answer: {error or type(error).__name__}. `lazulite status` tells"
        " whether the server runs, `lazulite up` starts it.",
    )
