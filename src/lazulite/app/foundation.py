"""What a server stands on before it is wired: data, keys, tasks, a front door to be."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncEngine

from lazulite.app.blob_place import check_place, check_url
from lazulite.app.data_access import Reach
from lazulite.app.layout import Layout
from lazulite.core.clock import utc_now
from lazulite.core.settings import Settings
from lazulite.environments.opened import environment_providers
from lazulite.environments.providers import EnvironmentProviders
from lazulite.executors.isolation import Isolation, isolation
from lazulite.executors.local import LocalExecutor
from lazulite.executors.passing import passed_on
from lazulite.identity.applications import SecretHasher
from lazulite.identity.bootstrap import Bootstrap, Installation
from lazulite.identity.keys import Keyring, open_keyring
from lazulite.serving.certificates import Certificates, ensure_certificates, public_authorities
from lazulite.serving.front_door import FrontDoor, Launch, find_haproxy, most_connections
from lazulite.serving.haproxy_config import FrontDoorSettings
from lazulite.serving.kept_logs import KeptLogs
from lazulite.store.database import open_database
from lazulite.store.resources import Resources
from lazulite.telemetry.store import TelemetryStore

LOOPBACK = "127.0.0.1"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Foundation:
    """What is there before the front door is: data, keys, tasks."""

    settings: Settings
    layout: Layout
    engine: AsyncEngine
    keyring: Keyring
    installed: Installation
    resources: Resources
    executor: LocalExecutor
    certificates: Certificates
    front_door: FrontDoor
    hasher: SecretHasher
    reach: Reach
    providers: EnvironmentProviders
    isolation: Isolation
    telemetry: TelemetryStore

    @property
    def kept_logs(self) -> KeptLogs:
        """Logs of replicas that are no more."""
        return KeptLogs(self.layout.folder("telemetry") / "logs")


async def lay_foundation(settings: Settings, layout: Layout, env: Mapping[str, str]) -> Foundation:
    """Open or make the data folder's content. The caller holds its lock.

    Raises SettingError for settings that cannot be used, before anything is started.
    """
    check_url(settings.blobs)
    reach = Reach.of(settings, layout)
    check_place(layout, settings.blobs)
    shut_in = await asyncio.to_thread(isolation, settings, (layout.data, layout.run))
    keyring = open_keyring(layout.data / "keys")
    engine = await open_database(layout.database)
    hasher = SecretHasher()
    installed = await Bootstrap(engine, keyring.secrets, hasher, utc_now).run(layout.data)
    certificates = ensure_certificates(
        layout.folder("certificates"),
        names=settings.hosts,
        public_authorities=public_authorities(),
        now=utc_now(),
    )
    executor = LocalExecutor(layout.folder("tasks"), passed_on(env))
    return Foundation(
        settings=settings,
        layout=layout,
        engine=engine,
        keyring=keyring,
        installed=installed,
        resources=Resources(engine, utc_now),
        executor=executor,
        certificates=certificates,
        front_door=_front_door(settings, layout, (keyring, installed, certificates), executor),
        hasher=hasher,
        reach=reach,
        providers=environment_providers(settings, layout.data, env),
        isolation=shut_in,
        telemetry=TelemetryStore(layout.folder("telemetry") / "telemetry.db"),
    )


def _front_door(
    settings: Settings,
    layout: Layout,
    trust: tuple[Keyring, Installation, Certificates],
    executor: LocalExecutor,
) -> FrontDoor:
    keyring, installed, certificates = trust
    fixed = FrontDoorSettings(
        run_folder=layout.run,
        control_socket=layout.control_socket,
        certificate=certificates.server,
        issuer=issuer(installed),
        token_keys=(keyring.endpoints.public_pem().decode(),),
        hosts=("localhost", "*.localhost", LOOPBACK, "[::1]", *settings.hosts),
        max_connections=most_connections(),
    )
    launch = Launch(
        python=sys.executable,
        haproxy=find_haproxy(),
        https=(settings.host, settings.port),
        http=(LOOPBACK, settings.http_port),
        drain_s=settings.drain_s,
        access_log=layout.folder("telemetry") / "access",
    )
    return FrontDoor(fixed, launch, layout.folder("front-door"), executor)


def issuer(installed: Installation) -> str:
    """Who aml_tokens are from: it outlives a change of ports."""
    return f"lazulite:{installed.tenant_id}"
