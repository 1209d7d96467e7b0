"""The first start: decides tenant, subscription and administrator, and leaves the credentials.

The file is written before the database, and the database adopts what a file already says. So a
crash between the two heals at the next start, with the credentials that may have been read since.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import uuid
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lazulite.core.clock import Clock
from lazulite.identity.applications import (
    SecretHasher,
    for_years,
    hashed_secret,
    insert_application,
    insert_secret,
    new_application,
    new_secret,
)
from lazulite.identity.assignments import insert_assignment
from lazulite.identity.principals import insert_principal, new_principal
from lazulite.identity.private_files import (
    UnusableFileError,
    create_private,
    read_private,
    unfinished,
)
from lazulite.identity.roles import BLOB_OWNER, OWNER, RoleAssignment
from lazulite.identity.sealing import BadSealError, SecretBox
from lazulite.store.database import reading
from lazulite.store.identity_tables import installations

CREDENTIALS = "credentials.json"
_ADMIN = "lazulite-admin"
_SHORTEST_SECRET = 32  # characters
_YEARS = 100  # the administrator must be able to come in whatever was forgotten


@dataclasses.dataclass(frozen=True, kw_only=True)
class Installation:
    """What the first start decided once for all."""

    tenant_id: str
    subscription_id: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Credentials:
    """The administrator's way in, as credentials.json holds it."""

    tenant_id: str
    client_id: str
    client_secret: str = dataclasses.field(repr=False)


class Bootstrap:
    """Makes an installation out of an empty database and a data folder."""

    def __init__(
        self, engine: AsyncEngine, box: SecretBox, hasher: SecretHasher, clock: Clock
    ) -> None:
        self._engine, self._box, self._hasher, self._clock = engine, box, hasher, clock

    async def run(self, data_folder: Path) -> Installation:
        """The installation, which the first call makes together with <data>/credentials.json.

        Any number of calls and crashes leave one administrator. Raises UnusableFileError for a
        credentials file that is broken or open to others, or a data key of another database. A
        credentials file that was moved away after the first start is not missed.
        """
        path = data_folder / CREDENTIALS
        unfinished(path).unlink(missing_ok=True)
        if (present := await self._present(data_folder)) is not None:
            if path.exists():
                read_private(path)
            return present
        credentials = _credentials(path)
        secret_hash = await asyncio.to_thread(self._hasher.hash, credentials.client_secret)
        wanted = Installation(tenant_id=credentials.tenant_id, subscription_id=str(uuid.uuid4()))
        await self.install(wanted, credentials, secret_hash)
        installed = await self._present(data_folder)
        if installed is None or installed.tenant_id != wanted.tenant_id:
            problem = "belongs to no administrator: another server was installed first"
            raise UnusableFileError(path, problem, "Replace it by the other server's file.")
        return installed

    async def install(
        self, wanted: Installation, credentials: Credentials, secret_hash: str
    ) -> None:
        """Write the decisions, all or none; nothing if there is an installation already."""
        row = dataclasses.asdict(wanted) | {
            "number": 1,
            "key_check": self._box.seal(wanted.tenant_id.encode()),
            "created_at": self._clock(),
        }
        try:
            async with self._engine.begin() as connection:
                await connection.execute(sa.insert(installations).values(**row))
                await self._administrator(connection, credentials, secret_hash)
        except IntegrityError:
            return  # two servers on one database: the other one was first

    async def _administrator(
        self, connection: AsyncConnection, credentials: Credentials, secret_hash: str
    ) -> None:
        """Owner of everything; as in Azure, Owner alone reads no blob, hence the second role."""
        now, client_id = self._clock(), credentials.client_id
        application = new_application(_ADMIN, now, client_id)
        admin = new_principal(credentials.tenant_id, application)
        lasts, secret = for_years(now, _YEARS), credentials.client_secret
        await insert_application(connection, application)
        await insert_secret(connection, hashed_secret(client_id, secret, secret_hash, lasts))
        await insert_principal(connection, admin, now)
        for role in (OWNER, BLOB_OWNER):
            given = RoleAssignment(
                name=str(uuid.uuid4()), object_id=admin.object_id, role_id=role.id, scope="/"
            )
            await insert_assignment(connection, given, admin.object_id, now)

    async def _present(self, data_folder: Path) -> Installation | None:
        async with reading(self._engine).begin() as connection:
            row = (await connection.execute(sa.select(installations))).one_or_none()
        if row is None:
            return None
        self._check_key(row.key_check, row.tenant_id, data_folder)
        return Installation(tenant_id=row.tenant_id, subscription_id=row.subscription_id)

    def _check_key(self, sealed: str, expected: str, data_folder: Path) -> None:
        try:
            if self._box.open(sealed) == expected.encode():
                return
        except BadSealError:
            pass
        problem = "has a database whose secrets were sealed with another data-encryption key"
        remedy = "Restore keys and database from one backup."
        raise UnusableFileError(data_folder, problem, remedy)


def _credentials(path: Path) -> Credentials:
    """Those in the file; new ones, put there first, if there is none."""
    try:
        return _parsed(path, read_private(path))
    except FileNotFoundError:
        made = Credentials(
            tenant_id=str(uuid.uuid4()), client_id=str(uuid.uuid4()), client_secret=new_secret()
        )
        create_private(path, json.dumps(dataclasses.asdict(made), indent=2).encode() + b"\n")
        return made


def _parsed(path: Path, data: bytes) -> Credentials:
    try:
        found = Credentials(**json.loads(data))
        tenant_id, client_id = uuid.UUID(found.tenant_id), uuid.UUID(found.client_id)
        is_complete = len(found.client_secret.encode("ascii")) >= _SHORTEST_SECRET
    except (ValueError, TypeError, AttributeError):
        is_complete = False
    if not is_complete:
        problem = "does not hold tenant_id, client_id and client_secret as the server writes them"
        remedy = "Restore it, or remove it to have new credentials made."
        raise UnusableFileError(path, problem, remedy)
    return dataclasses.replace(found, tenant_id=str(tenant_id), client_id=str(client_id))
