"""Names in URLs are unique by constraint, and rows know when their generation was settled."""

import sqlalchemy as sa
from alembic import op

revision = "0006_names_once"
down_revision = "0005_blob_protocol"

WHERE = sa.text(
    "gone_at IS NULL AND resource_type IN ("
    "'Microsoft.MachineLearningServices/workspaces/onlineEndpoints', "
    "'Microsoft.MachineLearningServices/workspaces/batchEndpoints', "
    "'Microsoft.Storage/storageAccounts')"
)


def upgrade() -> None:
    """Add the column, taken from the last write where it is past, and the index."""
    op.add_column("resources", sa.Column("settled_at", sa.DateTime(), nullable=True))
    op.execute(
        "UPDATE resources SET settled_at = modified_at WHERE observed_generation = generation"
    )
    op.create_index(
        "resources_one_of_a_kind",
        "resources",
        ["resource_type", "name"],
        unique=True,
        sqlite_where=WHERE,
        postgresql_where=WHERE,
    )
