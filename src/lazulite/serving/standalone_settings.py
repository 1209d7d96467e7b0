"""What `lazulite serve` is told: the arguments, the variables and the config file of azmlinfsrv.

Source: spec/ONLINE.md 5.1 and 5.2.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from lazulite.serving.keeper_spec import DEBUG_PORT

DEFAULT_PORT = 5001
SEPARATE_HEALTH_PORT = 5000
AS = "azmlinfsrv/1.5.1"
"""The server whose contract is kept, as x-ms-server-version names it."""


class BadArgumentError(Exception):
    """What was asked for cannot be served; the message says why."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class StandaloneSettings:
    """One server for one scoring script."""

    env: Mapping[str, str]
    """Variables of the workers: the caller's own, the config file's below, the arguments' above."""
    python: str
    """The interpreter that serves."""
    worker_count: int
    worker_timeout_s: int
    """WORKER_TIMEOUT: how long a request may keep a worker."""
    port: int
    health_port: int
    config_file: str | None

    @property
    def run_limit_s(self) -> float:
        """How long a request may keep a worker before it is replaced; a debugger may for ever."""
        return math.inf if self.env.get(DEBUG_PORT) else self.worker_timeout_s

    @property
    def ports(self) -> tuple[int, ...]:
        """All to listen on, the one for scoring first."""
        return tuple(dict.fromkeys((self.port, self.health_port)))


def read_standalone(arguments: Sequence[str], environ: Mapping[str, str]) -> StandaloneSettings:
    """The settings. Raises BadArgumentError, and SystemExit for --help and bad arguments."""
    given = _parser().parse_args(arguments)
    if not given.entry_script and not given.config_file and not environ.get(ENTRY_SCRIPT):
        raise BadArgumentError("Give --entry_script, or a --config_file with AZUREML_ENTRY_SCRIPT.")
    env = {**_config(given.config_file), **environ}
    env.pop("SERVER_PORT", None)  # only arguments choose ports
    env |= {name: value for name, value in _told(given).items() if value is not None}
    is_apart = env.get("SEPERATE_HEALTH_ENDPOINT", "").lower() == "true"
    port = given.port or DEFAULT_PORT
    health_port = given.health_port or (SEPARATE_HEALTH_PORT if is_apart else port)
    if env.get("SERVER_VERSION_LOG_RESPONSE_ENABLED", "true").lower() == "true":
        env["HTTP_X_MS_SERVER_VERSION"] = AS
    env.setdefault("AML_APP_ROOT", str(Path.cwd()))
    env["AML_APP_INSIGHTS_ENABLED"] = str(insights_key_is_valid(env)).lower()
    return StandaloneSettings(
        env=env,
        python=_python(given.python),
        worker_count=_positive(env, "WORKER_COUNT", 1),
        worker_timeout_s=_positive(env, "WORKER_TIMEOUT", 300),
        port=port,
        health_port=health_port,
        config_file=env.get("AZUREML_CONFIG_FILE"),
    )


ENTRY_SCRIPT = "AZUREML_ENTRY_SCRIPT"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def insights_key_is_valid(env: Mapping[str, str]) -> bool:
    """Whether Application Insights is asked for, with a key that can be one."""
    is_on = env.get("AML_APP_INSIGHTS_ENABLED") == "true"
    return is_on and _GUID.fullmatch(env.get("AML_APP_INSIGHTS_KEY", "")) is not None


class _Parser(argparse.ArgumentParser):
    """Ends with 1 for bad arguments, as azmlinfsrv does, after its help."""

    def error(self, message: str) -> NoReturn:
        self.print_help(sys.stderr)
        self.exit(1, f"\n{self.prog}: error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lazulite serve",
        description="Serve a scoring script, without a Lazulite server.",
        epilog="Example: lazulite serve --entry_script score.py --port 5001",
    )
    add = parser.add_argument
    add("--entry_script", "--entry-script", help="path of the scoring script")
    add("--model_dir", "--model-dir", help="what AZUREML_MODEL_DIR names; default: nothing")
    add("--port", type=_port, help=f"where to score; default: {DEFAULT_PORT}")
    add("--health_port", "--health-port", type=_port, help="where to ask for health; as --port")
    add("--worker_count", "--worker-count", type=_count, help="processes; default: 1")
    add("--appinsights_instrumentation_key", help="accepted and printed; nothing is sent")
    add("--access_control_allow_origins", help='origins of pages that may call: "a, b" or "*"')
    add("--config_file", "--config-file", help="JSON with the names of variables as keys")
    add("--rest", action="store_true", help=argparse.SUPPRESS)
    add("--python", help="environment or interpreter to serve in; default: the server's own")
    return parser


def _port(text: str) -> int:
    if not _is_number(text) or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: it must be 1 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not _is_number(text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number above 0")
    return int(text)


def _told(given: argparse.Namespace) -> dict[str, str | None]:
    """The arguments as variables."""
    script, key = given.entry_script, given.appinsights_instrumentation_key
    return {
        ENTRY_SCRIPT: os.path.realpath(script) if script else None,
        "AZUREML_MODEL_DIR": given.model_dir,
        "WORKER_COUNT": str(given.worker_count) if given.worker_count else None,
        "AML_APP_INSIGHTS_KEY": key,
        "AML_APP_INSIGHTS_ENABLED": "true" if key else None,
        "AML_CORS_ORIGINS": given.access_control_allow_origins,
        "AZUREML_CONFIG_FILE": os.path.realpath(given.config_file) if given.config_file else None,
    }


def _config(path: str | None) -> dict[str, str]:
    """The variables of a config file. Raises BadArgumentError."""
    if path is None:
        return {}
    try:
        values: Any = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise BadArgumentError(f"The config file {path!r} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise BadArgumentError(f"The config file {path!r} must be a JSON object.")
    return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _positive(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, str(default))
    if not _is_number(text) or int(text) < 1:
        raise BadArgumentError(f"{name} is {text[:100]!r}: it must be a whole number above 0.")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _python(given: str | None) -> str:
    """The interpreter of an environment, or itself. Raises BadArgumentError."""
    if given is None:
        return sys.executable
    path = Path(given).absolute()
    python = path / "bin/python" if path.is_dir() else path
    if not os.access(python, os.X_OK):
        raise BadArgumentError(f"--python {given!r} is neither an environment nor an interpreter.")
    return str(python)
