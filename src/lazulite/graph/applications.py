"""Applications and their secrets. Source: Graph v1.0, application: list, post, addPassword, ..."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazulite.core.clock import Clock
from lazulite.graph.bodies import display_name, needed, read_object, read_secret
from lazulite.graph.errors import bad, missing
from lazulite.graph.filters import chosen_by
from lazulite.graph.service import Operation
from lazulite.graph.views import Json, application_view, secret_view
from lazulite.identity.applications import (
    DEVICE,
    Application,
    Applications,
    SecretHasher,
    hashed_secret,
    new_application,
    new_secret,
)
from lazulite.identity.principals import Principals


class ApplicationRoutes:
    """Answers below /applications."""

    def __init__(
        self,
        applications: Applications,
        principals: Principals,
        hasher: SecretHasher,
        clock: Clock,
    ) -> None:
        self._applications, self._principals = applications, principals
        self._hasher, self._clock = hasher, clock

    def operations(self) -> Iterator[Operation]:
        """All of them."""
        one, write = "/applications/{id}", "applications/write"
        yield Operation("GET", "/applications", "applications/read", self._list)
        yield Operation("POST", "/applications", write, self._create)
        yield Operation("GET", one, "applications/read", self._show)
        yield Operation("PATCH", one, write, self._rename)
        yield Operation("DELETE", one, "applications/delete", self._delete)
        yield Operation("POST", f"{one}/addPassword", write, self._add_password)
        yield Operation("POST", f"{one}/removePassword", write, self._remove_password)

    async def _list(self, http: Request) -> Response:
        chosen = chosen_by(http.query_params.get("$filter", ""))
        views = [await self._view(each) for each in await self._applications.all()]
        return JSONResponse({"value": [view for view in views if chosen(view)]})

    async def _create(self, http: Request) -> Response:
        name = display_name(await read_object(http))
        made = new_application(name, self._clock())
        await self._applications.add(made)
        return JSONResponse(await self._view(made), 201)

    async def _show(self, http: Request) -> Response:
        return JSONResponse(await self._view(await self._found(http)))

    async def _rename(self, http: Request) -> Response:
        """Only the name changes; other properties that az sends along are left alone."""
        found, body = await self._found(http), await read_object(http)
        if "displayname" in body:
            await self._applications.rename(found.client_id, display_name(body))
        return Response(status_code=204)

    async def _delete(self, http: Request) -> Response:
        found = await self._found(http)
        await self._principals.remove_application(found.client_id)
        return Response(status_code=204)

    async def _add_password(self, http: Request) -> Response:
        """The one answer that shows the secret."""
        found, now = await self._found(http), self._clock()
        asked = read_secret(await read_object(http), now)
        if asked.display_name == DEVICE:
            raise bad(f"The display name {DEVICE!r} is for secrets of device codes: take another.")
        text = new_secret()
        secret_hash = await asyncio.to_thread(self._hasher.hash, text)
        lasts = (asked.starts_at, asked.ends_at)
        made = hashed_secret(found.client_id, text, secret_hash, lasts, asked.display_name)
        await self._applications.add_secret(made, now)
        return JSONResponse(secret_view(made, text), headers={"Cache-Control": "no-store"})

    async def _remove_password(self, http: Request) -> Response:
        found = await self._found(http)
        key_id = needed(await read_object(http), "keyId")
        if not await self._applications.remove_secret(found.client_id, key_id):
            raise bad(f"No password credential found with keyId {key_id}.")
        return Response(status_code=204)

    async def _found(self, http: Request) -> Application:
        wanted = http.path_params["id"].lower()
        for each in await self._applications.all():
            if each.object_id == wanted:
                return each
        raise missing(wanted)

    async def _view(self, application: Application) -> Json:
        return application_view(
            application, await self._applications.secrets(application.client_id)
        )
