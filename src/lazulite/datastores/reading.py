"""From a datastore to the container that it is, for what reads data on this machine."""

from __future__ import annotations

from lazulite.core.errors import SpecError
from lazulite.store.resources import Resource

SERVED = frozenset({"AzureBlob", "AzureFile"})


def container_of(store: Resource) -> tuple[str, str]:
    """Account and container. Raises SpecError for a type whose data this server cannot read."""
    kind = store.properties["datastoreType"]
    if kind not in SERVED:
        raise SpecError(
            "DataNotReachable",
            f"The datastore {store.name!r} is of type {kind}: it is kept as a record, its data are "
            "not read here. Copy them to an AzureBlob datastore of the workspace.",
        )
    named = store.properties.get("containerName") or store.properties.get("fileShareName")
    return store.properties["accountName"], str(named)
