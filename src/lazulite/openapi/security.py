"""How callers say who they are. Source: spec/REST.md 3."""

from __future__ import annotations

from lazulite.openapi.operations import Json

TOKEN_URL = "/common/oauth2/v2.0/token"  # noqa: S105 - an address
RESOURCES = {
    "https://management.azure.com/.default": "Resources, and the services of the regional host.",
    "https://ml.azure.com/.default": "Batch scoring, and the services of the regional host.",
    "https://storage.azure.com/.default": "Blobs.",
}
BEARER: tuple[Json, ...] = ({"bearer": []},)
ENDPOINT: tuple[Json, ...] = ({"endpointKey": []},)


def schemes() -> Json:
    """components/securitySchemes."""
    flows = {"clientCredentials": {"tokenUrl": TOKEN_URL, "scopes": RESOURCES}}
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token of this server for the audience that the path wants.",
        },
        "entra": {
            "type": "oauth2",
            "description": "Where the bearer tokens come from.",
            "flows": flows,
        },
        "endpointKey": {
            "type": "http",
            "scheme": "bearer",
            "description": "A key or token of the online endpoint.",
        },
    }
