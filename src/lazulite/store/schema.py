"""Tables of the resource model. High-volume data (blobs, metrics, logs) has tables of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from lazulite.core.ids import BATCH_ENDPOINTS, ONLINE_ENDPOINTS, STORAGE_ACCOUNTS

metadata = sa.MetaData()


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite itself keeps no zone."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Store UTC without zone."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Give the zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


resources = sa.Table(
    "resources",
    metadata,
    sa.Column("uid", sa.String(32), primary_key=True),
    sa.Column("resource_type", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False, unique=True),  # the folded id; gone: key#uid
    sa.Column("id", sa.String, nullable=False),  # as first written
    sa.Column("parent", sa.String, nullable=False),  # folded
    sa.Column("name", sa.String, nullable=False, server_default=""),  # the folded last segment
    sa.Column("number", sa.BigInteger),  # the name, if it is a number of at most 18 digits
    sa.Column("envelope", sa.JSON, nullable=False),  # location, tags, sku, identity, kind
    sa.Column("properties", sa.JSON, nullable=False),
    sa.Column("secrets", sa.JSON, nullable=False),  # sealed, never shown
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("observed", sa.JSON, nullable=False),
    sa.Column("observed_generation", sa.Integer, nullable=False),
    sa.Column("error", sa.JSON(none_as_null=True)),
    sa.Column("due_at", UtcDateTime),
    sa.Column("lease_token", sa.String(32)),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("deleting", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("gone_at", UtcDateTime),  # deleted for good; kept a day for its operation
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),  # the ETag
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("created_by", sa.String, nullable=False),
    sa.Column("modified_at", UtcDateTime, nullable=False),
    sa.Column("modified_by", sa.String, nullable=False),
    sa.Column("settled_at", UtcDateTime),  # when the present generation was reached, or failed
    sa.Index("resources_due", "due_at"),
)


def _of_living(name: str, *columns: str) -> sa.Index:
    """An index without tombstones: deleted rows cost the lists of the living nothing."""
    living = resources.c.gone_at.is_(None)
    of = (resources.c[column] for column in columns)
    return sa.Index(name, *of, sqlite_where=living, postgresql_where=living)


_of_living("resources_by_parent", "parent", "resource_type", "created_at", "key")
_of_living("resources_by_type", "resource_type", "key")
_of_living("resources_by_name", "resource_type", "name")
_of_living("resources_by_number", "parent", "resource_type", "number")

ONE_OF_A_KIND = (ONLINE_ENDPOINTS, BATCH_ENDPOINTS, STORAGE_ACCOUNTS)
"""Types whose names are part of URLs, so that the whole server has each name once."""

_unique = sa.and_(resources.c.gone_at.is_(None), resources.c.resource_type.in_(ONE_OF_A_KIND))
sa.Index(
    "resources_one_of_a_kind",
    *(resources.c.resource_type, resources.c.name),
    unique=True,
    sqlite_where=_unique,
    postgresql_where=_unique,
)
