"""workspaces/components: steps for pipelines, kept as they are given. Source: spec/REST.md 7.4."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from lazulite.arm.assets import STABLE, STAGED, Asset, AssetType, kinds_of
from lazulite.arm.kind import Kind
from lazulite.store.resources import Resources


class Component(Asset):
    """A step that pipelines refer to. Nothing in its spec is looked at here."""

    component_spec: dict[str, Any] = Field(default_factory=dict)
    stage: str | None = None


def component(resources: Resources) -> tuple[Kind, Kind]:
    """The container and the version."""
    return kinds_of(
        AssetType(
            plural="components",
            properties=Component,
            fixed=frozenset({"componentSpec"}),
            rows=(STAGED,),
            newest_called="azureml_default",
            since=STABLE,
        ),
        resources,
    )
