"""data/v1.0: where data is that clients know by the id of an asset or output, to download it.

Source: spec/CLIENTS.md 10.2.
"""

from __future__ import annotations

import dataclasses
import re

from pydantic import Field
from starlette.responses import JSONResponse, Response

from lazulite.arm.kind import Properties
from lazulite.arm.references import find_asset
from lazulite.core.errors import ArmError, SpecError
from lazulite.core.ids import segment_of
from lazulite.dataplane.requests import Asked
from lazulite.dataplane.services import Service, ServiceRoute
from lazulite.store.resources import Resource, Resources

SHORT = re.compile(r"azureml://(?=datastores/)", re.IGNORECASE)
LONG = re.compile(r"azureml://subscriptions/.+/datastores/.+", re.IGNORECASE)


class ManyIds(Properties):
    """What to resolve: ids of data versions, or what stands for one in the outputs of a run."""

    values: list[str] = Field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class DataVersions:
    """Answers for the data of a workspace."""

    resources: Resources

    def service(self) -> Service:
        """The one operation that clients of today use."""
        path = "dataversion/batchGetResolvedUris"
        route = ServiceRoute("POST", path, "data/versions/read", self.resolved, ManyIds)
        return Service(name="data", version="v1.0", routes=(route,))

    async def resolved(self, asked: Asked) -> Response:
        """The URIs, by what was asked for. Raises ArmError 404 for what is not there."""
        form = await asked.model(ManyIds)
        found = {one: await self._uri(asked.workspace, one) for one in form.values}
        return JSONResponse({"values": {one: {"uri": uri} for one, uri in found.items()}})

    async def _uri(self, workspace: Resource, one: str) -> str:
        if SHORT.match(one) or LONG.fullmatch(one):
            return _long(workspace, one)
        try:
            version = await find_asset(self.resources, workspace.id, "data", one)
        except SpecError as error:
            raise ArmError(error.code, str(error), 404) from error
        return _long(workspace, str(version.properties["dataUri"]))


def _long(workspace: Resource, uri: str) -> str:
    """With the workspace in it, as clients take it apart."""
    subscription = segment_of(workspace.id, "subscriptions")
    group = segment_of(workspace.id, "resourceGroups")
    place = f"subscriptions/{subscription}/resourcegroups/{group}/workspaces/{workspace.name}"
    return SHORT.sub(f"azureml://{place}/", uri)
