"""A client that costs little: prepared requests on kept sockets, answers read by their length."""

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from lazulite.blobs.signatures import Grant, sign_account

PIECE = 1 << 18  # bytes per read


class Wire:
    """One kept connection to an account, authorised by a SAS."""

    def __init__(self, url: str, key: bytes) -> None:
        parts = urlsplit(url)
        self._base, self._host = parts.path.rstrip("/"), parts.netloc
        account = self._base.rsplit("/", 1)[-1].partition(".")[0]
        ends = datetime.now(UTC) + timedelta(days=1)
        self._sas = sign_account(account, key, Grant("rwdlac", ends))
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=600)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(PIECE)

    def send(
        self, method: str, path: str, body: bytes = b"", times: int = 1, **headers: str
    ) -> int:
        """The size of the answer's body; its status must be 2xx. times: the body is repeated."""
        join = "&" if "?" in path else "?"
        lines = [f"{method} {self._base}/{path}{join}{self._sas} HTTP/1.1", f"Host: {self._host}"]
        given = {"x-ms-version": "2023-11-03", "Content-Length": str(len(body) * times), **headers}
        lines += [f"{name}: {value}" for name, value in given.items()]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        for _ in range(times - 1):
            self._socket.sendall(body)
        return self._answer()

    def put(self, name: str, body: bytes, times: int = 1) -> None:
        """Put Blob."""
        self.send("PUT", name, body, times, **{"x-ms-blob-type": "BlockBlob"})

    def close(self) -> None:
        self._socket.close()

    def _answer(self) -> int:
        head = b""
        while b"\r\n\r\n" not in head:
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionError("the server closed the connection")
            head += more
        head, _, rest = head.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        length = next(
            (int(x.split(":")[1]) for x in lines if x.lower().startswith("content-length")), None
        )
        left = (length if length is not None else self._chunked(lines, rest)) - len(rest)
        rest = bytes(rest)
        while left > 0:
            left -= self._socket.recv_into(self._buffer, min(PIECE, left))
        if not status.split(" ")[1].startswith("2"):
            raise RuntimeError(f"{status} {rest[:400]!r}")
        return length or 0

    def _chunked(self, lines: list[str], rest: bytes) -> int:
        """The bytes of a short chunked body, which is read whole."""
        if not any("chunked" in line.lower() for line in lines):
            return len(rest)
        while not rest.endswith(b"0\r\n\r\n"):
            rest += self._socket.recv(65536)
        return 0


def spread(url: str, key: bytes, work, items: list, parallel: int) -> None:
    """work(wire, item) for all items, on that many connections."""

    def lane(number: int) -> None:
        wire = Wire(url, key)
        for item in items[number::parallel]:
            work(wire, item)
        wire.close()

    with ThreadPoolExecutor(parallel) as pool:
        list(pool.map(lane, range(parallel)))
