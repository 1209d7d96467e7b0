"""Tables of blob properties: what clients say of a blob beside its bytes, which are a file."""

from __future__ import annotations

import sqlalchemy as sa

from lazulite.store.schema import UtcDateTime, metadata

KEYS_PER_QUERY = 500  # databases bound the parameters of one statement

blobs = sa.Table(
    "blobs",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),  # hash of account, container, name
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),  # bytes
    sa.Column("mtime_ns", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("account", sa.String(24), nullable=False),
    sa.Column("container", sa.String(63), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("content_type", sa.Text, nullable=False),
    sa.Column("content_encoding", sa.Text, nullable=False),
    sa.Column("content_language", sa.Text, nullable=False),
    sa.Column("content_disposition", sa.Text, nullable=False),
    sa.Column("cache_control", sa.Text, nullable=False),
    sa.Column("md5", sa.LargeBinary),
    sa.Column("metadata", sa.JSON, nullable=False),
    sa.Column("blocks", sa.JSON(none_as_null=True)),  # [[id in hex, bytes], ...] as committed
    sa.Column("details", sa.JSON(none_as_null=True)),  # see blobs/details.py
    sa.Column("e_tag", sa.Text),  # of the object that is this version; see blobs/bindings.py
    sa.Index("blobs_by_container", "account", "container"),
)
"""A row counts only while (size, mtime_ns) is that of the file; see blobs/rows.py."""

containers = sa.Table(
    "blob_containers",
    metadata,
    sa.Column("account", sa.String(24), primary_key=True),
    sa.Column("container", sa.String(63), primary_key=True),
    sa.Column("modified", UtcDateTime, nullable=False),
    sa.Column("metadata", sa.JSON, nullable=False),
    sa.Column("access", sa.JSON(none_as_null=True)),  # public level and stored access policies
)
"""Only what the folder of a container cannot say; a folder without a row is a container."""

leases = sa.Table(
    "blob_leases",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),  # hash of account, container, name
    sa.Column("account", sa.String(24), nullable=False),
    sa.Column("container", sa.String(63), nullable=False),
    sa.Column("lease", sa.JSON, nullable=False),
)
"""Leases of blobs, and of containers, whose name is empty; see blobs/leases.py."""

snapshots = sa.Table(
    "blob_snapshots",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),  # of the blob
    sa.Column("snapshot", sa.String(28), primary_key=True),
    sa.Column("account", sa.String(24), nullable=False),
    sa.Column("container", sa.String(63), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),  # bytes
    sa.Column("mtime_ns", sa.BigInteger, nullable=False),  # of the blob when it was taken
    sa.Column("properties", sa.JSON, nullable=False),
    sa.Index("blob_snapshots_by_container", "account", "container"),
)
"""A row counts once it is there: its file was synced before."""

services = sa.Table(
    "blob_services",
    metadata,
    sa.Column("account", sa.String(24), primary_key=True),
    sa.Column("properties", sa.JSON, nullable=False),  # {section: XML}
)
