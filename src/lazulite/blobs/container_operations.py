"""Operations on an account and its containers. Source: Blob service REST API."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from http import HTTPStatus

from starlette.responses import Response

from lazulite.blobs.calls import Call, xml_response
from lazulite.blobs.delegation import key_document, read_span
from lazulite.blobs.documents import (
    DECLARATION,
    Show,
    blobs_document,
    containers_document,
    element,
    http_date,
)
from lazulite.blobs.errors import BlobError
from lazulite.blobs.headers import conditions_of, container_headers, metadata_of
from lazulite.blobs.listing import PAGE_LIMIT, Query, decode_marker, encode_marker
from lazulite.blobs.policies import policies_document, public_level, read_policies
from lazulite.blobs.signatures import SIGNED_VERSION
from lazulite.blobs.values import Access, Container

MANY = range(1, 1 << 31)
BODY_LIMIT = 64 << 10  # bytes of XML
CONTAINERS_INCLUDE = frozenset({"metadata", "deleted", "system"})
BLOBS_INCLUDE = frozenset(
    {"metadata", "snapshots", "copy", "tags", "deleted", "versions", "deletedwithversions"}
    | {"uncommittedblobs"}
) | {"immutabilitypolicy", "legalhold", "permissions"}
"""Nothing deleted or of an older version is kept, so some of these add nothing."""


async def list_containers(call: Call) -> Response:
    """One page of at most 5000 names."""
    show = _show(call, CONTAINERS_INCLUDE)
    query = _query(call)
    low = decode_marker(query.marker)
    found = [
        one
        for one in await call.store.containers.all(call.target.account)
        if one.name.startswith(query.prefix) and one.name >= low
    ]
    page, rest = found[: query.limit], found[query.limit :]
    marker = encode_marker(rest[0].name) if rest else ""
    return xml_response(containers_document(page, query, marker, show))


async def account_information(_call: Call) -> Response:
    """What clients ask to learn whether folders are real."""
    headers = {
        "x-ms-sku-name": "Standard_LRS",
        "x-ms-account-kind": "StorageV2",
        "x-ms-is-hns-enabled": "false",
    }
    return Response(status_code=HTTPStatus.OK, headers=headers)


async def service_properties(call: Call) -> Response:
    """Get Blob Service Properties."""
    return xml_response(DECLARATION + call.store.services.document(call.target.account))


async def set_service_properties(call: Call) -> Response:
    """Set Blob Service Properties: sections that are not sent stay as they are."""
    await call.store.services.set(call.target.account, await call.body(BODY_LIMIT))
    return Response(status_code=HTTPStatus.ACCEPTED)


async def service_stats(call: Call) -> Response:
    """Get Blob Service Stats: there is one copy, and it is always up to date."""
    now = http_date(call.store.clock())
    return xml_response(
        f"{DECLARATION}<StorageServiceStats><GeoReplication><Status>live</Status>"
        f"{element('LastSyncTime', now)}</GeoReplication></StorageServiceStats>"
    )


async def user_delegation_key(call: Call) -> Response:
    """Get User Delegation Key, for the bearer of a token."""
    version = call.request.headers.get("x-ms-version", SIGNED_VERSION)
    span = read_span(await call.body(BODY_LIMIT), version, call.store.clock())
    key = await call.site.delegation_key(call.request, call.target.account, span)
    return xml_response(key_document(key))


async def create_container(call: Call) -> Response:
    """201, or 409."""
    metadata, target = metadata_of(call.request.headers), call.target
    access = Access(await _public(call))
    made = await call.store.containers.create(target.account, target.container, metadata, access)
    return Response(status_code=HTTPStatus.CREATED, headers=_version(made))


async def container_properties(call: Call) -> Response:
    """Also answers for the metadata alone."""
    found = await _found(call)
    return Response(status_code=HTTPStatus.OK, headers=_shown(call, found))


async def set_container_metadata(call: Call) -> Response:
    """Replaces all of it."""
    metadata = metadata_of(call.request.headers)
    changed = await _changed(call, lambda found: dataclasses.replace(found, metadata=metadata))
    return Response(status_code=HTTPStatus.OK, headers=_version(changed))


async def container_acl(call: Call) -> Response:
    """Get Container ACL: the public level and the stored access policies."""
    found = await _found(call)
    headers = _version(found)
    if found.access.public:
        headers["x-ms-blob-public-access"] = found.access.public
    return xml_response(policies_document(found.access.policies), headers)


async def set_container_acl(call: Call) -> Response:
    """Set Container ACL: replaces level and policies; a SAS of a policy that is gone is void."""
    access = Access(await _public(call), read_policies(await call.body(BODY_LIMIT)))
    changed = await _changed(call, lambda found: dataclasses.replace(found, access=access))
    return Response(status_code=HTTPStatus.OK, headers=_version(changed))


async def delete_container(call: Call) -> Response:
    """With all its blobs."""
    found, conditions = await _found(call), conditions_of(call.request.headers)
    _check(call, found)
    call.store.leases.check_write(call.container, conditions.lease)
    await call.store.delete_container(call.target.account, call.target.container)
    return Response(status_code=HTTPStatus.ACCEPTED)


async def list_blobs(call: Call) -> Response:
    """One page of at most 5000 names."""
    show, query = _show(call, BLOBS_INCLUDE), _query(call)
    query = dataclasses.replace(
        query,
        snapshots="snapshots" in show.include,
        uncommitted="uncommittedblobs" in show.include,
    )
    page = await call.store.list_blobs(call.target.account, call.target.container, query)
    return xml_response(blobs_document(call.target.container, query, page, show))


def _query(call: Call) -> Query:
    asked = call.integer("maxresults", PAGE_LIMIT, MANY)
    prefix, delimiter, marker = (
        call.query.get(name, "") for name in ("prefix", "delimiter", "marker")
    )
    return Query(prefix, delimiter, marker, min(asked, PAGE_LIMIT))


def _show(call: Call, known: frozenset[str]) -> Show:
    """Raises BlobError 400 for an include that is not known."""
    include = {one for one in call.query.get("include", "").lower().split(",") if one}
    if not include <= known:
        message = f"include={sorted(include - known)} is not among {sorted(known)}."
        raise BlobError("InvalidQueryParameterValue", message)
    return Show(frozenset(include), call.store.leases.headers)


async def _found(call: Call) -> Container:
    """The container. Raises BlobError 404, or 412 for a lease that is not there."""
    found = await call.store.containers.get(call.target.account, call.target.container)
    call.store.leases.check_read(call.container, call.request.headers.get("x-ms-lease-id"))
    return found


async def _changed(call: Call, change: Callable[[Container], Container]) -> Container:
    def checked(found: Container) -> Container:
        _check(call, found)
        return change(found)

    lease = call.request.headers.get("x-ms-lease-id")
    async with call.store.holding(call.container):
        target = call.target
        await call.store.containers.get(target.account, target.container)
        call.store.leases.check_read(call.container, lease)
        return await call.store.containers.update(target.account, target.container, checked)


def _check(call: Call, found: Container) -> None:
    """The dates that a container can be held against. Raises BlobError 412."""
    wanted = conditions_of(call.request.headers)
    since, until = wanted.if_modified_since, wanted.if_unmodified_since
    modified = found.modified.replace(microsecond=0)
    if (since is not None and modified <= since) or (until is not None and modified > until):
        raise BlobError("ConditionNotMet")


async def _public(call: Call) -> str:
    allowed = await call.site.may_be_public(call.target.account)
    return public_level(call.request.headers.get("x-ms-blob-public-access"), allowed=allowed)


def _version(container: Container) -> dict[str, str]:
    headers = container_headers(container)
    return {name: headers[name] for name in ("ETag", "Last-Modified")}


def _shown(call: Call, container: Container) -> dict[str, str]:
    return {**container_headers(container), **call.store.leases.headers(call.container)}
