"""Telemetry as the server has it: the store, who fills it, and who answers from it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lazulite.app.chores import Chore
from lazulite.app.upkeep import kept_telemetry
from lazulite.core.clock import utc_now
from lazulite.core.settings import Settings
from lazulite.dataplane.telemetry_logs import TelemetryLogs
from lazulite.deployments.autoscaling import EVERY_S as AUTOSCALE_S
from lazulite.deployments.autoscaling import Autoscaling
from lazulite.identity.authorize import Guard
from lazulite.serving.kept_logs import KeptLogs
from lazulite.telemetry.alerts import EVERY_S as ALERTS_S
from lazulite.telemetry.alerts import Alerts
from lazulite.telemetry.collector import EVERY_S, Collector
from lazulite.telemetry.insights import PROVIDER, TOKENS, Insights
from lazulite.telemetry.prometheus import MEDIA_TYPE, page
from lazulite.telemetry.questions import Questions
from lazulite.telemetry.retention import tidy
from lazulite.telemetry.store import TelemetryStore

log = logging.getLogger(__name__)

TIDY_S = 60.0
HERE = re.compile(rb"(?:localhost|127\.0\.0\.1)(?::\d+)?")
_PATIENCE_S = 5.0


@dataclasses.dataclass(frozen=True)
class Telemetry:
    """close() it once its chores have ended."""

    store: TelemetryStore
    questions: Questions
    collector: Collector
    alerts: Alerts
    autoscaling: Autoscaling
    insights: Insights
    kept_logs: KeptLogs
    settings: Settings

    @property
    def logs(self) -> TelemetryLogs:
        """Answers for the log tables."""
        return TelemetryLogs(self.questions, utc_now)

    def close(self) -> None:
        """Close the file, once nobody reads it."""
        self.questions.close()
        self.store.close()

    def routes(self, guard: Guard, subscription: str) -> list[Route]:
        """What stands alone: /metrics and Log Analytics' query. subscription: the server's own."""
        action, scope = f"{PROVIDER}/metrics/read", f"/subscriptions/{subscription}"

        async def metrics(http: Request) -> Response:
            await guard.require(http.headers, action, scope, TOKENS)
            return Response(page(self.collector.counters), media_type=MEDIA_TYPE)

        query = "/v1/workspaces/{workspace}/query"
        return [
            Route("/metrics", metrics),
            Route(query, self.insights.query_workspace, methods=["GET", "POST"]),
        ]

    def chores(self) -> tuple[Chore, ...]:
        """What is done again and again while the server runs."""
        return (
            Chore(EVERY_S, self.collector.look, "telemetry could not be collected"),
            Chore(ALERTS_S, self.alerts.look, "alert rules could not be judged"),
            Chore(AUTOSCALE_S, self.autoscaling.look, "autoscale settings could not be judged"),
            Chore(TIDY_S, self._tidy, "old telemetry could not be removed"),
        )

    async def _tidy(self) -> None:
        keep = kept_telemetry(self.settings)
        await asyncio.to_thread(tidy, self.store, keep, utc_now())
        if keep.logs is not None:
            await asyncio.to_thread(self.kept_logs.drop, (utc_now() - keep.logs).timestamp())

    async def serve_metrics(self, stop: asyncio.Event) -> None:
        """Answer /metrics to this machine without a token, if the settings name a port."""
        if not self.settings.metrics_port:
            return
        try:
            server = await asyncio.start_server(
                self._answer, "127.0.0.1", self.settings.metrics_port
            )
        except OSError:
            log.exception("metrics_port cannot be listened on")
            return
        async with server:
            await stop.wait()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request. A page of another site that a browser on this machine shows gets nothing."""
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            async with asyncio.timeout(_PATIENCE_S):
                line = await reader.readline()
                hosts = []
                while header := (await reader.readline()).strip():
                    if header.lower().startswith(b"host:"):
                        hosts.append(header[5:].strip().lower())
                is_ours = len(hosts) == 1 and HERE.fullmatch(hosts[0]) is not None
                found = is_ours and line.split()[:2] == [b"GET", b"/metrics"]
                body = page(self.collector.counters).encode() if found else b""
                status = b"200 OK" if found else b"404 Not Found"
                head = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n" % (
                    status,
                    MEDIA_TYPE.encode(),
                    len(body),
                )
                writer.write(head + b"Connection: close\r\n\r\n" + body)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()
