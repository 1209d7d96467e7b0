"""The resources of one workspace over ARM's REST API.

A path is what follows the workspace's id, such as "onlineEndpoints/e/deployments/d".
"""

from __future__ import annotations

import dataclasses
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urljoin

from lazulite.cli.connection import Connection
from lazulite.cli.errors import NOT_FOUND, CommandError, from_body
from lazulite.cli.http import Answer, Http, Request
from lazulite.cli.remedies import refused
from lazulite.cli.report import Report
from lazulite.cli.tokens import Tokens

API_VERSION = "2021-10-01"
DATA_API_VERSION = "2022-05-01"
"""2021-10-01 has no data assets. Source: spec/REST.md 2.1."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workspace:
    """One workspace of one server, as one service principal."""

    connection: Connection
    http: Http
    tokens: Tokens
    report: Report
    sleep: Callable[[float], None]
    """Waits that many seconds."""
    make_id: Callable[[], str]
    """A new random id, for requests that the server must not act on twice."""
    is_rehearsal: bool = False
    """Whether nothing is uploaded and no asset is registered: only their ids are found out."""

    @classmethod
    def over(cls, connection: Connection, report: Report) -> Workspace:
        """The workspace of a connection, over a client of its own, which the caller closes."""
        http = Http(connection.ca_file)
        return cls(
            connection=connection,
            http=http,
            tokens=Tokens(connection, http, time.time),
            report=report,
            sleep=time.sleep,
            make_id=lambda: str(uuid.uuid4()),
        )

    def rehearsal(self) -> Workspace:
        """The same workspace for finding out what would be registered. It says nothing."""
        return dataclasses.replace(self, is_rehearsal=True, report=Report(quiet=True))

    def id(self, path: str) -> str:
        """The ARM id of a resource of this workspace."""
        return f"{self.connection.workspace_id}/{path}"

    def location(self) -> str:
        """The workspace's region, which bodies of tracked resources must repeat."""
        return str(self.get("").get("location") or "local")

    def get(self, path: str, version: str = API_VERSION) -> dict[str, Any]:
        """The resource. Raises CommandError, with exit code 3 if there is none."""
        return _mapping(self.arm("GET", path, version=version))

    def find(self, path: str, version: str = API_VERSION) -> dict[str, Any] | None:
        """The resource; None if there is none."""
        try:
            return self.get(path, version)
        except CommandError as error:
            if error.exit_code == NOT_FOUND:
                return None
            raise

    def list(self, path: str, version: str = API_VERSION, **query: str) -> Iterator[dict[str, Any]]:
        """All resources of a collection, page after page."""
        page = _mapping(self.arm("GET", path, version=version, query=query))
        while True:
            yield from page.get("value") or ()
            following = page.get("nextLink")
            if not following:
                return
            page = _mapping(self.call("GET", self.absolute(following)))

    def put(self, path: str, body: Mapping[str, Any], version: str = API_VERSION) -> dict[str, Any]:
        """Create or replace a resource that needs no waiting, such as an asset version.

        In a rehearsal: what would be there.
        """
        if self.is_rehearsal:
            return {**body, "id": self.id(path), "name": path.rpartition("/")[2]}
        return _mapping(self.arm("PUT", path, body, version=version))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What an action answers."""
        return self.arm("POST", path, body).value()

    def arm(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        version: str = API_VERSION,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to a request on a path of the workspace. Raises CommandError if not 2xx."""
        separator = "/" if path else ""
        resource = quote(f"{self.connection.workspace_id}{separator}{path}")
        asked = urlencode({"api-version": version, **(query or {})})
        return self.call(method, f"{self.connection.url}{resource}?{asked}", body)

    def call(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        scope: str | None = None,
    ) -> Answer:
        """The answer to a request with a token for the scope (default: management).

        A kept token that the server no longer takes, as its keys are new, is renewed once.
        Raises CommandError if the answer is not 2xx.
        """
        scope = scope or self.tokens.management
        answer = self._send(method, url, body, headers, self.tokens.get(scope))
        if answer.status == 401:
            answer = self._send(method, url, body, headers, self.tokens.renew(scope))
        if not answer.is_success:
            asked = f"{method} {url.split('?')[0]}"
            error = from_body(answer.value(), status=answer.status, asked=asked)
            raise refused(error, self.connection.client_id)
        return answer

    def absolute(self, url: str) -> str:
        """The URL; one without a host is taken as this server's."""
        return urljoin(self.connection.url, url)

    def _send(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        token: str,
    ) -> Answer:
        sent = {"Authorization": f"Bearer {token}", "Accept": "application/json", **(headers or {})}
        data = b"" if method == "POST" else None
        if body is not None:
            sent["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        return self.http.send(Request(method=method, url=url, headers=sent, body=data))


def _mapping(answer: Answer) -> dict[str, Any]:
    value = answer.value()
    return value if isinstance(value, dict) else {}
