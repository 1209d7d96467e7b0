"""The shape every ARM resource is shown in. Source: spec/REST.md 2.7."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lazulite.arm.kind import Kind, nothing
from lazulite.store.resources import Json, Resource

SYSTEM_DATA_SINCE = "2021-01-01"
ENVELOPE = ("location", "tags", "kind", "sku", "identity")


async def show(kind: Kind, resource: Resource, base: str, version: str) -> Json:
    """The resource as a caller of one api-version sees it."""
    return (await show_all(kind, [resource], base, version))[0]


async def show_all(
    kind: Kind, resources: Sequence[Resource], base: str, version: str
) -> list[Json]:
    """The same of a whole page."""
    if kind.shape is not None:
        return [kind.shape(resource) for resource in resources]
    if kind.show_all is not None:
        computed = await kind.show_all(resources, base)
    elif kind.show is nothing:
        computed = [{}] * len(resources)
    else:
        computed = [await kind.show(resource, base) for resource in resources]
    return [
        _shown(kind, resource, more, base, version)
        for resource, more in zip(resources, computed, strict=True)
    ]


def _shown(kind: Kind, resource: Resource, computed: Json, base: str, version: str) -> Json:
    properties = kind.wire.write({**resource.properties, **computed}, version)
    if kind.has_state:
        properties["provisioningState"] = resource.provisioning_state
    if kind.has_operation_uri:
        own = dict(properties.get("properties") or {})
        own["AzureAsyncOperationUri"] = kind.watching.status_url(resource, base, version)
        properties["properties"] = own
    shown: Json = {
        "id": kind.shown_id(resource.id),
        "name": resource.name,
        "type": kind.shown_type,
    }
    shown |= {key: resource.envelope.get(key) for key in ENVELOPE if key in kind.envelope}
    if "tags" in kind.envelope:
        shown["tags"] = shown["tags"] or {}
    if version[:10] <= kind.etag_until:
        shown["etag"] = None
    shown["properties"] = properties
    return shown if version < SYSTEM_DATA_SINCE else {**shown, "systemData": system_data(resource)}


def system_data(resource: Resource) -> Json:
    """Who made it and who changed it last."""
    return {
        "createdAt": timestamp(resource.created_at),
        "createdBy": resource.created_by,
        "createdByType": "Application",
        "lastModifiedAt": timestamp(resource.modified_at),
        "lastModifiedBy": resource.modified_by,
        "lastModifiedByType": "Application",
    }


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds."""
    return f"{moment.astimezone(UTC).isoformat(timespec='microseconds')[:-6]}Z"


def operation_status(resource: Resource, generation: int, operation_id: str) -> Json:
    """The operation that made a generation, read off the row: it has no state of its own."""
    status, error = outcome(resource, generation)
    body: dict[str, Any] = {
        "id": operation_id,
        "name": operation_id.rsplit("/", 1)[-1],
        "status": status,
        "startTime": timestamp(resource.modified_at),
        "properties": {"phase": resource.observed.get("phase")},
    }
    if status != "InProgress":
        body["endTime"] = timestamp(resource.settled_at or resource.modified_at)
        body["percentComplete"] = 100.0
    if error is not None:
        body["error"] = error
    return body


def outcome(resource: Resource, generation: int) -> tuple[str, Json | None]:
    """The state of the operation that made a generation, and its error if it has failed."""
    if generation < resource.generation:  # superseded, unless it had been reached before
        return ("Succeeded" if generation <= resource.observed_generation else "Canceled"), None
    if resource.gone_at is not None:
        return "Succeeded", None
    if resource.observed_generation < generation:
        return "InProgress", None
    return ("Succeeded", None) if resource.error is None else ("Failed", resource.error)
