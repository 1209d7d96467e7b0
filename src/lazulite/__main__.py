"""`python -m lazulite`, and the command `lazulite`: nothing is imported before Ctrl-C is silent."""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import NoReturn

_INTERRUPTED = 130


def run() -> NoReturn:
    """Run the command of this process, and end it with the command's exit code."""
    nowhere = Path(os.devnull).open("w")  # noqa: SIM115 - until the process ends
    sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere  # the caller closed one
    try:
        code = import_module("lazulite.cli.main").main()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    run()
