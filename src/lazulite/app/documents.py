"""What clients read before they have a token: the cloud's metadata, and where services are.

Source: spec/CLIENTS.md 1.2 and 6.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazulite.arm.requests import base_url
from lazulite.arm.versions import negotiate
from lazulite.core.clouds import CLOUD
from lazulite.openapi.document import NEWEST_STABLE, Document

STORAGE_SUFFIX = "core.local"
ONE_OBJECT_SINCE = "2022-09-01"
SERVICES = (
    "api", "history", "experimentation", "modelmanagement", "hyperdrive", "catalog", "gallery",
    "labeling", "pipelines", "studio", "studiocoreservices",
)  # fmt: skip


async def metadata(http: Request) -> Response:
    """The cloud: one object for newer clients, a list with it for older ones."""
    document = _cloud(base_url(http))
    version = http.query_params.get("api-version", "")
    newer = version[:4].isdigit() and version >= ONE_OBJECT_SINCE
    return JSONResponse(document if newer else [document])


async def discovery(http: Request) -> Response:
    """Every service of a workspace is this server."""
    return JSONResponse(dict.fromkeys(SERVICES, base_url(http)))


async def health(http: Request) -> Response:
    """That the control plane answers."""
    return JSONResponse({"status": "Healthy"})


def openapi(described: Document) -> Callable[[Request], Awaitable[Response]]:
    """What the server answers, in the api-version that is asked for."""

    async def answer(http: Request) -> Response:
        version = negotiate(http.query_params.get("api-version", NEWEST_STABLE))
        content = await asyncio.to_thread(described.written, version)
        return Response(content, media_type="application/json")

    return answer


def _cloud(base: str) -> dict[str, Any]:
    host = base.partition("://")[2]
    suffixes = {
        "storage": STORAGE_SUFFIX,
        "keyVaultDns": f"vault.{host}",
        "acrLoginServer": f"azurecr.{host}",
    }
    unserved = dict.fromkeys(
        ("sqlServerHostname", "azureDataLakeStoreFileSystem", "azureFrontDoorEndpointSuffix"), ""
    )
    return {
        "name": CLOUD,
        "portal": base,
        "authentication": {
            "loginEndpoint": base,
            "audiences": [base, f"{base}/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "resourceManager": base,
        "suffixes": {**suffixes, **unserved},
        "graphAudience": f"{base}/graph",
        "graph": f"{base}/graph",
        "microsoftGraphResourceId": f"{base}/graph",
        "gallery": f"{base}/gallery",
        **dict.fromkeys(("media", "batch", "sqlManagement", "vmImageAliasDoc"), ""),
        "activeDirectoryDataLake": "",
        "appInsightsResourceId": "",
        "appInsightsTelemetryChannelResourceId": "",
    }
