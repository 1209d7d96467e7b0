"""Assets: a name holds versions, and a version does not change. What all their kinds share.

Source: spec/REST.md 5 and 7.4; what clients need of them: spec/CLIENTS.md 7 and 14.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from lazulite.arm.kind import ASSET_NAME, EVERYTHING, Action, Kind, Properties
from lazulite.arm.listing import Listing, in_view
from lazulite.arm.wire import Row, Unknown, Wire
from lazulite.core.ids import ML, Address
from lazulite.store.resources import Json, Resource, Resources

FIRST = "2021-03-01"
"""The day of the first api-version that has assets; it differs the most."""
STABLE = "2021-10-01"
"""The day of the first one that knows archives, labels of versions and URIs."""
STATED = Unknown(("provisioningState",), until="2022-12-31")
STAGED = Unknown(("stage",), until="2023-03-31")
UNARCHIVED = Unknown(("isArchived",), until=FIRST)
UNNUMBERED = Unknown(("isArchived", "latestVersion", "nextVersion"), until=FIRST)
DONE = {"provisioningState": "Succeeded"}


class Container(Properties):
    """An asset's name."""

    description: str | None = None
    tags: dict[str, str | None] = Field(default_factory=dict)
    properties: dict[str, Any] = Field(default_factory=dict)
    is_archived: bool = False


class Asset(Container):
    """What all versions of assets have."""

    is_anonymous: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class AssetType:
    """One type of asset: what its two kinds are made from."""

    plural: str
    """As in ids: "models"."""
    properties: type[Asset]
    """Of a version."""
    fixed: frozenset[str]
    """Properties of a version that cannot change, besides isAnonymous."""
    container: type[Container] = Container
    inherited: frozenset[str] = frozenset()
    """Properties that a container takes from its first version."""
    rows: tuple[Row, ...] = ()
    """What api-versions differ in, of a version, besides isArchived and provisioningState."""
    container_rows: tuple[Row, ...] = ()
    computed: Mapping[str, Any] = dataclasses.field(default_factory=lambda: dict(DONE))
    """Read-only properties of every version."""
    actions: Mapping[str, Action] = dataclasses.field(default_factory=dict)
    listing: Listing = EVERYTHING
    """How lists of versions are filtered."""
    newest_called: str = ""
    """A name under which the youngest active version is read. Source: azure-ai-ml, components.get.
    """
    called: str = ""
    """What callers call it, if its rows are those of another type."""
    since: str = FIRST
    until: str = "9999-99-99"


def kinds_of(asset: AssetType, resources: Resources) -> tuple[Kind, Kind]:
    """The container and the version."""
    version = _version(asset, resources)
    return _container(asset, version, resources), version


def _version(asset: AssetType, resources: Resources) -> Kind:
    resource_type = f"workspaces/{asset.plural}/versions"

    async def newest(address: Address) -> Resource | None:
        if address.names[-1] != asset.newest_called:
            return None
        return await resources.newest(address.parent.id, f"{ML}/{resource_type}", in_view(""))

    async def show_all(versions: Sequence[Resource], base: str) -> list[Json]:
        return [dict(asset.computed) for _ in versions]

    return Kind(
        resource_type=resource_type,
        called=asset.called and f"workspaces/{asset.called}/versions",
        properties=asset.properties,
        name=ASSET_NAME,
        fixed=asset.fixed | {"isAnonymous"},
        stand_in=newest,
        has_state=False,
        show_all=show_all,
        listing=asset.listing,
        wire=Wire((UNARCHIVED, STATED, *asset.rows)),
        actions=asset.actions,
        since=asset.since,
        until=asset.until,
    )


def _container(asset: AssetType, version: Kind, resources: Resources) -> Kind:
    stated = {name: asset.computed[name] for name in DONE if name in asset.computed}

    async def show_all(containers: Sequence[Resource], base: str) -> list[Json]:
        """Which version of each is the latest, and which would be next."""
        counted = await resources.counted([one.id for one in containers], version.full_type)
        return [
            {**stated, "latestVersion": latest, "nextVersion": str(most + 1)}
            for latest, most in counted
        ]

    return Kind(
        resource_type=f"workspaces/{asset.plural}",
        called=asset.called and f"workspaces/{asset.called}",
        properties=asset.container,
        name=ASSET_NAME,
        made_by_versions=True,
        inherited=asset.inherited,
        fixed=asset.inherited,
        has_state=False,
        show_all=show_all,
        wire=Wire((UNNUMBERED, STATED, *asset.container_rows)),
        since=asset.since,
        until=asset.until,
    )
