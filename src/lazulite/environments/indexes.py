"""Where installers get packages: the server's own configuration, for pip and uv alike.

uv does not read pip's configuration; on a machine whose mirror stands in pip.conf alone, uv would
go to the public index. So pip's settings are said again in uv's words, unless uv has its own.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterable, Mapping
from pathlib import Path

_KEPT = frozenset(
    {
        "HOME", "LANG", "LANGUAGE", "PATH", "TMPDIR", "TZ", "USER", "LOGNAME", "NETRC",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
        "CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "FC", "LD_LIBRARY_PATH",
        "PKG_CONFIG_PATH", "CUDA_HOME", "CUDA_PATH", "MAX_JOBS",
    }
)  # fmt: skip
_KEPT_PREFIXES = ("PIP_", "UV_", "XDG_", "LC_")
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})
_SECTIONS = ("global", "install")  # the later wins, as in pip
# pip has these too, but they would send the packages elsewhere or change which are chosen.
_DROPPED = frozenset(
    {
        "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIREMENT", "PIP_CONSTRAINT",
        "PIP_DRY_RUN", "PIP_REQUIRE_VIRTUALENV", "PIP_PYTHON", "PIP_QUIET", "PIP_VERBOSE",
        "UV_SYSTEM_PYTHON", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT", "UV_BREAK_SYSTEM_PACKAGES",
        "UV_CONSTRAINT", "UV_OVERRIDE", "UV_NO_BUILD_ISOLATION", "UV_VENV_SEED", "UV_VENV_CLEAR",
    }
)  # fmt: skip


def installer_environment(
    environ: Mapping[str, str], pip_settings: Mapping[str, str]
) -> dict[str, str]:
    """The environment that pip and uv run in: what they need of the server's, and no more.

    Other variables stay out, as the build scripts of packages run in it. pip_settings: what
    read_pip_settings found.
    """
    kept = {name: value for name, value in environ.items() if _is_kept(name)}
    kept.update(UV_PYTHON_DOWNLOADS="never", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    for name, value in _for_uv(pip_settings).items():
        kept.setdefault(name, value)
    if "UV_INDEX_URL" in environ:
        kept.pop("UV_DEFAULT_INDEX", None)
    if "UV_EXTRA_INDEX_URL" in environ and "UV_INDEX" not in environ:
        kept.pop("UV_INDEX", None)
    return kept


def uv_flags(environ: Mapping[str, str], pip_settings: Mapping[str, str]) -> tuple[str, ...]:
    """The one setting of pip for which uv has an option but no variable."""
    has_own = "UV_DEFAULT_INDEX" in environ or "UV_INDEX_URL" in environ
    value = pip_settings.get("no-index", "").lower()
    return ("--no-index",) if value in {"1", "true", "yes", "on"} and not has_own else ()


def read_pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Settings of pip by their long option names; variables win over files, files in pip's order.

    A file that is not there or cannot be parsed is skipped: pip itself will say so.
    Source: pip documentation, "Configuration".
    """
    settings: dict[str, str] = {}
    for path in pip_files(environ):
        settings.update(_read(path))
    for name, value in environ.items():
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE":
            settings[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return settings


def _is_kept(name: str) -> bool:
    if name in _DROPPED:
        return False
    return name in _KEPT or name.startswith(_KEPT_PREFIXES) or name.lower() in _PROXIES


def _for_uv(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings of pip in uv's variables."""
    said: dict[str, str] = {}
    if index := settings.get("index-url"):
        said["UV_DEFAULT_INDEX"] = index
    if extra := settings.get("extra-index-url"):
        said["UV_INDEX"] = " ".join(extra.split())
        # uv stops at the first index that has a name, pip looks at all of them.
        said["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if links := settings.get("find-links"):
        said["UV_FIND_LINKS"] = ",".join(links.split())
    if hosts := settings.get("trusted-host"):
        said["UV_INSECURE_HOST"] = " ".join(hosts.split())
    if certificates := settings.get("cert"):
        said["SSL_CERT_FILE"] = certificates
    if timeout := settings.get("default-timeout") or settings.get("timeout"):
        said["UV_HTTP_TIMEOUT"] = timeout
    if proxy := settings.get("proxy"):
        said["ALL_PROXY"] = proxy
    return said


def pip_files(environ: Mapping[str, str]) -> Iterable[Path]:
    """The configuration files of pip, the weakest first; none if PIP_CONFIG_FILE is /dev/null."""
    own = environ.get("PIP_CONFIG_FILE")
    if own == "/dev/null":
        return []
    home = Path(environ.get("HOME", "/"))
    site = environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    files = [Path(folder) / "pip/pip.conf" for folder in reversed(site.split(":")) if folder]
    files += [
        Path("/etc/pip.conf"),
        home / ".pip/pip.conf",
        Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip/pip.conf",
    ]
    return [*files, Path(own)] if own else files


def _read(path: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, "utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return {}
    settings: dict[str, str] = {}
    for section in _SECTIONS:
        if parser.has_section(section):
            settings.update(parser.items(section))
    return {name.replace("_", "-"): value for name, value in settings.items()}
