"""modelmanagement/v1.0, models: register, list, read, patch and delete ARM's model versions.

Source: spec/REST.md 9.4.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from lazulite.arm.conditions import FAILED_CONDITION
from lazulite.arm.envelope import timestamp
from lazulite.arm.kind import ASSET_NAME, Kind
from lazulite.arm.writing import Writer
from lazulite.core.errors import ArmError
from lazulite.core.ids import WORKSPACES, parent_of
from lazulite.dataplane.continuation import next_link, page
from lazulite.dataplane.json_patch import patched, read_patch
from lazulite.dataplane.model_assets import Assets
from lazulite.dataplane.model_form import (
    NewModel,
    model_id,
    name_of_model,
    own_properties,
    reserved_properties,
    show_model,
    to_version,
)
from lazulite.dataplane.requests import Asked
from lazulite.dataplane.services import ServiceRoute
from lazulite.dataplane.tag_filters import has_tags
from lazulite.store.resources import Json, Resource

VERSIONS = f"{WORKSPACES}/models/versions"
PATCHED = {name.lower(): name for name in ("description", "kvTags", "properties")}
ASSET_URL = "aml://asset/"
ARTIFACT_URL = "aml://artifact/"
ARTIFACT_STORE = "azureml://datastores/workspaceartifactstore/paths/"


@dataclasses.dataclass(frozen=True)
class Models:
    """The model operations."""

    writer: Writer
    assets: Assets

    def routes(self) -> tuple[ServiceRoute, ...]:
        """models, and models/{id} where the id is "name:version"."""
        return (
            ServiceRoute("GET", "models", "models/read", self.list),
            ServiceRoute("POST", "models", "models/write", self.register, NewModel),
            ServiceRoute("GET", "models/{id}", "models/read", self.get),
            ServiceRoute("PATCH", "models/{id}", "models/write", self.patch),
            ServiceRoute("DELETE", "models/{id}", "models/delete", self.delete),
        )

    async def list(self, asked: Asked) -> Response:
        """Models that pass the filters of the query, the newest first."""
        rows = await self.writer.resources.of_type(VERSIONS, under=asked.workspace.id)
        found = [row for row in rows if _passes(row, asked.query)]
        if asked.says("latestversiononly"):
            found = list({name_of_model(row): row for row in found}.values())
        moment, descending = _order(asked.query.get("orderby"))
        shown = page(
            found,
            lambda row: f"{timestamp(getattr(row, moment))} {row.key}",
            token=asked.query.get("$skiptoken"),
            size=asked.query.get("count"),
            descending=descending,
        )
        link = next_link(asked, "$skipToken", shown.token)
        return JSONResponse({"value": [show_model(row) for row in shown.items], "nextLink": link})

    async def register(self, asked: Asked) -> Response:
        """Make the next version of a model; sent again, it makes one more."""
        model = await asked.model(NewModel)
        if not ASSET_NAME.fullmatch(model.name):
            message = f"{model.name!r} is no model name: it must match {ASSET_NAME.pattern}."
            raise ArmError("InvalidResourceName", message, target="name")
        properties = to_version(model, await self._uri(asked, model.url))
        base, kind = f"{asked.workspace.id}/models/{model.name}", self._kind
        while True:
            version, actor = str(await self._next(base)), asked.caller.object_id
            proposal = await self.writer.propose(kind, base, version, properties, actor)
            if proposal.existing is not None:
                continue
            try:
                written, _ = await self.writer.put(kind, proposal, only_new=True)
            except ArmError as error:
                if error.code != FAILED_CONDITION:
                    raise  # else somebody took the number meanwhile
            else:
                return JSONResponse(show_model(written))

    async def get(self, asked: Asked) -> Response:
        """One model. Raises ArmError 404."""
        return JSONResponse(show_model(await self._found(asked)))

    async def patch(self, asked: Asked) -> Response:
        """Change description or kvTags, add properties; what a property says is for good."""
        operations = read_patch(await asked.json())
        for operation in operations:
            operation.path = _known_path(operation.path)
            operation.origin = operation.origin and _known_path(operation.origin)
        while True:
            row = await self._found(asked)
            changed = patched(_document(row), operations)
            properties = {**row.properties, **_checked(row, changed)}
            base, actor = parent_of(row.id), asked.caller.object_id
            proposal = await self.writer.propose(self._kind, base, row.name, properties, actor)
            proposal = dataclasses.replace(proposal, envelope=row.envelope)
            try:
                written, _ = await self.writer.put(self._kind, proposal, if_revision=row.revision)
            except ArmError as error:
                if error.code != FAILED_CONDITION:
                    raise  # else somebody wrote meanwhile: patch what is there now
            else:
                return JSONResponse(show_model(written))

    async def delete(self, asked: Asked) -> Response:
        """200; 204 if there is none."""
        row = await self._find(asked)
        if row is None:
            return Response(status_code=204)
        await self.writer.delete(self._kind, row, asked.caller.object_id)
        return Response(status_code=200)

    @property
    def _kind(self) -> Kind:
        return self.writer.kind(VERSIONS)

    async def _next(self, model: str) -> int:
        """One more than the highest version of a model."""
        rows = await self.writer.resources.children(model, VERSIONS)
        return max((int(row.name) for row in rows if row.name.isdigit()), default=0) + 1

    async def _uri(self, asked: Asked, url: str) -> str:
        """Where a model's url leads, in the form of ARM. Raises ArmError 400."""
        if url.lower().startswith(ASSET_URL):
            return ARTIFACT_STORE + await self.assets.prefix(asked, url[len(ASSET_URL) :])
        if url.lower().startswith(ARTIFACT_URL):
            return ARTIFACT_STORE + url[len(ARTIFACT_URL) :]
        return url

    async def _found(self, asked: Asked) -> Resource:
        row = await self._find(asked)
        if row is None:
            message = f"There is no model {asked.names['id']!r}: an id reads name:version."
            raise ArmError("ModelNotFound", message, 404)
        return row

    async def _find(self, asked: Asked) -> Resource | None:
        name, _, version = asked.names["id"].partition(":")
        arm_id = f"{asked.workspace.id}/models/{name}/versions/{version}"
        return await self.writer.resources.find(arm_id)


