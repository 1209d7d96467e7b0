"""Which datastore of a workspace is the default: the one that was made it last.

When it was made the default stands in the datastore's own row, so that one write moves it.
"""

from __future__ import annotations

import sqlalchemy as sa

from lazulite.core.ids import DATASTORES
from lazulite.store.pages import ROW, Condition
from lazulite.store.resources import Draft, Json, Resource, Resources
from lazulite.store.schema import resources

FIRST = "workspaceblobstore"
SINCE = "defaultSince"


async def default_of(rows: Resources, workspace: str) -> Resource | None:
    """The default datastore of the workspace of that id; None if it has none."""
    stores = await rows.children(workspace, DATASTORES)
    marked = [store for store in stores if store.name == FIRST or store.envelope.get(SINCE)]
    return max(marked, key=lambda store: str(store.envelope.get(SINCE) or ""), default=None)


def is_default() -> Condition:
    """The same of rows in a list."""
    other = resources.alias()
    since = sa.func.coalesce(other.c.envelope[SINCE].as_string(), "")
    marked = sa.or_(other.c.name == FIRST, since != "")
    stores = (other.c.parent == ROW.parent, other.c.resource_type == DATASTORES)
    newest = sa.select(other.c.key).where(*stores, other.c.gone_at.is_(None), marked)
    return ROW.key == newest.order_by(since.desc()).limit(1).scalar_subquery()


async def make_default(rows: Resources, store: Resource, actor: str) -> None:
    """Make it the default, instead of the one that was."""
    draft = Draft(
        resource_type=DATASTORES,
        id=store.id,
        properties=store.properties,
        envelope=chosen(store.envelope, rows),
        uid=store.uid,
        reconciled=False,
    )
    await rows.put(draft, actor)


def chosen(envelope: Json, rows: Resources) -> Json:
    """The envelope of a datastore that becomes the default."""
    return {**envelope, SINCE: rows.clock().isoformat()}
