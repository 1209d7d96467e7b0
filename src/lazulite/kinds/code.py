"""workspaces/codes: folders of scripts. Source: spec/REST.md 7.4, spec/CLIENTS.md 7.2."""

from __future__ import annotations

from lazulite.arm.assets import Asset, AssetType, kinds_of
from lazulite.arm.kind import Kind
from lazulite.arm.listing import Listing, exactly
from lazulite.arm.placed import placed
from lazulite.deployments.pending_uploads import PendingUploads
from lazulite.store.resources import Resources

LISTING = Listing(
    filters={"hash": exactly("properties", "hash_sha256")}, across=frozenset({"hash"})
)
"""Clients look for code that is there already by its hash. Source: spec/CLIENTS.md 7.2."""


class Code(Asset):
    """A folder of scripts."""

    code_uri: str


def code(resources: Resources, uploads: PendingUploads) -> tuple[Kind, Kind]:
    """The container and the version."""
    return kinds_of(
        AssetType(
            plural="codes",
            properties=Code,
            fixed=frozenset({"codeUri"}),
            listing=LISTING,
            rows=(placed("codeUri"),),
            actions=uploads.actions(),
        ),
        resources,
    )
