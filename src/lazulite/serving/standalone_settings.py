"""What `lazulite serve` is told: the arguments, the variables and the config file of azmlinfsrv.

Source: spec/ONLINE.md 5.1 and 5.2.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import lazulite

DEFAULT_PORT = 5001
SEPARATE_HEALTH_PORT = 5000
AS = "azmlinfsrv/1.5.1"
"""The server whose contract is kept, as x-ms-server-version names it."""
OFF = "The server is told of Application Insights, and sends nothing: it works without a cloud."


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
    """How long a request may keep a worker before it is replaced."""
    port: int
    health_port: int
    config_file: str | None

    @property
    def ports(self) -> tuple[int, ...]:
        """All to listen on, the one for scoring first."""
        return tuple(dict.fromkeys((self.port, self.health_port)))

    def banner(self) -> str:
        """What is printed before the workers start."""
        said = self.env.get
        lines = {
            "Entry Script Name": said("AZUREML_ENTRY_SCRIPT"),
            "Model Directory": said("AZUREML_MODEL_DIR"),
            "Config File": self.config_file,
            "Worker Count": self.worker_count,
            "Worker Timeout (seconds)": self.worker_timeout_s,
            "Server Port": self.port,
            "Health Port": self.health_port,
            "Application Insights Enabled": said("AML_APP_INSIGHTS_ENABLED", "false"),
            "Application Insights Key": said("AML_APP_INSIGHTS_KEY"),
            "Inferencing HTTP server version": AS,
            "CORS for the specified origins": said("AML_CORS_ORIGINS"),
            "Create dedicated endpoint for health": said("SEPERATE_HEALTH_ENDPOINT"),
        }
        settings = "\n".join(f"{label}: {value}" for label, value in lines.items())
        return (
            f"Azure ML Inferencing HTTP server, as Lazulite {lazulite.__version__} has it\n\n\n"
            f"Server Settings\n---------------\n{settings}\n\n\n"
            "Server Routes\n---------------\n"
            f"Liveness Probe: GET   127.0.0.1:{self.health_port}/\n"
            f"Score:          POST  127.0.0.1:{self.port}/score\n"
        )


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
    return StandaloneSettings(
        env=env,
        python=_python(given.python),
        worker_count=_positive(env, "WORKER_COUNT", 1),
        worker_timeout_s=_positive(env, "WORKER_TIMEOUT", 300),
        port=port,
        health_port=health_port,
        config_file=given.config_file,
    )


ENTRY_SCRIPT = "AZUREML_ENTRY_SCRIPT"


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
        "AZUREML_CONFIG_FILE": given.config_file,
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
