"""modelmanagement/v1.0, assets: names for uploaded artifacts, which models are registered from.

azureml-core uploads files as artifacts, makes an asset of their common prefix, and registers a
model whose url is aml://asset/{id}. Source: spec/REST.md 9.4.
"""

from __future__ import annotations

import dataclasses
import uuid

from pydantic import Field
from starlette.responses import JSONResponse, Response

from lazulite.arm.envelope import timestamp
from lazulite.arm.kind import READ_ONLY, Kind, Properties
from lazulite.arm.writing import Writer
from lazulite.core.errors import ArmError
from lazulite.core.ids import WORKSPACES
from lazulite.dataplane.continuation import next_link, page
from lazulite.dataplane.requests import Asked
from lazulite.dataplane.services import ServiceRoute
from lazulite.dataplane.tag_filters import has_tags
from lazulite.store.resources import Json, Resource

ASSETS = f"{WORKSPACES}/assets"


class ArtifactDetails(Properties):
    """One artifact by its id, or all below a prefix: "origin/container/path"."""

    id: str | None = None
    prefix: str | None = None


class Asset(Properties):
    """An asset; its id and time are for the service to choose."""

    name: str
    description: str | None = None
    artifacts: list[ArtifactDetails] = Field(default_factory=list)
    kv_tags: dict[str, str | None] = Field(default_factory=dict)
    properties: dict[str, str | None] = Field(default_factory=dict)
    runid: str | None = None
    meta: dict[str, str | None] = Field(default_factory=dict)


ASSET = Kind(resource_type="workspaces/assets", properties=Asset, verbs=READ_ONLY, has_state=False)
"""ARM does not write these; as a kind they go when their workspace goes."""


@dataclasses.dataclass(frozen=True)
class Assets:
    """The asset operations; models/... permissions, as Azure has none of their own."""

    writer: Writer

    def routes(self) -> tuple[ServiceRoute, ...]:
        """assets, and assets/{id}."""
        return (
            ServiceRoute("GET", "assets", "models/read", self.list),
            ServiceRoute("POST", "assets", "models/write", self.create, Asset),
            ServiceRoute("GET", "assets/{id}", "models/read", self.get),
            ServiceRoute("DELETE", "assets/{id}", "models/delete", self.delete),
        )

    async def list(self, asked: Asked) -> Response:
        """Assets by name, runId, tags and properties."""
        rows = await self.writer.resources.children(asked.workspace.id, ASSETS)
        shown = page(
            [row for row in rows if _passes(row, asked)],
            lambda row: f"{timestamp(row.created_at)} {row.key}",
            token=asked.query.get("$skiptoken"),
            size=asked.query.get("count"),
            descending=True,
        )
        link = next_link(asked, "$skipToken", shown.token)
        return JSONResponse({"value": [_show(row) for row in shown.items], "nextLink": link})

    async def create(self, asked: Asked) -> Response:
        """Make an asset; sent again, it makes another one."""
        asset = await asked.model(Asset)
        if any(not (part.id or part.prefix) for part in asset.artifacts):
            message = "Each artifact of an asset needs an id or a prefix."
            raise ArmError("ValidationError", message, target="artifacts")
        said, name = asset.model_dump(mode="json", by_alias=True), uuid.uuid4().hex
        proposal = await self.writer.propose(
            ASSET, asked.workspace.id, name, said, asked.caller.object_id
        )
        written, _ = await self.writer.put(ASSET, proposal, only_new=True)
        return JSONResponse(_show(written))

    async def get(self, asked: Asked) -> Response:
        """One asset. Raises ArmError 404."""
        return JSONResponse(_show(await self._found(asked, asked.names["id"])))

    async def delete(self, asked: Asked) -> Response:
        """200; 204 if there is none. The artifacts stay."""
        row = await self._find(asked, asked.names["id"])
        if row is None:
            return Response(status_code=204)
        await self.writer.delete(ASSET, row, asked.caller.object_id)
        return Response(status_code=200)

    async def prefix(self, asked: Asked, asset_id: str) -> str:
        """The one path that an asset's artifacts are under. Raises ArmError 404 or 400."""
        row = await self._found(asked, asset_id)
        paths = [part.get("prefix") or part["id"] for part in row.properties["artifacts"]]
        if len(paths) != 1:
            message = f"The asset {asset_id!r} has {len(paths)} artifacts; a model is made of one."
            raise ArmError("BadArgument", message, target="url")
        return str(paths[0]).strip("/")

    async def _found(self, asked: Asked, asset_id: str) -> Resource:
        row = await self._find(asked, asset_id)
        if row is None:
            raise ArmError("AssetNotFound", f"There is no asset {asset_id!r}.", 404)
        return row

    async def _find(self, asked: Asked, asset_id: str) -> Resource | None:
        return await self.writer.resources.find(f"{asked.workspace.id}/assets/{asset_id}")


def _passes(row: Resource, asked: Asked) -> bool:
    said, query = row.properties, asked.query
    return (
        query.get("name") in {None, "", said["name"]}
        and query.get("runid") in {None, "", said["runid"]}
        and has_tags(said["kvTags"], query.get("tags"))
        and has_tags(said["properties"], query.get("properties"))
    )


def _show(row: Resource) -> Json:
    return {"id": row.name, **row.properties, "createdTime": timestamp(row.created_at)}
