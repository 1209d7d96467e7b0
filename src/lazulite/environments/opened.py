"""The environments of one data folder, opened as the settings say: by a server or without one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from lazulite.core.settings import SettingError, Settings
from lazulite.environments.conda_wish import Channels
from lazulite.environments.interpreters import Interpreters, Search
from lazulite.environments.providers import EnvironmentProviders
from lazulite.environments.python_downloads import PythonDownloads
from lazulite.environments.selection import CHOICES
from lazulite.environments.service import Environments
from lazulite.executors.container_engine import find_engine
from lazulite.executors.launch import Sandbox
from lazulite.executors.protocol import Executor


def environment_providers(
    settings: Settings, data: Path, env: Mapping[str, str]
) -> EnvironmentProviders:
    """What makes environments here. Raises SettingError for a provider that is unknown."""
    if settings.environment_provider not in CHOICES:
        raise SettingError(
            "InvalidSetting",
            f"environment_provider is {settings.environment_provider!r}: it must be one of "
            f"{', '.join(CHOICES)}.",
        )
    return EnvironmentProviders(
        wanted=settings.environment_provider,
        indexes=settings.indexes,
        channels=Channels.of(settings.channels),
        engine=find_engine(env),
        owner=str(data),
    )


def open_environments(
    settings: Settings,
    data: Path,
    env: Mapping[str, str],
    *,
    executor: Executor,
    providers: EnvironmentProviders,
    sandbox: Sandbox,
) -> Environments:
    """The environments of a data folder; its folders are made if need be.

    executor: runs the builds; sandbox: what code of packages runs in while it is built.
    """
    root, pythons = data / "environments", data / "pythons"
    for folder in (root, pythons):
        folder.mkdir(mode=0o700, exist_ok=True)
    downloads = PythonDownloads(root, pythons, executor)
    return Environments(
        root,
        executor,
        Interpreters(Search.of(env, Path(sys.executable), pythons)).find,
        downloads=downloads if settings.python_downloads == "auto" else None,
        providers=providers,
        sandbox=sandbox,
    )
