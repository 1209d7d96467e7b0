"""modelmanagement/v1.0, put together; what is not done here says so. Source: spec/REST.md 9.4."""

from __future__ import annotations

from starlette.responses import Response

from lazulite.arm.writing import Writer
from lazulite.dataplane.model_assets import Assets
from lazulite.dataplane.model_services import ModelServices
from lazulite.dataplane.models import Models
from lazulite.dataplane.refusals import model_error, not_implemented
from lazulite.dataplane.requests import Asked
from lazulite.dataplane.services import Service, ServiceRoute


def model_management(writer: Writer) -> Service:
    """Models, assets and services."""
    assets = Assets(writer)
    return Service(
        name="modelmanagement",
        version="v1.0",
        routes=(
            *Models(writer, assets).routes(),
            *assets.routes(),
            *ModelServices(writer).routes(),
            *ABSENT,
        ),
        refusal=model_error,
    )


async def _no_profiles(asked: Asked) -> Response:
    raise not_implemented(
        "Profiling of images", "measure a deployment with requests to its scoring URI."
    )


async def _no_images(asked: Asked) -> Response:
    raise not_implemented(
        "Building images", "a deployment names a model and an environment; PUT it to ARM."
    )


async def _no_writing(asked: Asked) -> Response:
    raise not_implemented(
        "Changing services through modelmanagement",
        "PUT, PATCH or DELETE {workspace}/onlineEndpoints/{endpoint}/deployments/{deployment}.",
    )


async def _no_metrics(asked: Asked) -> Response:
    raise not_implemented("Metrics of models", "metrics are those of runs and of endpoints.")


ABSENT = (
    ServiceRoute("GET", "images", "images/read", _no_images),
    ServiceRoute("POST", "images", "images/write", _no_images),
    ServiceRoute("GET", "images/{id}", "images/read", _no_images),
    ServiceRoute("GET", "images/{image}/profiles", "images/read", _no_profiles),
    ServiceRoute("POST", "images/{image}/profiles", "images/write", _no_profiles),
    ServiceRoute("GET", "images/{image}/profiles/{id}", "images/read", _no_profiles),
    ServiceRoute("GET", "profiles", "models/read", _no_profiles),
    ServiceRoute("POST", "profiles", "models/write", _no_profiles),
    ServiceRoute("GET", "models/{id}/metrics", "models/read", _no_metrics),
    ServiceRoute("GET", "operations/{id}", "services/read", _no_writing),
    ServiceRoute("POST", "services", "services/write", _no_writing),
    ServiceRoute("PATCH", "services/{id}", "services/write", _no_writing),
    ServiceRoute("DELETE", "services/{id}", "services/delete", _no_writing),
    ServiceRoute("POST", "services/{id}/regenerateKeys", "services/write", _no_writing),
    ServiceRoute("POST", "services/{id}/token", "services/write", _no_writing),
)
"""Known operations that answer 501 and what to do instead."""
