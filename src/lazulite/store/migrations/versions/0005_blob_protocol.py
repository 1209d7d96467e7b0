"""What the whole Blob protocol keeps: details of blobs, access, leases, snapshots, services."""

import sqlalchemy as sa
from alembic import op

revision = "0005_blob_protocol"
down_revision = "0004_names_and_pages"


def upgrade() -> None:
    """Add two columns, which may be empty, and three tables."""
    op.add_column("blobs", sa.Column("details", sa.JSON(none_as_null=True)))
    op.add_column("blob_containers", sa.Column("access", sa.JSON(none_as_null=True)))
    op.create_table(
        "blob_leases",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=24), nullable=False),
        sa.Column("container", sa.String(length=63), nullable=False),
        sa.Column("lease", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "blob_services",
        sa.Column("account", sa.String(length=24), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("account"),
    )
    _snapshots()


def _snapshots() -> None:
    op.create_table(
        "blob_snapshots",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("snapshot", sa.String(length=28), nullable=False),
        sa.Column("account", sa.String(length=24), nullable=False),
        sa.Column("container", sa.String(length=63), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", "snapshot"),
    )
    op.create_index("blob_snapshots_by_container", "blob_snapshots", ["account", "container"])
