"""content/v1.0: snapshots of script folders, which are not kept here: a run comes with its zip.

Source: spec/REST.md 9.8.
"""

from __future__ import annotations

from starlette.responses import Response

from lazulite.dataplane.refusals import not_implemented
from lazulite.dataplane.requests import Asked
from lazulite.dataplane.services import Service, ServiceRoute

KNOWN = (
    ("GET", "snapshots/latest/metadata"),
    ("GET", "snapshots/diff"),
    ("POST", "snapshots/diff"),
    ("GET", "snapshots/{id}"),
    ("POST", "snapshots/{id}"),
    ("DELETE", "snapshots/{id}"),
    ("GET", "snapshots/{id}/fileslocation"),
    ("GET", "snapshots/{id}/sas"),
    ("GET", "snapshots/{id}/storageurls"),
    ("GET", "snapshots/{id}/metadata"),
)
VERBS = {"GET": "read", "POST": "write", "DELETE": "delete"}


def content() -> Service:
    """Every operation answers 501."""
    return Service(
        name="content",
        version="v1.0",
        routes=tuple(
            ServiceRoute(method, path, f"metadata/snapshots/{VERBS[method]}", _absent)
            for method, path in KNOWN
        ),
    )


async def _absent(asked: Asked) -> Response:
    raise not_implemented(
        "Keeping snapshots",
        "send the scripts as projectZipFile to execution/v1.0 startrun, or register them as code.",
    )
