"""From resource rows to what the front door serves.

A deployment is served by what its row has under observed.serving; its share of traffic counts
once it is served. So traffic may name a deployment that is yet to come.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from lazulite.core.ids import ONLINE_DEPLOYMENTS, ONLINE_ENDPOINTS
from lazulite.identity.endpoint_keys import EndpointKeys
from lazulite.serving.routing import AuthMode, Deployment, Endpoint
from lazulite.store.resources import Resource, Resources

log = logging.getLogger(__name__)

MODES: Mapping[str, AuthMode] = {"Key": "key", "AMLToken": "aml_token", "AADToken": "aad_token"}


async def published(resources: Resources) -> list[Endpoint]:
    """Every endpoint that is not being deleted, with the deployments that can answer."""
    deployments = await resources.of_type(ONLINE_DEPLOYMENTS)
    endpoints = []
    for row in await resources.of_type(ONLINE_ENDPOINTS):
        children = [child for child in deployments if child.parent == row.key]
        try:
            if not row.deleting:
                endpoints.append(_endpoint(row, [_served(child) for child in children]))
        except (ValueError, TypeError, KeyError):  # one endpoint must not keep out the others
            log.exception("an endpoint cannot be served", extra={"resource": row.id})
    return endpoints


def _endpoint(row: Resource, children: list[Deployment | None]) -> Endpoint:
    served = tuple(child for child in children if child is not None)
    by_name = {child.name.lower(): child.name for child in served}

    def present(shares: Mapping[str, int]) -> dict[str, int]:
        return {
            by_name[name.lower()]: share
            for name, share in shares.items()
            if name.lower() in by_name
        }

    mirror = present(row.properties["mirrorTraffic"])
    return Endpoint(
        name=row.name,
        uid=row.uid,
        scope=row.id,
        auth_mode=MODES[row.properties["authMode"]],
        key_hashes=EndpointKeys.from_json(row.secrets).digests,
        traffic=scaled(present(row.properties["traffic"])),
        mirror={name: share for name, share in mirror.items() if share},
        deployments=served,
    )


def scaled(traffic: Mapping[str, int]) -> dict[str, int]:
    """Shares that add up to 100 again when a deployment that has some is not there yet."""
    total = sum(traffic.values())
    if total in {0, 100}:
        return dict(traffic)
    shares = {name: share * 100 // total for name, share in traffic.items()}
    first = max(traffic, key=lambda name: traffic[name])
    shares[first] += 100 - sum(shares.values())
    return shares


def _served(row: Resource) -> Deployment | None:
    serving = row.observed.get("serving")
    if row.deleting or not serving:
        return None
    return Deployment(
        name=row.name,
        sockets=tuple(serving["sockets"]),
        waiting=serving["waitingSocket"],
        request_timeout_ms=serving["requestTimeoutMs"],
        max_queue_wait_ms=serving["maxQueueWaitMs"],
        max_concurrent=serving["maxConcurrent"],
        instances=serving["instances"],
        most_instances=serving.get("mostInstances", max(1, serving["instances"])),
        cold_ms=serving.get("coldMs", 0),
    )
