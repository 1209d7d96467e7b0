"""Azure Monitor below resources: {resource}/providers/microsoft.insights/metrics and its like.

They stand under any resource, so they are no kinds. Every path here names its action, and nothing
is told before the guard has been asked for it. Source: Azure's REST reference, Monitor (metrics
2018-01-01 to 2024-02-01; logs 2018-08-01).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazulite.arm.errors import not_allowed, not_found
from lazulite.arm.requests import json_body
from lazulite.arm.turns import Turns
from lazulite.arm.versions import check_version
from lazulite.core.clock import Clock
from lazulite.core.errors import ArmError
from lazulite.core.ids import WORKSPACES, parse_path
from lazulite.identity.authorize import Guard
from lazulite.identity.tokens import Audience
from lazulite.store.resources import Json, Resource, Resources
from lazulite.telemetry import logs, metric_answers
from lazulite.telemetry.questions import Questions, encoded
from lazulite.telemetry.spans import Span, parse_span

PROVIDER = "Microsoft.Insights"
OLDEST = "2015-01-01"
LOGS_READ = f"{PROVIDER}/logs/read"
_PATH = re.compile(
    r"(?P<scope>/.+)/providers/microsoft\.insights"
    r"/(?P<what>metrics|metricdefinitions|metricnamespaces|logs)/?",
    re.IGNORECASE,
)
_DAY = timedelta(days=1)

Handler = Callable[[Request], Awaitable[Response]]
Answering = Callable[[Request, Resource], Awaitable[Response]]


@dataclasses.dataclass(frozen=True)
class Document:
    """What a path answers, and the action that its caller must be allowed at the resource."""

    name: str
    action: str
    methods: tuple[str, ...]
    answer: Answering


class Insights:
    """Answers about what was observed of a resource."""

    def __init__(
        self,
        questions: Questions,
        resources: Resources,
        guard: Guard,
        turns: Turns,
        clock: Clock,
    ) -> None:
        """clock: spans that say no end, end now."""
        self._questions, self._resources, self._guard = questions, resources, guard
        self._turns, self._clock = turns, clock
        read = "{}/{}/read"
        self.documents = {
            one.name.lower(): one
            for one in (
                Document("metrics", read.format(PROVIDER, "metrics"), ("GET",), self._metrics),
                Document(
                    "metricDefinitions",
                    read.format(PROVIDER, "metricDefinitions"),
                    ("GET",),
                    self._definitions,
                ),
                Document(
                    "metricNamespaces",
                    read.format(PROVIDER, "metricNamespaces"),
                    ("GET",),
                    self._namespaces,
                ),
                Document("logs", LOGS_READ, ("GET", "POST"), self._logs),
            )
        }

    def owns(self, path: str) -> bool:
        """Whether a path is one of these."""
        return _PATH.fullmatch(path) is not None

    def before(self, others: Handler) -> Handler:
        """Answers these, and passes all others on."""

        async def handle(http: Request) -> Response:
            return await (self.handle if self.owns(http.scope["path"]) else others)(http)

        return handle

    async def handle(self, http: Request) -> Response:
        """Answer one request. Raises ArmError."""
        match = _PATH.fullmatch(http.scope["path"])
        if match is None:
            raise ArmError("NotFound", f"There is nothing at {http.scope['path']!r}.", 404)
        document = self.documents[match["what"].lower()]
        scope = match["scope"]
        headers = http.headers
        caller = await self._guard.require(headers, document.action, scope, Audience.MANAGEMENT)
        with self._turns.one_of(caller.object_id):
            version = next((v for k, v in http.query_params.items() if k.lower() == API), None)
            check_version(version, f"{PROVIDER}/{document.name}", OLDEST)
            if http.method not in document.methods:
                raise not_allowed(http.method, http.scope["path"], document.methods)
            return await document.answer(http, await self._resource(scope))

    async def query_workspace(self, http: Request) -> Response:
        """Log Analytics' own route: POST or GET /v1/workspaces/{id or name}/query."""
        caller = await self._guard.authenticate(http.headers, TOKENS)
        with self._turns.one_of(caller.object_id):
            return await self._logs(http, await self._workspace(http))

    async def _workspace(self, http: Request) -> Resource:
        """The one that the path names, whose logs the caller may read. Raises ArmError."""
        name = http.path_params["workspace"]
        for row in await self._resources.of_type(WORKSPACES):
            if name.casefold() in {row.name.casefold(), row.uid, _dashed(row.uid)}:
                await self._guard.require(http.headers, LOGS_READ, row.id, TOKENS)
                return row
        message = f"There is no workspace of the name or id {name!r}."
        raise ArmError("WorkspaceNotFoundError", message, 404)

    async def _resource(self, scope: str) -> Resource:
        found = await self._resources.find(scope)
        if found is None:
            address = parse_path(scope)
            raise not_found(f"{address.provider}/{address.resource_type}", scope)
        return found

    async def _metrics(self, http: Request, resource: Resource) -> Response:
        query, now = _query(http), self._clock()
        return await self._questions.answer(
            lambda reader: encoded(metric_answers.values(reader, resource, query, now))
        )

    async def _definitions(self, http: Request, resource: Resource) -> Response:
        return JSONResponse(metric_answers.definitions(resource))

    async def _namespaces(self, http: Request, resource: Resource) -> Response:
        return JSONResponse(metric_answers.namespaces(resource))

    async def _logs(self, http: Request, resource: Resource) -> Response:
        asked: Json = _query(http)
        if http.method == "POST":
            body = await json_body(http)
            asked |= (
                {key.lower(): value for key, value in body.items()}
                if (isinstance(body, dict))
                else {}
            )
        query = asked.get("query")
        if not isinstance(query, str) or not query.strip():
            message = "The request has no query, such as AmlOnlineEndpointTrafficLog | take 10."
            raise ArmError("BadArgumentError", message, target="query")
        now = self._clock()
        said = str(asked.get("timespan") or "")
        span: Span | None = parse_span(said, now, _DAY) if said else None
        return await self._questions.answer(
            lambda reader: encoded(logs.ask(reader, query, resource.id, span, now))
        )


API = "api-version"
TOKENS = Audience.MANAGEMENT | Audience.ML


def _query(http: Request) -> Json:
    return {key.lower(): value for key, value in http.query_params.items()}


def _dashed(uid: str) -> str:
    return f"{uid[:8]}-{uid[8:12]}-{uid[12:16]}-{uid[16:20]}-{uid[20:]}"
