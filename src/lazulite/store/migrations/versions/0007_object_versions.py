"""Which object of an object store each version of a blob is."""

import sqlalchemy as sa
from alembic import op

revision = "0007_object_versions"
down_revision = "0006_names_once"


def upgrade() -> None:
    """Add a column, which is empty for files."""
    op.add_column("blobs", sa.Column("e_tag", sa.Text))
