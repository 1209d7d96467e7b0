"""A container engine of this machine: Docker's HTTP API over its Unix socket, or Podman's.

A dozen requests of the API are all that is needed, and they are made in the small processes that
hold containers: the engine's own Python package would cost each of them 40 MB.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any
from urllib.parse import quote, urlencode

ANSWER_S = 60.0
"""For one answer, or between two lines of one that goes on."""
GONE = 404
MALFORMED = 400
"""Of a name that nothing can have."""
MOST_READ = 64 << 10
"""Bytes of a container's output that are read for an answer."""
_STREAM_HEAD = 8
"""Bytes before each piece of a container's output: which stream, and how long."""


class EngineError(Exception):
    """The engine does not answer, or refuses; the message says why, for a person."""

    def __init__(self, message: str, status: int = 0) -> None:
        """status: of HTTP; 0 if there was no answer."""
        super().__init__(message)
        self.status = status


class Engine:
    """One engine. Every call may raise EngineError."""

    def __init__(self, path: str) -> None:
        """path: of its socket."""
        self.path = path

    def info(self) -> dict[str, Any]:
        """What it says of itself."""
        return dict(self._json("GET", "/info"))

    def networks(self) -> set[str]:
        """The names of its networks."""
        return {str(network["Name"]) for network in self._json("GET", "/networks")}

    def image(self, reference: str) -> dict[str, Any] | None:
        """What it knows of an image; None if it does not have it."""
        return self._found(f"/images/{quote(reference, safe='/:@')}/json")

    def images(self, label: str) -> list[str]:
        """The names, with their tags, of all images that carry this label."""
        query = urlencode({"filters": json.dumps({"label": [label]})})
        found = self._json("GET", f"/images/json?{query}")
        return [str(name) for image in found for name in image.get("RepoTags") or ()]

    def remove_image(self, reference: str) -> None:
        """Take the name from an image, and the image if it was the last. Not if it is in use."""
        self._quietly("DELETE", f"/images/{quote(reference, safe='/:@')}")

    def pull(self, reference: str) -> Iterator[dict[str, Any]]:
        """Fetch an image; says how far it is."""
        name, tag = _name_and_tag(reference)
        query = urlencode({"fromImage": name, "tag": tag})
        return self._lines("POST", f"/images/create?{query}")

    def build(self, context: IO[bytes], query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Build an image of a context, a tar file; says what its Dockerfile says."""
        headers = {"Content-Type": "application/x-tar"}
        return self._lines("POST", f"/build?{urlencode(query)}", context, headers)

    def create(self, configuration: Mapping[str, Any]) -> str:
        """Make a container; its id."""
        return str(self._json("POST", "/containers/create", configuration)["Id"])

    def attach(self, container: str) -> Output:
        """What it writes, from its start on if it has not started yet."""
        query = urlencode({"stream": 1, "stdout": 1, "stderr": 1})
        return Output(*self._send("POST", f"/containers/{container}/attach?{query}"))

    def start(self, container: str) -> None:
        """Start it."""
        self._json("POST", f"/containers/{container}/start")

    def inspect(self, container: str) -> dict[str, Any] | None:
        """What it knows of a container; None if it is gone."""
        return self._found(f"/containers/{container}/json")

    def remove(self, container: str) -> None:
        """Kill and remove it. Not an error if it is gone or going."""
        self._quietly("DELETE", f"/containers/{container}?force=true&v=true")

    def containers(self, labels: Iterable[str]) -> list[dict[str, Any]]:
        """All that carry these labels, running or not."""
        filters = json.dumps({"label": list(labels)})
        query = urlencode({"all": "true", "filters": filters})
        return list(self._json("GET", f"/containers/json?{query}"))

    def _found(self, path: str) -> dict[str, Any] | None:
        try:
            return dict(self._json("GET", path))
        except EngineError as error:
            if error.status == GONE:
                return None
            raise

    def _quietly(self, method: str, path: str) -> None:
        try:
            self._json(method, path)
        except EngineError as error:
            if error.status not in {GONE, 409}:  # 409: it is being removed, or has ended
                raise

    def _json(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        connection, response = self._send(method, path, data, headers)
        try:
            return json.loads(response.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EngineError(f"the container engine broke off: {error!r}") from error
        finally:
            connection.close()

    def _lines(
        self,
        method: str,
        path: str,
        body: IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """An answer of JSON lines. An error among them is raised."""
        connection, response = self._send(method, path, body, headers)
        try:
            for line in response:
                if message := line.strip():
                    yield _unless_error(json.loads(message))
        except OSError as error:
            raise EngineError(f"the container engine broke off: {error}") from error
        finally:
            connection.close()

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[_Connection, http.client.HTTPResponse]:
        connection = _Connection(self.path)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise EngineError(f"no container engine answers at {self.path}: {error}") from error
        if response.status >= 400:
            message = _reason(response.read())
            connection.close()
            raise EngineError(message, response.status)
        return connection, response


class Output:
    """The output of a container, as it comes."""

    def __init__(self, connection: _Connection, response: http.client.HTTPResponse) -> None:
        self._connection, self._response = connection, response

    def read(self) -> str:
        """Its beginning: waits until the container ends, or has said that much."""
        found = b""
        for piece in self.pieces():
            found += piece
            if len(found) >= MOST_READ:
                break
        return found[:MOST_READ].decode(errors="replace")

    def pieces(self) -> Iterator[bytes]:
        """It, as it comes, until the container ends; however long that takes."""
        self._connection.stream.settimeout(None)
        while len(head := self._response.read(_STREAM_HEAD)) == _STREAM_HEAD:
            yield self._response.read(int.from_bytes(head[4:], "big"))

    def close(self) -> None:
        """Listen no longer."""
        self._response.close()
        self._connection.close()


def find_engine(env: Mapping[str, str]) -> str | None:
    """The socket of this machine's engine; None if nothing accepts connections at one.

    DOCKER_HOST names it; otherwise it is looked for where Docker and Podman put it. Engines of
    other machines (tcp:, ssh:) are none: folders of this one could not be mounted there.
    """
    given = env.get("DOCKER_HOST", "")
    if given:
        places = [given.removeprefix("unix://")] if given.startswith("unix://") else []
    else:
        runtime = env.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
        places = ["/var/run/docker.sock", f"{runtime}/docker.sock"]
        places += ["/run/podman/podman.sock", f"{runtime}/podman/podman.sock"]
    return next((place for place in places if _is_listening(place)), None)


def _is_listening(place: str) -> bool:
    """Whether this user can connect: the file of an engine that was killed is no engine."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(ANSWER_S)
        try:
            probe.connect(place)
        except OSError:
            return False
    return True


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ANSWER_S)
        self._path = path

    def connect(self) -> None:
        self.stream = self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _name_and_tag(reference: str) -> tuple[str, str]:
    """An image's name and its tag or digest; a port is no tag."""
    if "@" in reference:
        name, _, digest = reference.partition("@")
        return name, digest
    head, colon, tag = reference.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (reference, "latest")


def _reason(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:500]


def _unless_error(message: dict[str, Any]) -> dict[str, Any]:
    if "error" in message:
        raise EngineError(str(message["error"]))
    return message
