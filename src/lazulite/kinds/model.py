"""workspaces/models: files or folders of weights. Source: spec/REST.md 7.4, CLIENTS.md 7.5."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from lazulite.arm.assets import FIRST, STABLE, STAGED, Asset, AssetType, kinds_of
from lazulite.arm.kind import Kind
from lazulite.arm.listing import Listing, by_names, in_text, pairs
from lazulite.arm.placed import placed
from lazulite.arm.wire import Renamed, Respelled, Unknown
from lazulite.deployments.pending_uploads import PendingUploads
from lazulite.store.resources import Resources

FORMATS = {
    "custom_model": "Custom",
    "mlflow_model": "MLFlow",
    "triton_model": "Triton",
    "openai_model": "OpenAI",
}
LONG = {"custom_model": "CustomModel", "mlflow_model": "MLFlowModel", "triton_model": "TritonModel"}
ROWS = (
    STAGED,
    Unknown(("modelType", "jobName"), until=FIRST),
    placed("modelUri"),
    Renamed("modelType", "modelFormat", since=STABLE, until=STABLE),
    Respelled("modelType", FORMATS, since=STABLE, until=STABLE),
    Respelled("modelType", LONG, since="2022-02-01", until="2022-02-01"),
)

LISTING = Listing(
    filters={
        "version": by_names,
        "description": in_text("description"),
        "tags": pairs("tags"),
        "properties": pairs("properties"),
    }
)


class Model(Asset):
    """A file or folder of model weights."""

    model_uri: str
    model_type: str = "custom_model"
    flavors: dict[str, Any] = Field(default_factory=dict)
    job_name: str | None = None
    stage: str | None = None

    @field_validator("model_type")
    @classmethod
    def _spelled(cls, given: str) -> str:
        """The types that Azure names, in any case and with or without underscores."""
        known = {name.replace("_", ""): name for name in FORMATS}
        return known.get(given.casefold().replace("_", ""), given)


def model(resources: Resources, uploads: PendingUploads) -> tuple[Kind, Kind]:
    """The container and the version."""
    return kinds_of(
        AssetType(
            plural="models",
            properties=Model,
            fixed=frozenset({"modelUri", "modelType"}),
            listing=LISTING,
            rows=ROWS,
            actions=uploads.actions(),
        ),
        resources,
    )
