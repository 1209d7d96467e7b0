"""Tables of identity: the installation, applications and their principals, roles."""

from __future__ import annotations

import sqlalchemy as sa

from lazulite.store.schema import UtcDateTime, metadata

installations = sa.Table(
    "installations",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("tenant_id", sa.String(36), nullable=False),
    sa.Column("subscription_id", sa.String(36), nullable=False),
    sa.Column("key_check", sa.String, nullable=False),  # the tenant id, sealed: proves the data key
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.CheckConstraint("number = 1", name="installations_single"),
)

applications = sa.Table(
    "applications",
    metadata,
    sa.Column("client_id", sa.String(36), primary_key=True),
    sa.Column("object_id", sa.String(36), nullable=False, unique=True),
    sa.Column("display_name", sa.String, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

client_secrets = sa.Table(
    "client_secrets",
    metadata,
    sa.Column("key_id", sa.String(36), primary_key=True),  # tokens name the one they were got with
    sa.Column("client_id", sa.String(36), nullable=False),
    sa.Column("display_name", sa.String, nullable=False),
    sa.Column("hint", sa.String, nullable=False),  # how the secret begins
    sa.Column("secret_hash", sa.String, nullable=False),  # argon2id, with its own parameters
    sa.Column("starts_at", UtcDateTime, nullable=False),
    sa.Column("ends_at", UtcDateTime, nullable=False),
    sa.Index("client_secrets_by_client", "client_id"),
)

service_principals = sa.Table(
    "service_principals",
    metadata,
    sa.Column("client_id", sa.String(36), primary_key=True),
    sa.Column("object_id", sa.String(36), nullable=False, unique=True),
    sa.Column("tenant_id", sa.String(36), nullable=False),
    sa.Column("display_name", sa.String, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

role_assignments = sa.Table(
    "role_assignments",
    metadata,
    sa.Column("name", sa.String(36), primary_key=True),
    sa.Column("object_id", sa.String(36), nullable=False),
    sa.Column("role_id", sa.String(36), nullable=False),
    sa.Column("scope", sa.String, nullable=False),  # as first written
    sa.Column("scope_key", sa.String, nullable=False),  # folded; "" is the root
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("created_by", sa.String, nullable=False),
    sa.UniqueConstraint("object_id", "role_id", "scope_key", name="role_assignments_once"),
    sa.Index("role_assignments_by_scope", "scope_key"),
)

role_definitions = sa.Table(
    "role_definitions",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("name_key", sa.String, nullable=False, unique=True),  # folded
    sa.Column("description", sa.String, nullable=False),
    sa.Column("actions", sa.JSON, nullable=False),
    sa.Column("not_actions", sa.JSON, nullable=False),
    sa.Column("data_actions", sa.JSON, nullable=False),
    sa.Column("not_data_actions", sa.JSON, nullable=False),
    sa.Column("assignable_scopes", sa.JSON, nullable=False),
)
