"""The keys that sign access tokens: shown, and rotated. An addition of this server's own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazulite.core.clock import Clock
from lazulite.graph.service import Operation
from lazulite.graph.views import Json, moment
from lazulite.identity.signing import SigningKey
from lazulite.identity.signing_keys import SigningKeys


class SigningKeyRoutes:
    """Answers at /tokenSigningKeys."""

    def __init__(self, keys: SigningKeys, clock: Clock) -> None:
        self._keys, self._clock = keys, clock

    def operations(self) -> Iterator[Operation]:
        """All of them."""
        path = "/tokenSigningKeys"
        yield Operation("GET", path, "tokenSigningKeys/read", self._list)
        yield Operation("POST", path, "tokenSigningKeys/write", self._rotate)

    async def _list(self, http: Request) -> Response:
        return JSONResponse({"value": self._views()})

    async def _rotate(self, http: Request) -> Response:
        """Make a new key, which signs from now on; each call makes another one."""
        new = await asyncio.to_thread(SigningKey.generate)
        self._keys.rotate(new, self._clock())
        return JSONResponse({"value": self._views()}, 201)

    def _views(self) -> list[Json]:
        retired = self._keys.retired(self._clock())
        return [
            _view(self._keys.current.kid, None),
            *(_view(each.key.kid, each.until) for each in retired),
        ]


def _view(kid: str, until: datetime | None) -> Json:
    """until: when a retired key vanishes."""
    return {"kid": kid, "signs": until is None, "endDateTime": moment(until) if until else None}
