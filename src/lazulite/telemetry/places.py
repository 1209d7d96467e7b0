"""Where what is observed belongs: an endpoint, or one of its deployments."""

from __future__ import annotations

from typing import NamedTuple

from lazulite.core.ids import ONLINE_DEPLOYMENTS, ONLINE_ENDPOINTS, WORKSPACES, segment_of
from lazulite.store.resources import Resource, Resources


class Place(NamedTuple):
    """An endpoint (no deployment) or a deployment, with what rows say of it."""

    id: str
    endpoint: str
    deployment: str
    subscription: str
    workspace: str
    workspace_uid: str
    location: str


class Landscape(NamedTuple):
    """The endpoints and deployments that are there at one moment."""

    endpoints: dict[str, Place]
    """By name in lower case: it is unique on a server."""
    deployments: dict[tuple[str, str], Place]
    """By the names of endpoint and deployment in lower case."""
    rows: list[Resource]
    """The deployments."""

    def place(self, endpoint: str, deployment: str) -> Place | None:
        """The deployment; the endpoint if there is none of the name. Names in lower case."""
        return self.deployments.get((endpoint, deployment)) or self.endpoints.get(endpoint)


async def landscape(resources: Resources) -> Landscape:
    """What is there now."""
    workspaces = {row.key: row for row in await resources.of_type(WORKSPACES)}
    endpoints = await resources.of_type(ONLINE_ENDPOINTS)
    deployments = await resources.of_type(ONLINE_DEPLOYMENTS)
    of_workspace = {row.key: workspaces.get(row.parent) for row in endpoints}
    return Landscape(
        {row.name.lower(): place_of(row, of_workspace[row.key]) for row in endpoints},
        {
            (place.endpoint.lower(), place.deployment.lower()): place
            for row in deployments
            for place in [place_of(row, of_workspace.get(row.parent))]
        },
        deployments,
    )


def place_of(row: Resource, workspace: Resource | None) -> Place:
    """The place of an endpoint or a deployment in a workspace."""
    is_deployment = row.resource_type == ONLINE_DEPLOYMENTS
    return Place(
        id=row.id,
        endpoint=segment_of(row.id, "onlineEndpoints"),
        deployment=row.name if is_deployment else "",
        subscription=segment_of(row.id, "subscriptions"),
        workspace=segment_of(row.id, "workspaces"),
        workspace_uid=workspace.uid if workspace is not None else "",
        location=str(row.envelope.get("location") or ""),
    )
