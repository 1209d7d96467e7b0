"""Settings: one value, read from the environment at one place.

Each field is an option of `lazulite up` and the environment variable LAZULITE_<FIELD>.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.core.errors import LazuliteError


class SettingError(LazuliteError):
    """A setting that cannot be used."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """How a server runs."""

    data_dir: Path = Path("~/.lazulite")
    """Everything the server keeps: database, blobs, environments, logs."""
    blobs: str = ""
    """Object store that keeps blobs: s3://, az:// or gs:// with bucket/prefix; "": data_dir."""
    host: str = "127.0.0.1"
    """Address that HTTPS listens on; HTTP is always loopback only."""
    port: int = 8443
    """HTTPS port; 0 takes a free one."""
    http_port: int = 8080
    """HTTP port on loopback; 0 takes a free one."""
    names: str = ""
    """More host names for the certificate and the Host header, separated by commas."""
    package_indexes: str = ""
    """Package indexes that environments may name, separated by commas, besides the server's own."""
    environment_provider: str = "auto"
    """What environments are made with: auto, venv, conda or docker."""
    conda_channels: str = ""
    """Channels of conda, separated by commas: names, URLs, or name=URL for a mirror."""
    requests_per_caller: int = 100
    """Requests of one client that are answered at a time; more are refused with 429. 0: any."""
    fetch_allow: str = ""
    """Where data may be fetched from besides the public network: hosts, *.suffixes, addresses and
    CIDRs, separated by commas."""
    url_aliases: str = ""
    """Addresses to fetch from instead: https://host/prefix=http://mirror/prefix, with commas."""
    local_folders: str = ""
    """Folders of this machine that datastores of type LocalFolder may name, with commas."""
    fetched_gib: float = 64.0
    """GiB of data of other servers that are kept."""
    python_downloads: str = "auto"
    """auto: uv downloads a Python that is asked for and not here; never: it does not."""
    environments_days: float = 0.0
    """Days after whose passing unused environments are removed; 0 keeps them."""
    environments_gib: float = 0.0
    """GiB of environments beyond which unused ones are removed; 0 is no limit."""
    isolation: str = "auto"
    """auto: user code runs in bubblewrap sandboxes where they work; bubblewrap: where they do not,
    the start is refused; none: never."""
    isolation_network: str = "host"
    """What user code reaches in a sandbox: host, whatever this machine does; none, nothing."""
    isolation_show: str = ""
    """More files and folders of this machine that sandboxes show, with commas; a path that ends in
    :rw can be written to."""
    isolation_processes: int = 4096
    """Processes and threads of one sandbox; the kernel does not count those of root. 0: any."""
    isolation_memory_mib: int = 0
    """MiB of address space of one process of user code. 0: any."""
    isolation_tmp_mib: int = 2048
    """MiB of memory that a sandbox's own /tmp, and its /dev/shm, may take up. 0: half of all."""
    logs_days: float = 7.0
    """Days that log rows of online endpoints are kept; 0 keeps them."""
    logs_mib: int = 1024
    """MiB of logs, about, beyond which the oldest rows go; 0 is no limit. Metrics do not count."""
    metrics_days: float = 93.0
    """Days that metrics are kept, those of more than two days by the hour; 0 keeps them."""
    metrics_port: int = 0
    """Port on loopback that answers /metrics to anyone on this machine; 0: there is none."""
    drain_s: float = 10.0
    """Seconds that running requests get when the server stops."""
    log_level: str = "warning"
    """debug, info, warning or error."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The additional host names."""
        return _listed(self.names)

    @property
    def indexes(self) -> tuple[str, ...]:
        """The additional package indexes."""
        return _listed(self.package_indexes)

    @property
    def channels(self) -> tuple[str, ...]:
        """The items of conda_channels."""
        return _listed(self.conda_channels)

    @property
    def fetch_hosts(self) -> tuple[str, ...]:
        """The items of fetch_allow."""
        return _listed(self.fetch_allow)

    @property
    def aliases(self) -> tuple[str, ...]:
        """The items of url_aliases."""
        return _listed(self.url_aliases)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of local_folders."""
        return tuple(Path(item).expanduser().absolute() for item in _listed(self.local_folders))

    @property
    def shown(self) -> tuple[tuple[Path, bool], ...]:
        """The items of isolation_show, and whether each can be written to."""
        return tuple(
            (Path(item.removesuffix(":rw")).expanduser().absolute(), item.endswith(":rw"))
            for item in _listed(self.isolation_show)
        )


_MOST = 1_000_000
"""Of settings that are days, seconds or GiB."""
HELP = {
    "data_dir": "Folder with everything the server keeps. Default: ~/.lazulite.",
    "blobs": "Object store that keeps blobs instead of the data folder: s3://bucket/prefix, "
    "az://container/prefix or gs://bucket/prefix. Environment variables of the cloud have the "
    "endpoint and the credentials.",
    "host": "Address that HTTPS listens on; HTTP is always loopback only. Default: 127.0.0.1.",
    "port": "HTTPS port; 0 takes a free one. Default: 8443.",
    "http_port": "HTTP port on loopback; 0 takes a free one. Default: 8080.",
    "names": "More host names that the server answers to, separated by commas.",
    "package_indexes": "Indexes that environments may name besides the server's, with commas.",
    "environment_provider": "What makes environments: auto, venv, conda or docker. Default: auto.",
    "conda_channels": "Channels of conda, with commas: names, URLs, or name=URL for a mirror; the "
    "first is for definitions that name none. Default: conda-forge.",
    "requests_per_caller": "Requests of one client answered at a time; 0 for any. Default: 100.",
    "fetch_allow": "Where data may be fetched from besides the public network: hosts, "
    "host:port, *.suffix, addresses and CIDRs, separated by commas.",
    "url_aliases": "Addresses to fetch from instead of others: "
    "https://host/prefix=http://mirror/prefix, separated by commas.",
    "local_folders": "Folders of this machine that LocalFolder datastores may name, with commas.",
    "fetched_gib": "GiB of data of other servers that are kept. Default: 64.",
    "python_downloads": "auto: uv downloads a Python that an environment asks for and that is not "
    "here; never: it does not. Default: auto.",
    "environments_days": "Days after which environments that nobody uses are removed. "
    "Default: 0, never.",
    "environments_gib": "GiB of environments beyond which those that nobody uses are removed, the "
    "oldest first. Default: 0, no limit.",
    "isolation": "auto, bubblewrap (required) or none: how user code is shut in. Default: auto.",
    "isolation_network": "host or none: what user code in a sandbox reaches. Default: host.",
    "isolation_show": "More files and folders that sandboxes show, with commas; writable with :rw.",
    "isolation_processes": "Processes of one sandbox; 0 for any. Default: 4096.",
    "isolation_memory_mib": "MiB of address space of a user's process; 0 for any. Default: 0.",
    "isolation_tmp_mib": "MiB of a sandbox's /tmp, kept in memory. Default: 2048.",
    "logs_days": "Days that log rows of online endpoints are kept; 0 for ever. Default: 7.",
    "logs_mib": "MiB of logs, about, beyond which the oldest rows go; 0 for any. Default: 1024.",
    "metrics_days": "Days that metrics are kept; 0 for ever. Default: 93.",
    "metrics_port": "Port on loopback that answers /metrics without a token, for Prometheus. "
    "Default: 0, none.",
    "drain_s": "Seconds that running requests get when the server stops. Default: 10.",
    "log_level": "debug, info, warning or error. Default: warning.",
}


def setting_help(name: str) -> str:
    """What an option is for, and the variable that sets it, too."""
    return f"{HELP[name]} Environment: LAZULITE_{name.upper()}."


def read_settings(env: Mapping[str, str], **given: Any) -> Settings:
    """Settings from options (None: not given), else the environment, else the defaults.

    Raises SettingError for a value of the wrong kind and for an unknown LAZULITE_ variable of the
    server, naming it.
    """
    values: dict[str, Any] = {}
    for field in dataclasses.fields(Settings):
        variable = f"LAZULITE_{field.name.upper()}"
        text = given.get(field.name)
        source = f"--{field.name.replace('_', '-')}"
        if text is None and variable in env:
            text, source = env[variable], variable
        if text is not None:
            values[field.name] = _converted(source, field.default, text)
    settings = Settings(**values)
    if settings.python_downloads not in {"auto", "never"}:
        found = settings.python_downloads
        message = f"python_downloads is {found!r}: it must be auto or never."
        raise SettingError("InvalidSetting", message)
    data_dir = Path(settings.data_dir).expanduser().absolute()
    return dataclasses.replace(settings, data_dir=data_dir)


def run_folder(settings: Settings, env: Mapping[str, str], user: int) -> Path:
    """A short folder for sockets, whose paths may have 100 bytes: one per user and data folder."""
    digest = hashlib.sha256(str(settings.data_dir).encode()).hexdigest()[:10]
    runtime = env.get("XDG_RUNTIME_DIR", "")
    if runtime and len(runtime) <= 24:
        return Path(runtime) / f"lz-{digest}"
    return Path("/tmp") / f"lz-{user}-{digest}"  # noqa: S108 - made 0700 and checked for its owner


def _listed(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _converted(source: str, default: Any, text: Any) -> Any:
    try:
        value = type(default)(text) if not isinstance(default, Path) else Path(text)
    except ValueError as error:
        kind = type(default).__name__
        raise SettingError("InvalidSetting", f"{source} is {text!r}: it must be {kind}.") from error
    if isinstance(value, int) and not 0 <= value <= 65535:
        raise SettingError("InvalidSetting", f"{source} is {value}: it must be 0 to 65535.")
    if isinstance(value, float) and not 0 <= value <= _MOST:
        raise SettingError("InvalidSetting", f"{source} is {value}: it must be 0 to {_MOST}.")
    return value
