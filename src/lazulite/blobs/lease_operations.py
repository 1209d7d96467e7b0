"""Lease Blob and Lease Container."""

from __future__ import annotations

import dataclasses
import re
import uuid
from http import HTTPStatus

from starlette.responses import Response

from lazulite.blobs.calls import Call
from lazulite.blobs.conditions import check_change
from lazulite.blobs.errors import BlobError
from lazulite.blobs.headers import conditions_of, container_headers, version_headers
from lazulite.blobs.lease_actions import Wish, decide, remaining_s
from lazulite.blobs.leases import INFINITE
from lazulite.blobs.names import BlobAddress

ACTIONS = {
    "acquire": HTTPStatus.CREATED,
    "renew": HTTPStatus.OK,
    "change": HTTPStatus.OK,
    "release": HTTPStatus.OK,
    "break": HTTPStatus.ACCEPTED,
}
NUMBER = re.compile(r"-?[0-9]{1,9}")


async def lease_blob(call: Call) -> Response:
    """Lease Blob: does not change the blob's ETag."""
    conditions = dataclasses.replace(conditions_of(call.request.headers), lease=None)
    async with call.store.holding(call.address):
        blob = await call.store.head(call.address)
        if conditions.tags is not None and not conditions.tags(blob.properties.details.tags):
            raise BlobError("ConditionNotMet")
        check_change(conditions, blob.stamp)
        return await _act(call, call.address, version_headers(blob.stamp))


async def lease_container(call: Call) -> Response:
    """Lease Container."""
    target = call.target
    found = await call.store.containers.get(target.account, target.container)
    headers = container_headers(found)
    version = {name: headers[name] for name in ("ETag", "Last-Modified")}
    address = BlobAddress(target.account, target.container, "")
    async with call.store.holding(address):
        return await _act(call, address, version)


async def _act(call: Call, address: BlobAddress, headers: dict[str, str]) -> Response:
    wish, now = _wish_of(call), call.store.clock()
    before = call.store.leases.find(address)
    lease = decide(wish, before, now)
    if lease is None:
        await call.store.leases.drop(address)
    else:
        await call.store.leases.keep(address, lease)
        if wish.action == "break":
            headers["x-ms-lease-time"] = str(remaining_s(lease, now))
        else:
            headers["x-ms-lease-id"] = lease.id
    return Response(status_code=ACTIONS[wish.action], headers=headers)


def _wish_of(call: Call) -> Wish:
    """Raises BlobError 400."""
    headers = call.request.headers
    action = headers.get("x-ms-lease-action", "").lower()
    if action not in ACTIONS:
        message = f"x-ms-lease-action {action[:40]!r} is not one of {', '.join(ACTIONS)}."
        raise BlobError("InvalidHeaderValue", message)
    wish = Wish(action=action)
    if action == "acquire":
        duration = _number(call, "x-ms-lease-duration", required=True) or 0
        if duration != INFINITE and not 15 <= duration <= 60:
            message = f"x-ms-lease-duration {duration} is not -1 or 15 to 60 seconds."
            raise BlobError("InvalidHeaderValue", message)
        proposed = _guid(headers.get("x-ms-proposed-lease-id") or str(uuid.uuid4()))
        return dataclasses.replace(wish, duration_s=duration, proposed=proposed)
    if action == "break":
        period = _number(call, "x-ms-lease-break-period", required=False)
        if period is not None and not 0 <= period <= 60:
            message = f"x-ms-lease-break-period {period} is not 0 to 60 seconds."
            raise BlobError("InvalidHeaderValue", message)
        return dataclasses.replace(wish, period_s=period)
    wish = dataclasses.replace(wish, id=_guid(_needed(call, "x-ms-lease-id")))
    if action == "change":
        proposed = _guid(_needed(call, "x-ms-proposed-lease-id"))
        return dataclasses.replace(wish, proposed=proposed)
    return wish


def _needed(call: Call, name: str) -> str:
    if not call.request.headers.get(name):
        raise BlobError("MissingRequiredHeader", f"The header {name} is missing.")
    return call.request.headers[name]


def _number(call: Call, name: str, *, required: bool) -> int | None:
    text = _needed(call, name) if required else call.request.headers.get(name)
    if text is None:
        return None
    if not NUMBER.fullmatch(text):
        raise BlobError("InvalidHeaderValue", f"{name} {text[:40]!r} is not a number.")
    return int(text)


def _guid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise BlobError("InvalidHeaderValue", f"Lease id {text[:100]!r} is no GUID.") from error
