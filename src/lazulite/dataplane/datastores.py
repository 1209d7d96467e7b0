"""datastore/v1.0: the datastores of ARM, with their secrets for those who may see them.

Source: spec/REST.md 9.6, spec/CLIENTS.md 13.
"""

from __future__ import annotations

import dataclasses

from starlette.responses import JSONResponse, Response

from lazulite.arm.kind import Call, Kind
from lazulite.arm.writing import Writer
from lazulite.core.errors import ArmError
from lazulite.core.ids import WORKSPACES
from lazulite.dataplane.continuation import next_link, page
from lazulite.dataplane.datastore_form import DataStore, from_arm, to_arm
from lazulite.dataplane.refusals import not_implemented
from lazulite.dataplane.requests import Asked
from lazulite.dataplane.services import Service, ServiceRoute
from lazulite.datastores.default import default_of, make_default
from lazulite.store.resources import Json, Resource

DATASTORES = f"{WORKSPACES}/datastores"
SECRETS = "datastores/listSecrets/action"


@dataclasses.dataclass(frozen=True)
class Datastores:
    """The datastore operations. What is written here is an ARM datastore, and the other way."""

    writer: Writer

    def service(self) -> Service:
        """datastore/v1.0."""
        read, write, delete = (f"datastores/{verb}" for verb in ("read", "write", "delete"))
        return Service(
            name="datastore",
            version="v1.0",
            routes=(
                ServiceRoute("GET", "datastores", read, self.all),
                ServiceRoute("POST", "datastores", write, self.create, DataStore),
                ServiceRoute("DELETE", "datastores", delete, _not_all),
                ServiceRoute("GET", "datastores/{name}", read, self.get),
                ServiceRoute("PUT", "datastores/{name}", write, self.update, DataStore),
                ServiceRoute("DELETE", "datastores/{name}", delete, self.delete),
                ServiceRoute("GET", "default", read, self.default),
                ServiceRoute("PUT", "default/{name}", write, self.make_default),
            ),
        )

    async def all(self, asked: Asked) -> Response:
        """All datastores, or those that dataStoreNames lists; secrets if includeSecret=true."""
        wanted = {
            name.strip().lower()
            for given in asked.http.query_params.getlist("dataStoreNames")
            for name in given.split(",")
        }
        rows = await self._rows(asked)
        shown = page(
            [row for row in rows if not wanted or row.name.lower() in wanted],
            lambda row: row.key,
            token=asked.query.get("continuationtoken"),
            size=asked.query.get("count"),
        )
        secret = asked.says("includesecret")
        body = {
            "value": [await self._show(asked, row, secret=secret) for row in shown.items],
            "continuationToken": shown.token,
            "nextLink": next_link(asked, "continuationToken", shown.token),
        }
        return JSONResponse(body)

    async def get(self, asked: Asked) -> Response:
        """One datastore. Raises ArmError 404."""
        return JSONResponse(await self._show(asked, await self._found(asked), secret=True))

    async def create(self, asked: Asked) -> Response:
        """Make one. If it is there: 409, or nothing happens with createIfNotExists=true."""
        store = await asked.model(DataStore)
        if not store.name:
            raise ArmError("ValidationError", "The datastore has no name.", target="name")
        if await self._find(asked, store.name) is not None:
            if asked.says("createifnotexists"):
                return Response(status_code=200)
            message = f"There is a datastore {store.name!r} already: update it with PUT."
            raise ArmError("Conflict", message, 409, target="name")
        return await self._write(asked, store.name, store)

    async def update(self, asked: Asked) -> Response:
        """Change one; make it with createIfNotExists=true. Raises ArmError 404."""
        store = await asked.model(DataStore)
        if not asked.says("createifnotexists"):
            await self._found(asked)
        return await self._write(asked, asked.names["name"], store)

    async def delete(self, asked: Asked) -> Response:
        """200; 204 if there is none. What is stored there stays."""
        row = await self._find(asked, asked.names["name"])
        if row is None:
            return Response(status_code=204)
        await self.writer.delete(self._kind, row, asked.caller.object_id)
        return Response(status_code=200)

    async def default(self, asked: Asked) -> Response:
        """The datastore that is used where none is named. Raises ArmError 404."""
        row = await default_of(self.writer.resources, asked.workspace.id)
        if row is None:
            message = f"The workspace {asked.workspace.name!r} has no default datastore."
            raise ArmError("DatastoreNotFound", message, 404)
        return JSONResponse(await self._show(asked, row, secret=True))

    async def make_default(self, asked: Asked) -> Response:
        """Make another one the default, with one write."""
        chosen = await self._found(asked)
        await make_default(self.writer.resources, chosen, asked.caller.object_id)
        return Response(status_code=200)

    @property
    def _kind(self) -> Kind:
        return self.writer.kind(DATASTORES)

    async def _write(self, asked: Asked, name: str, store: DataStore) -> Response:
        properties, actor = to_arm(store), asked.caller.object_id
        proposal = await self.writer.propose(
            self._kind, asked.workspace.id, name, properties, actor
        )
        await self.writer.put(self._kind, dataclasses.replace(proposal, query=asked.query))
        return Response(status_code=200)

    async def _show(self, asked: Asked, row: Resource, *, secret: bool) -> Json:
        shown = {**row.properties, **await self._kind.show(row, asked.base)}
        return from_arm(row, shown, await self._secret(asked, row) if secret else {})

    async def _secret(self, asked: Asked, row: Resource) -> Json:
        """What opens it; nothing for callers who may not see it, or if there is nothing."""
        if not asked.may(SECRETS) or not row.secrets:
            return {}
        actor = asked.caller.object_id
        call = Call(id=row.id, existing=row, body={}, query={}, base=asked.base, actor=actor)
        answer = await self._kind.actions["listSecrets"].perform(call)
        return answer.body or {}

    async def _rows(self, asked: Asked) -> list[Resource]:
        return await self.writer.resources.children(asked.workspace.id, DATASTORES)

    async def _found(self, asked: Asked) -> Resource:
        row = await self._find(asked, asked.names["name"])
        if row is None:
            message = f"There is no datastore {asked.names['name']!r} in the workspace."
            raise ArmError("DatastoreNotFound", message, 404)
        return row

    async def _find(self, asked: Asked, name: str) -> Resource | None:
        return await self.writer.resources.find(f"{asked.workspace.id}/datastores/{name}")


async def _not_all(asked: Asked) -> Response:
    raise not_implemented("Deleting all datastores at once", "delete them by name.")
