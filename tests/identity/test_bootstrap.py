from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from lazulite.identity.access import Access
from lazulite.identity.applications import Applications, SecretHasher
from lazulite.identity.bootstrap import Bootstrap
from lazulite.identity.principals import Principals
from lazulite.identity.private_files import UnusableFileError
from lazulite.identity.roles import BLOB_OWNER, OWNER
from lazulite.identity.sealing import SecretBox
from lazulite.store.database import close_database, open_database


@pytest.fixture
def bootstrap(engine, hasher, clock) -> Bootstrap:
    return Bootstrap(engine, SecretBox(bytes(32)), hasher, clock)


def credentials(folder: Path) -> dict[str, str]:
    return json.loads((folder / "credentials.json").read_text())


async def test_first_start_makes_one_administrator_with_a_private_file(
    bootstrap, directory, hasher, tmp_path
) -> None:
    installed = await bootstrap.run(tmp_path)

    written = credentials(tmp_path)
    assert set(written) == {"tenant_id", "client_id", "client_secret"}
    assert written["tenant_id"] == installed.tenant_id
    assert stat.S_IMODE((tmp_path / "credentials.json").stat().st_mode) == 0o600
    admin = await directory.principals.find(written["client_id"])
    (secret,) = await directory.applications.secrets(admin.client_id)
    assert hasher.matches(secret.secret_hash, written["client_secret"])
    found = await directory.access.principal(admin.object_id)
    assert {(each.role_id, each.scope) for each in found.assignments} == {
        (OWNER.id, "/"),
        (BLOB_OWNER.id, "/"),
    }


async def test_second_start_changes_nothing(bootstrap, directory, tmp_path) -> None:
    first = await bootstrap.run(tmp_path)
    written = credentials(tmp_path)

    assert await bootstrap.run(tmp_path) == first
    assert credentials(tmp_path) == written
    assert len(await directory.principals.all()) == 1


async def test_secret_is_nowhere_in_the_database(bootstrap, tmp_path) -> None:
    await bootstrap.run(tmp_path)
    secret = credentials(tmp_path)["client_secret"].encode()

    for path in tmp_path.glob("lazulite.db*"):
        assert secret not in path.read_bytes()


async def test_moved_credentials_file_is_not_made_again(bootstrap, tmp_path) -> None:
    first = await bootstrap.run(tmp_path)
    (tmp_path / "credentials.json").unlink()

    assert await bootstrap.run(tmp_path) == first
    assert not (tmp_path / "credentials.json").exists()


async def test_new_database_adopts_the_credentials_that_are_there(
    bootstrap, hasher, clock, tmp_path
) -> None:
    first = await bootstrap.run(tmp_path)
    written = credentials(tmp_path)
    engine = await open_database(tmp_path / "other.db")

    again = await Bootstrap(engine, SecretBox(bytes(32)), hasher, clock).run(tmp_path)

    assert again.tenant_id == first.tenant_id
    assert credentials(tmp_path) == written
    (found,) = await Applications(engine, Access(engine, clock)).secrets(written["client_id"])
    assert hasher.matches(found.secret_hash, written["client_secret"])
    await close_database(engine)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "null",
        '{"tenant_id": "x", "client_id": "y", "client_secret": "' + "s" * 43 + '"}',
        '{"tenant_id": "11111111-2222-4333-8444-555555555555"}',
        '{"tenant_id": "11111111-2222-4333-8444-555555555555", '
        '"client_id": "11111111-2222-4333-8444-555555555555", "client_secret": "short"}',
        '{"tenant_id": 1, "client_id": 2, "client_secret": 3}',
        "",
    ],
)
async def test_broken_credentials_file_is_refused_and_kept(bootstrap, tmp_path, text) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(UnusableFileError, match=r"credentials\.json"):
        await bootstrap.run(tmp_path)
    assert path.read_text() == text


async def test_credentials_that_others_can_read_are_refused_even_later(bootstrap, tmp_path) -> None:
    await bootstrap.run(tmp_path)
    (tmp_path / "credentials.json").chmod(0o644)

    with pytest.raises(UnusableFileError, match="chmod 600"):
        await bootstrap.run(tmp_path)


async def test_database_of_another_data_key_is_refused(
    bootstrap, engine, hasher, clock, tmp_path
) -> None:
    await bootstrap.run(tmp_path)
    other = Bootstrap(engine, SecretBox(b"k" * 32), hasher, clock)

    with pytest.raises(UnusableFileError, match="another data-encryption key"):
        await other.run(tmp_path)


async def test_second_server_on_one_database_is_told_so(
    bootstrap, engine, hasher, clock, tmp_path
) -> None:
    """The other server finishes between this one's look at the database and its write."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    class Overtaken(Bootstrap):
        async def install(self, *decisions) -> None:
            await bootstrap.run(tmp_path / "a")
            await super().install(*decisions)

    slower = Overtaken(engine, SecretBox(bytes(32)), hasher, clock)
    with pytest.raises(UnusableFileError, match="another server was installed first"):
        await slower.run(tmp_path / "b")


CHILD = """
    import asyncio, os, signal, sys
    from pathlib import Path
    from lazulite.core.clock import utc_now
    from lazulite.identity import bootstrap, private_files
    from lazulite.identity.applications import SecretHasher
    from lazulite.identity.sealing import SecretBox
    from lazulite.store.database import close_database, open_database

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    class Killed(bootstrap.Bootstrap):
        async def install(self, *decisions):
            if point == "after database":
                await super().install(*decisions)
            die()

    async def main():
        engine = await open_database(folder / "lazulite.db")
        if point == "before file":
            private_files.os.link = die
        if point == "within file":
            private_files.os.fsync = die
        await Killed(engine, SecretBox(bytes(32)), SecretHasher(), utc_now).run(folder)

    folder, point = Path(sys.argv[1]), sys.argv[2]
    asyncio.run(main())
"""


@pytest.mark.crash
@pytest.mark.parametrize(
    "point", ["within file", "before file", "before database", "after database"]
)
async def test_killed_first_start_heals_at_the_next(tmp_path: Path, clock, point: str) -> None:
    command = [sys.executable, "-c", textwrap.dedent(CHILD), str(tmp_path), point]
    killed = subprocess.run(command, env=dict(os.environ), check=False)
    assert killed.returncode == -signal.SIGKILL
    path = tmp_path / "credentials.json"
    seen = path.read_text() if path.exists() else None
    assert (seen is not None) == point.endswith("database")

    engine = await open_database(tmp_path / "lazulite.db")
    await Bootstrap(engine, SecretBox(bytes(32)), SecretHasher(), clock).run(tmp_path)

    written = credentials(tmp_path)
    assert seen is None or json.loads(seen) == written
    principals = await Principals(engine, Access(engine, clock), clock).all()
    assert [each.client_id for each in principals] == [written["client_id"]]
    (secret,) = await Applications(engine, Access(engine, clock)).secrets(written["client_id"])
    assert SecretHasher().matches(secret.secret_hash, written["client_secret"])
    assert [each.name for each in tmp_path.glob(".*")] == []
    await close_database(engine)
