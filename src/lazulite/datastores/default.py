"""Which datastore of a workspace is the default: the one that was made it last.

When it was made the default stands in the datastore's own row, so that one write moves it.
"""

from __future__ import annotations

from lazulite.core.ids import DATASTORES
from lazulite.store.resources import Draft, Json, Resource, Resources

FIRST = "workspaceblobstore"
SINCE = "defaultSince"


async def default_of(resources: Resources, workspace: str) -> Resource | None:
    """The default datastore of the workspace of that id; None if it has none."""
    stores = await resources.children(workspace, DATASTORES)
    marked = [store for store in stores if store.name == FIRST or store.envelope.get(SINCE)]
    return max(marked, key=lambda store: str(store.envelope.get(SINCE) or ""), default=None)


async def make_default(resources: Resources, store: Resource, actor: str) -> None:
    """Make it the default, instead of the one that was."""
    draft = Draft(
        resource_type=DATASTORES,
        id=store.id,
        properties=store.properties,
        envelope=chosen(store.envelope, resources),
        uid=store.uid,
        reconciled=False,
    )
    await resources.put(draft, actor)


def chosen(envelope: Json, resources: Resources) -> Json:
    """The envelope of a datastore that becomes the default."""
    return {**envelope, SINCE: resources.clock().isoformat()}
