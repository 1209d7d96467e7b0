"""The download task: `python -m lazulite.environments.python_download SPEC`, one Python by uv.

It leaves a Python in the folder, or the reason why not. uv puts it there in one step, so that a
killed download leaves no half of it.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from lazulite.core.errors import SpecError
from lazulite.environments.build_log import BuildLog
from lazulite.environments.diagnosis import OTHER, Diagnosis
from lazulite.environments.indexes import installer_environment, read_pip_settings
from lazulite.environments.places import Places
from lazulite.environments.venv import uv_binary
from lazulite.store.files import locked, read_json, write_json

RETRIES = "1"
"""Of uv, unless the server's environment says: on a machine without a network nobody waits long."""


def main(spec: Path, environ: Mapping[str, str]) -> int:
    """Download what the spec says; 0 if it is there now."""
    value = read_json(spec)
    places = Places(Path(value["root"]), value["hash"])
    with BuildLog.opened(places.log) as log:
        log.say(f"Python {value['version']} is not on this machine: downloading it with uv")
        command = [uv_binary(), "python", "install", value["version"], "--no-bin", "--color=never"]
        command += ["--no-progress", "--install-dir", value["folder"]]
        with locked(places.lock) as lock:
            failure = _failure(log, command, _environment(environ), lock)
    if failure is None:
        places.log.unlink(missing_ok=True)  # the build's own log says which Python it has
        return 0
    write_json(places.failed, dataclasses.asdict(failure))
    return 1


def _failure(
    log: BuildLog, command: list[str], env: Mapping[str, str], lock: int
) -> Diagnosis | None:
    try:
        log.run(command, env, hold=lock)
    except (subprocess.CalledProcessError, SpecError, OSError) as error:
        lines = (getattr(error, "output", "") or str(error)).splitlines()
        causes = [line.strip() for line in lines if line.strip()]
        return Diagnosis(OTHER, causes[-1] if causes else "uv gave no reason", tail=tuple(lines))
    return None


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    found = installer_environment(environ, read_pip_settings(environ))
    return {"UV_HTTP_RETRIES": RETRIES, **found, "UV_PYTHON_DOWNLOADS": "manual"}


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), os.environ))
