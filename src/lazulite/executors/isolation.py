"""How far user code is shut in on this machine: asked of the machine once, when a server starts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from lazulite.core.settings import SettingError, Settings
from lazulite.executors import bubblewrap, limits
from lazulite.executors.launch import PLAIN, Mount, Sandbox

WISHES = ("auto", bubblewrap.KIND, PLAIN)
NETWORKS = ("host", "none")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Isolation:
    """The sandbox that every process of user code starts from, and why it is that one."""

    sandbox: Sandbox
    reason: str
    """For a person: what was asked for, or what is missing and how to get it."""

    @property
    def level(self) -> str:
        """The kind of the sandbox: bubblewrap or none."""
        return self.sandbox.kind

    @property
    def is_on(self) -> bool:
        """Whether user code is kept from the server's files."""
        return self.level != PLAIN


def isolation(settings: Settings, hidden: Iterable[Path]) -> Isolation:
    """What holds with these settings here; tries it out, which takes some 50 ms. Blocks.

    hidden: folders of the server, of which processes see only what is shown to them.
    Raises SettingError for words that are no choice, and if what is required does not work.
    """
    _check("isolation", settings.isolation, WISHES)
    _check("isolation_network", settings.isolation_network, NETWORKS)
    _check_shown(settings)
    bounds = {
        limits.PROCESSES: str(settings.isolation_processes),
        limits.MEMORY_MIB: str(settings.isolation_memory_mib),
    }
    unconfined = Sandbox(details=bounds)
    if settings.isolation == PLAIN:
        _refuse_networkless(settings)
        return Isolation(sandbox=unconfined, reason="LAZULITE_ISOLATION is none")
    if why := _trouble():
        if settings.isolation == bubblewrap.KIND:
            raise _unavailable("LAZULITE_ISOLATION=bubblewrap", why)
        _refuse_networkless(settings, why)
        return Isolation(sandbox=unconfined, reason=why)
    details = {
        **bounds,
        bubblewrap.PROGRAM: (program := str(bubblewrap.find())),
        bubblewrap.BINDS_OPENED: "yes" if bubblewrap.binds_opened(program) else "",
        bubblewrap.HIDDEN: ":".join(str(folder.resolve()) for folder in hidden),
        bubblewrap.TMP_MIB: str(settings.isolation_tmp_mib),
    }
    network = settings.isolation_network == "host"
    mounts = tuple(Mount(path=str(path), writable=rw) for path, rw in settings.shown)
    sandbox = Sandbox(kind=bubblewrap.KIND, mounts=mounts, network=network, details=details)
    return Isolation(sandbox=sandbox, reason="bubblewrap works here")


def _trouble() -> str:
    program = bubblewrap.find()
    if program is None:
        return "bubblewrap is not installed: install the package `bubblewrap` (the command bwrap)"
    return bubblewrap.trouble(program)


def _check(name: str, value: str, words: tuple[str, ...]) -> None:
    if value not in words:
        variable = f"LAZULITE_{name.upper()}"
        message = f"{variable} is {value!r}: it must be one of {', '.join(words)}."
        raise SettingError("InvalidSetting", message)


def _check_shown(settings: Settings) -> None:
    for path, _ in settings.shown:
        if not path.exists():
            message = f"LAZULITE_ISOLATION_SHOW names {str(path)!r}, which is not there."
            raise SettingError("InvalidSetting", message)


def _refuse_networkless(settings: Settings, why: str = "LAZULITE_ISOLATION is none") -> None:
    """Nobody must believe that code is cut off when it is not."""
    if settings.isolation_network == "none":
        raise _unavailable("LAZULITE_ISOLATION_NETWORK=none", why)


def _unavailable(asked: str, why: str) -> SettingError:
    message = (
        f"{asked} cannot be had: {why}. Mend that, or unset it to run user code without a sandbox."
    )
    return SettingError("IsolationUnavailable", message)
