"""The revisions lead to the tables that the code declares."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import lazulite.store.blob_tables
import lazulite.store.identity_tables  # noqa: F401 - declares its tables
from lazulite.store.database import close_database, open_database
from lazulite.store.schema import metadata


async def test_a_new_database_has_every_declared_table(tmp_path):
    engine = await open_database(tmp_path / "new.db")
    await close_database(engine)
    with sa.create_engine(f"sqlite:///{tmp_path / 'new.db'}").connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


async def test_opening_twice_changes_nothing(tmp_path):
    for _ in range(2):
        engine = await open_database(tmp_path / "twice.db")
        await close_database(engine)
    with sqlite3.connect(tmp_path / "twice.db") as connection:
        assert connection.execute("select version_num from alembic_version").fetchall() == [
            ("0002_directory",)
        ]
    connection.close()


async def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path):
    path = Path(tmp_path / "broken.db")
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(sa.exc.DatabaseError):
        await open_database(path)
    assert path.read_bytes() == b"this is no database" * 1000
