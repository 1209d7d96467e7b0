"""modelmanagement/v1.0, services: what is deployed online, as a service each, to be read.

An online deployment runs on none of the computes that this service knows, so its computeType is
UNKNOWN, which azureml-core understands. Changing one is for ARM. Source: spec/REST.md 9.4.
"""

from __future__ import annotations

import dataclasses

from starlette.responses import JSONResponse, Response

from lazulite.arm.envelope import timestamp
from lazulite.arm.kind import Call
from lazulite.arm.references import taken_apart
from lazulite.arm.writing import Writer
from lazulite.core.errors import ArmError, SpecError
from lazulite.core.ids import ONLINE_DEPLOYMENTS, ONLINE_ENDPOINTS, name_of
from lazulite.dataplane.continuation import next_link, page
from lazulite.dataplane.requests import Asked
from lazulite.dataplane.services import ServiceRoute
from lazulite.dataplane.tag_filters import has_tags
from lazulite.store.resources import Json, Resource

STATES = {"Succeeded": "Healthy", "Failed": "Failed"}
READ = "onlineEndpoints/deployments/read"


@dataclasses.dataclass(frozen=True)
class ModelServices:
    """The service operations; an id is "endpoint:deployment"."""

    writer: Writer

    def routes(self) -> tuple[ServiceRoute, ...]:
        """services, and services/{id}."""
        keys = "onlineEndpoints/listKeys/action"
        return (
            ServiceRoute("GET", "services", READ, self.list),
            ServiceRoute("GET", "services/{id}", READ, self.get),
            ServiceRoute("POST", "services/{id}/listkeys", keys, self.list_keys),
        )

    async def list(self, asked: Asked) -> Response:
        """Deployments by name, modelId, modelName, computeType, tags and properties."""
        rows = await self.writer.resources.of_type(ONLINE_DEPLOYMENTS, under=asked.workspace.id)
        shown = page(
            [row for row in rows if _passes(row, asked)],
            lambda row: f"{timestamp(row.created_at)} {row.key}",
            token=asked.query.get("$skiptoken"),
            size=asked.query.get("count"),
            descending=True,
        )
        link = next_link(asked, "$skipToken", shown.token)
        value = [_show(row, asked.base) for row in shown.items]
        return JSONResponse({"value": value, "nextLink": link})

    async def get(self, asked: Asked) -> Response:
        """One service. Raises ArmError 404."""
        return JSONResponse(_show(await self._found(asked), asked.base))

    async def list_keys(self, asked: Asked) -> Response:
        """The keys of the endpoint. Raises ArmError 400 if it has tokens instead."""
        deployment = await self._found(asked)
        endpoint = await self.writer.resources.find(deployment.id.rpartition("/deployments/")[0])
        if endpoint is None:
            raise _missing(asked)
        call = Call(
            id=endpoint.id,
            existing=endpoint,
            body={},
            query={},
            base=asked.base,
            actor=asked.caller.object_id,
        )
        action = self.writer.kind(ONLINE_ENDPOINTS).actions["listKeys"]
        return JSONResponse((await action.perform(call)).body)

    async def _found(self, asked: Asked) -> Resource:
        endpoint, _, deployment = asked.names["id"].partition(":")
        arm_id = f"{asked.workspace.id}/onlineEndpoints/{endpoint}/deployments/{deployment}"
        row = await self.writer.resources.find(arm_id)
        if row is None:
            raise _missing(asked)
        return row


def _missing(asked: Asked) -> ArmError:
    message = (
        f"There is no service {asked.names['id']!r}: an id reads endpoint:deployment, of an online "
        "endpoint."
    )
    return ArmError("ServiceNotFound", message, 404)


def _passes(row: Resource, asked: Asked) -> bool:
    query, model = asked.query, _model(row)
    return (
        query.get("name") in {None, "", _id(row)}
        and query.get("computetype", "UNKNOWN").upper() in {"", "UNKNOWN"}
        and query.get("modelid") in {None, "", model}
        and query.get("modelname") in {None, "", model.partition(":")[0]}
        and has_tags(row.envelope.get("tags") or {}, query.get("tags"))
        and has_tags(row.properties.get("properties") or {}, query.get("properties"))
    )


def _show(row: Resource, base: str) -> Json:
    error: Json = row.error or {}
    failed: Json = {"code": error.get("code"), "message": error.get("message"), "details": []}
    return {
        "id": _id(row),
        "name": _id(row),
        "description": row.properties.get("description"),
        "kvTags": row.envelope.get("tags") or {},
        "properties": row.properties.get("properties") or {},
        "operationId": f"{row.uid}:{row.generation}",
        "state": STATES.get(row.provisioning_state, "Transitioning"),
        "createdTime": timestamp(row.created_at),
        "updatedTime": timestamp(row.modified_at),
        "error": failed if error else None,
        "computeType": "UNKNOWN",
        "deploymentType": "HttpRealtimeEndpoint",
        "modelIds": [_model(row)] if _model(row) else [],
        "scoringUri": f"{base}/inference/{_endpoint(row)}/score",
    }


def _id(row: Resource) -> str:
    return f"{_endpoint(row)}:{row.name}"


def _endpoint(row: Resource) -> str:
    return name_of(row.id.rpartition("/deployments/")[0])


def _model(row: Resource) -> str:
    """The "name:version" of the model, "" without one that can be read."""
    try:
        name, version = taken_apart(str(row.properties.get("model") or ""), "models")
    except SpecError:
        return ""
    return f"{name}:{version or 'latest'}"
