"""Bringing the tables of an older release up to date."""

from __future__ import annotations

import sqlalchemy as sa


def migrate(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Create what is missing. Safe to repeat."""
    metadata.create_all(connection)
