"""Operations on an account and its containers. Source: Blob service REST API."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from lazulite.blobs.calls import Call, xml_response
from lazulite.blobs.documents import DECLARATION, blobs_document, containers_document
from lazulite.blobs.errors import BlobError
from lazulite.blobs.headers import container_headers, metadata_of
from lazulite.blobs.listing import PAGE_LIMIT, Query

MANY = range(1, 1 << 31)


async def list_containers(call: Call) -> Response:
    """All of them at once: one machine has few."""
    prefix = call.query.get("prefix", "")
    found = await call.store.containers.all(call.target.account)
    kept = [one for one in found if one.name.startswith(prefix)]
    metadata = "metadata" in call.query.get("include", "")
    return xml_response(containers_document(kept, prefix, metadata=metadata))


async def account_information(_call: Call) -> Response:
    """What clients ask to learn whether folders are real."""
    headers = {
        "x-ms-sku-name": "Standard_LRS",
        "x-ms-account-kind": "StorageV2",
        "x-ms-is-hns-enabled": "false",
    }
    return Response(status_code=HTTPStatus.OK, headers=headers)


async def service_properties(_call: Call) -> Response:
    """Nothing is logged, versioned or served to other sites."""
    return xml_response(
        f"{DECLARATION}<StorageServiceProperties><Cors/></StorageServiceProperties>"
    )


async def create_container(call: Call) -> Response:
    """201, or 409."""
    if "x-ms-blob-public-access" in call.request.headers:
        message = "Containers are private here: omit x-ms-blob-public-access."
        raise BlobError("UnsupportedHeader", message)
    metadata, target = metadata_of(call.request.headers), call.target
    made = await call.store.containers.create(target.account, target.container, metadata)
    return Response(status_code=HTTPStatus.CREATED, headers=container_headers(made))


async def container_properties(call: Call) -> Response:
    """Also answers for the metadata alone."""
    found = await call.store.containers.get(call.target.account, call.target.container)
    return Response(status_code=HTTPStatus.OK, headers=container_headers(found))


async def set_container_metadata(call: Call) -> Response:
    """Replaces all of it."""
    metadata, target = metadata_of(call.request.headers), call.target
    await call.store.containers.set_metadata(target.account, target.container, metadata)
    return await container_properties(call)


async def container_acl(call: Call) -> Response:
    """There are no stored access policies."""
    found = await call.store.containers.get(call.target.account, call.target.container)
    return xml_response(f"{DECLARATION}<SignedIdentifiers/>", container_headers(found))


async def delete_container(call: Call) -> Response:
    """With all its blobs."""
    await call.store.containers.delete(call.target.account, call.target.container)
    return Response(status_code=HTTPStatus.ACCEPTED)


async def list_blobs(call: Call) -> Response:
    """One page of at most 5000 names."""
    asked = call.integer("maxresults", PAGE_LIMIT, MANY)
    query = Query(
        call.query.get("prefix", ""),
        call.query.get("delimiter", ""),
        call.query.get("marker", ""),
        min(asked, PAGE_LIMIT),
    )
    page = await call.store.list_blobs(call.target.account, call.target.container, query)
    metadata = "metadata" in call.query.get("include", "").split(",")
    return xml_response(blobs_document(call.target.container, query, page, metadata=metadata))
