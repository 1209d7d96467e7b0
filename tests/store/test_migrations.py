"""The revisions lead to the tables that the code declares."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

import lazulite.store.blob_tables
import lazulite.store.identity_tables
import lazulite.store.run_tables  # noqa: F401 - declares its tables
from lazulite.store import migrations
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
            ("0007_object_versions",)
        ]
    connection.close()


async def test_rows_of_the_first_release_get_their_names_and_numbers(tmp_path):
    path = tmp_path / "old.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        upgrade(connection, "0001")
        for name in ("12", "V2", "0" * 30):
            ids = f"'{name}', 't', '/m/{name}', '/m/{name}', '/m'"
            values = ids + ", '{}', '{}', '{}', 1, '{}', 1"
            columns = (
                "uid, resource_type, key, id, parent, envelope, properties, secrets, generation"
            )
            connection.exec_driver_sql(
                f"INSERT INTO resources ({columns}, observed, observed_generation, created_at, "
                f"created_by, modified_at, modified_by) VALUES ({values}, '2026-01-01 00:00:00', "
                "'', '2026-01-01 00:00:00', '')"
            )
    engine.dispose()
    await close_database(await open_database(path))
    with sa.create_engine(f"sqlite:///{path}").connect() as connection:
        rows = connection.exec_driver_sql("SELECT name, number FROM resources ORDER BY name").all()
    assert rows == [("0" * 30, None), ("12", 12), ("v2", None)]


async def test_administrators_of_the_first_release_keep_their_secret_and_roles(tmp_path):
    path = tmp_path / "old.db"
    made = sa.create_engine(f"sqlite:///{path}")
    with made.begin() as connection:
        upgrade(connection, "0001")
        connection.exec_driver_sql(
            "insert into installations values (1, 't', 's', 'check', '2026-01-01 00:00:00')"
        )
        connection.exec_driver_sql(
            "insert into service_principals values "
            "('c', 'o', 't', 'lazulite-admin', 'hash', 3, '2026-01-01 00:00:00')"
        )
        connection.exec_driver_sql(
            "insert into role_assignments values ('n', 'o', 'owner', '/subscriptions/s', "
            "'/subscriptions/s', '2026-01-01 00:00:00', 'o')"
        )
    made.dispose()

    await close_database(await open_database(path))

    with sqlite3.connect(path) as connection:
        secrets = connection.execute("select client_id, secret_hash from client_secrets")
        assert secrets.fetchall() == [("c", "hash")]
        ((ends,),) = connection.execute("select ends_at from client_secrets")
        assert ends > "2100"
        principals = connection.execute("select * from service_principals").fetchall()
        assert principals == [("c", "o", "t", "lazulite-admin", "2026-01-01 00:00:00")]
        scopes = connection.execute("select role_id, scope, scope_key from role_assignments")
        assert sorted(scopes.fetchall()) == [
            ("owner", "/", ""),
            ("owner", "/subscriptions/s", "/subscriptions/s"),
        ]
    connection.close()


def upgrade(connection, revision):
    """Only up to a revision, as an older release would have."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    scripts = ScriptDirectory.from_config(config)

    def run(found, _context):
        return scripts._upgrade_revs(revision, found)

    with EnvironmentContext(config, scripts, fn=run, destination_rev=revision) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()


async def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path):
    path = Path(tmp_path / "broken.db")
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(sa.exc.DatabaseError):
        await open_database(path)
    assert path.read_bytes() == b"this is no database" * 1000
