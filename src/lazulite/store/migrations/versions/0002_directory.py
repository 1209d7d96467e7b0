"""Applications with several secrets, custom roles, and an administrator of the whole server."""

import uuid
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002_directory"
down_revision = "0001"

_NO_END = timedelta(days=36500)


def upgrade() -> None:
    """Add the tables, and move the one secret that each principal had into its table."""
    _applications()
    _role_definitions()
    _move_principals()
    _move_owners()


def _applications() -> None:
    op.create_table(
        "applications",
        sa.Column("client_id", sa.String(length=36), nullable=False),
        sa.Column("object_id", sa.String(length=36), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("client_id"),
        sa.UniqueConstraint("object_id"),
    )
    op.create_table(
        "client_secrets",
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.Column("client_id", sa.String(length=36), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("ends_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key_id"),
    )
    op.create_index("client_secrets_by_client", "client_secrets", ["client_id"], unique=False)


def _role_definitions() -> None:
    op.create_table(
        "role_definitions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("actions", sa.JSON(), nullable=False),
        sa.Column("not_actions", sa.JSON(), nullable=False),
        sa.Column("data_actions", sa.JSON(), nullable=False),
        sa.Column("not_data_actions", sa.JSON(), nullable=False),
        sa.Column("assignable_scopes", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name_key"),
    )


def _move_principals() -> None:
    """The secrets of the first release had no end: they get a hundred years."""
    for row in _rows("service_principals"):
        application = {
            "client_id": row.client_id,
            "object_id": str(uuid.uuid4()),
            "display_name": row.display_name,
            "created_at": row.created_at,
        }
        secret = {
            "key_id": str(uuid.uuid4()),
            "client_id": row.client_id,
            "display_name": "",
            "hint": "",
            "secret_hash": row.secret_hash,
            "starts_at": row.created_at,
            "ends_at": row.created_at + _NO_END,
        }
        _insert("applications", application)
        _insert("client_secrets", secret)
    with op.batch_alter_table("service_principals") as table:
        table.drop_column("secret_hash")
        table.drop_column("credential")


def _move_owners() -> None:
    """Only administrators had roles: theirs now reach the directory, too."""
    (installed,) = _rows("installations") or [None]
    for row in _rows("role_assignments"):
        if installed and row.scope_key == f"/subscriptions/{installed.subscription_id}":
            everywhere = {"name": str(uuid.uuid4()), "scope": "/", "scope_key": ""}
            _insert("role_assignments", dict(row._mapping) | everywhere)


def _rows(name: str) -> list[Any]:
    return list(op.get_bind().execute(sa.select(_table(name))).all())


def _insert(name: str, row: dict[str, Any]) -> None:
    op.get_bind().execute(sa.insert(_table(name)).values(**row))


def _table(name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())
