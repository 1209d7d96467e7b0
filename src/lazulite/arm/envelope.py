"""The shape every ARM resource is shown in. Source: spec/REST.md 2.7."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lazulite.arm.kind import Kind
from lazulite.core.ids import segment_of
from lazulite.store.resources import Json, Resource

SYSTEM_DATA_SINCE = "2021-01-01"
ENVELOPE = ("location", "tags", "kind", "sku", "identity")


async def show(kind: Kind, resource: Resource, base: str, version: str) -> Json:
    """The resource as a caller of one api-version sees it."""
    if kind.shape is not None:
        return kind.shape(resource)
    computed = await kind.show(resource, base)
    properties = kind.wire.write({**resource.properties, **computed}, version)
    if kind.has_state:
        properties["provisioningState"] = resource.provisioning_state
    if kind.has_operation_uri:
        own = dict(properties.get("properties") or {})
        own["AzureAsyncOperationUri"] = operation_url(resource, base, version)
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
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def operation_url(
    resource: Resource, base: str, version: str, part: str = "mfeOperationsStatus"
) -> str:
    """Where the operation of the resource's present generation is watched."""
    subscription = segment_of(resource.id, "subscriptions")
    location = resource.envelope.get("location") or "local"
    return (
        f"{base}/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices"
        f"/locations/{location}/{part}/{resource.uid}:{resource.generation}?api-version={version}"
    )


def operation_status(resource: Resource, generation: int, operation_id: str) -> Json:
    """The operation that made a generation, read off the row: it has no state of its own."""
    status, error = _outcome(resource, generation)
    body: dict[str, Any] = {
        "id": operation_id,
        "name": operation_id.rsplit("/", 1)[-1],
        "status": status,
        "startTime": timestamp(resource.modified_at),
        "properties": {"phase": resource.observed.get("phase")},
    }
    if status != "InProgress":
        body["endTime"] = timestamp(resource.gone_at or resource.modified_at)
        body["percentComplete"] = 100.0
    if error is not None:
        body["error"] = error
    return body


def _outcome(resource: Resource, generation: int) -> tuple[str, Json | None]:
    if generation < resource.generation:  # superseded, unless it had been reached before
        return ("Succeeded" if generation <= resource.observed_generation else "Canceled"), None
    if resource.gone_at is not None:
        return "Succeeded", None
    if resource.observed_generation < generation:
        return "InProgress", None
    return ("Succeeded", None) if resource.error is None else ("Failed", resource.error)
