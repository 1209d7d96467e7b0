"""Answers that overtake a request over HTTP/2: its rest is read first, or the connection goes.

HAProxy keeps a connection to the control plane and sends somebody else's request on it next. Of a
request that came over HTTP/2 and was answered early, HAProxy 2.8 may by then have sent a part only,
and take it for the whole. Over HTTP/1 it sends all of it, behind the answer.
"""

from __future__ import annotations

import asyncio
import contextlib

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lazulite.serving.haproxy_succession import HTTP_VERSION

MOST_READ = 4 * 1024 * 1024
"""Bytes of a request that are read after its answer is known: no body of ARM is longer."""
PATIENCE_S = 5.0
"""How long they are waited for."""


class WholeRequests:
    """An app whose early answers leave no half of a request behind."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and _may_be_cut(Headers(scope=scope)):
            arrival = _Arrival(receive, send, awaits_go="expect" in Headers(scope=scope))
            await self.app(scope, arrival.receive, arrival.send)
        else:
            await self.app(scope, receive, send)


def _may_be_cut(headers: Headers) -> bool:
    has_body = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
    return has_body and headers.get(HTTP_VERSION) == "2"


class _Arrival:
    """How much of one request has come."""

    def __init__(self, receive: Receive, send: Send, *, awaits_go: bool) -> None:
        """awaits_go: reading would ask the client to send its body (Expect: 100-continue)."""
        self._receive, self._send = receive, send
        self._is_whole, self._awaits_go = False, awaits_go

    async def receive(self) -> Message:
        self._awaits_go = False
        message = await self._receive()
        if not message.get("more_body", False):  # the end, or a client that is gone
            self._is_whole = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not await self._ends():
            headers = [*message.get("headers", ()), (b"connection", b"close")]
            message = {**message, "headers": headers}
        await self._send(message)

    async def _ends(self) -> bool:
        """Read on for a while; whether all of the request has come."""
        count = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while not self._is_whole and not self._awaits_go and count <= MOST_READ:
                    count += len((await self.receive()).get("body", b""))
        return self._is_whole
