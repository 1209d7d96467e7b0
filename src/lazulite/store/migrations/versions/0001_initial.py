"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    _resources()
    _identity()
    _blobs()


def _resources() -> None:
    op.create_table(
        "resources",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("resource_type", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), nullable=False),
        sa.Column("envelope", sa.JSON(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.JSON(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("observed", sa.JSON(), nullable=False),
        sa.Column("observed_generation", sa.Integer(), nullable=False),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_until", sa.DateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("deleting", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("gone_at", sa.DateTime(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("modified_at", sa.DateTime(), nullable=False),
        sa.Column("modified_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("uid"),
        sa.UniqueConstraint("key"),
    )
    op.create_index(
        "resources_by_parent", "resources", ["parent", "resource_type", "created_at"], unique=False
    )
    op.create_index("resources_due", "resources", ["due_at"], unique=False)


def _identity() -> None:
    op.create_table(
        "installations",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("subscription_id", sa.String(length=36), nullable=False),
        sa.Column("key_check", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("number = 1", name="installations_single"),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "role_assignments",
        sa.Column("name", sa.String(length=36), nullable=False),
        sa.Column("object_id", sa.String(length=36), nullable=False),
        sa.Column("role_id", sa.String(length=36), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("scope_key", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sa.UniqueConstraint("object_id", "role_id", "scope_key", name="role_assignments_once"),
    )
    op.create_index("role_assignments_by_scope", "role_assignments", ["scope_key"], unique=False)
    op.create_table(
        "service_principals",
        sa.Column("client_id", sa.String(length=36), nullable=False),
        sa.Column("object_id", sa.String(length=36), nullable=False),
        sa.Column("tenant_id", sa.String(length=36), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("credential", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("client_id"),
        sa.UniqueConstraint("object_id"),
    )


def _blobs() -> None:
    op.create_table(
        "blob_containers",
        sa.Column("account", sa.String(length=24), nullable=False),
        sa.Column("container", sa.String(length=63), nullable=False),
        sa.Column("modified", sa.DateTime(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("account", "container"),
    )
    op.create_table(
        "blobs",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=24), nullable=False),
        sa.Column("container", sa.String(length=63), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("content_encoding", sa.Text(), nullable=False),
        sa.Column("content_language", sa.Text(), nullable=False),
        sa.Column("content_disposition", sa.Text(), nullable=False),
        sa.Column("cache_control", sa.Text(), nullable=False),
        sa.Column("md5", sa.LargeBinary(), nullable=True),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("blocks", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("key", "size", "mtime_ns"),
    )
    op.create_index("blobs_by_container", "blobs", ["account", "container"], unique=False)
