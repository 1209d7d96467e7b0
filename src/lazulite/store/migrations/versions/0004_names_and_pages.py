"""Names and numbers as columns, and indexes that answer every list without reading past it."""

import sqlalchemy as sa
from alembic import op

revision = "0004_names_and_pages"
down_revision = "0003_run_metrics"

LIVING = sa.text("gone_at IS NULL")
INDEXES = {
    "resources_by_parent": ["parent", "resource_type", "created_at", "key"],
    "resources_by_type": ["resource_type", "key"],
    "resources_by_name": ["resource_type", "name"],
    "resources_by_number": ["parent", "resource_type", "number"],
}


def upgrade() -> None:
    """Add the columns, fill them in, and replace the index by parent."""
    op.add_column("resources", sa.Column("name", sa.String(), server_default="", nullable=False))
    op.add_column("resources", sa.Column("number", sa.BigInteger(), nullable=True))
    _fill(op.get_bind())
    op.drop_index("resources_by_parent", "resources")
    for name, columns in INDEXES.items():
        op.create_index(name, "resources", columns, sqlite_where=LIVING, postgresql_where=LIVING)


def _fill(connection: sa.Connection) -> None:
    rows = sa.table("resources", *(sa.column(name) for name in ("uid", "id", "name", "number")))
    for uid, arm_id in connection.execute(sa.select(rows.c.uid, rows.c.id)).all():
        name = arm_id.rsplit("/", 1)[-1].casefold()
        number = int(name) if name.isascii() and name.isdigit() and len(name) <= 18 else None
        change = sa.update(rows).where(rows.c.uid == uid).values(name=name, number=number)
        connection.execute(change)