def _passes(row: Resource, query: Mapping[str, str]) -> bool:
    """Whether a model is as the query wants it. Archived ones are out of sight."""
    shown = show_model(row)
    exact = {"name": "name", "framework": "framework", "runid": "runId"}
    return (
        not row.properties.get("isArchived")
        and all(query[key] == shown[exact[key]] for key in exact if query.get(key))
        and query.get("description", "").lower() in (shown["description"] or "").lower()
        and has_tags(shown["kvTags"], query.get("tags"))
        and has_tags(shown["properties"], query.get("properties"))
    )


def _order(text: str | None) -> tuple[str, bool]:
    """Which time counts, and whether the latest goes first. Raises ArmError 400."""
    orders = {
        "createdatdesc": ("created_at", True),
        "createdatasc": ("created_at", False),
        "updatedatdesc": ("modified_at", True),
        "updatedatasc": ("modified_at", False),
    }
    if text and text.lower() not in orders:
        message = (
            f"{text!r} is no order: CreatedAtDesc, CreatedAtAsc, UpdatedAtDesc or UpdatedAtAsc."
        )
        raise ArmError("BadArgument", message, target="orderBy")
    return orders[(text or "createdatdesc").lower()]


def _known_path(path: str) -> str:
    """The pointer with its first name as the form spells it. Raises ArmError 400."""
    head, _, rest = path.removeprefix("/").partition("/")
    if head.lower() not in PATCHED:
        message = f"{path!r} cannot be patched: only {', '.join(PATCHED.values())} can."
        raise ArmError("BadArgument", message, target=path)
    return f"/{PATCHED[head.lower()]}" + (f"/{rest}" if rest else "")


def _document(row: Resource) -> Json:
    """What can be patched."""
    return {
        "description": row.properties.get("description"),
        "kvTags": row.properties.get("tags") or {},
        "properties": own_properties(row),
    }


def _checked(row: Resource, changed: Json) -> Json:
    """The patched document as ARM's properties. Raises ArmError."""
    for name in ("kvTags", "properties"):
        value: Any = changed.get(name) or {}
        if not isinstance(value, dict) or not all(
            isinstance(v, str | None) for v in value.values()
        ):
            raise ArmError("ValidationError", f"{name} would not be a map of texts.", target=name)
    before, after = own_properties(row), changed.get("properties") or {}
    lost = sorted(key for key in before if before[key] != after.get(key))
    if lost:
        message = f"Properties of a model do not change: {', '.join(lost)} of {model_id(row)!r}."
        raise ArmError("ImmutablePropertyChanged", message, 409, target="properties")
    return {
        "description": changed.get("description"),
        "tags": changed.get("kvTags") or {},
        "properties": {**after, **reserved_properties(row)},
    }
