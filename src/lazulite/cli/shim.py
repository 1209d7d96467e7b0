"""`az-shim`: a command `az` for machines without one, and its way to a real one if there is."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import CommandError
from lazulite.cli.report import Report

MARK = "# Written by `lazulite az-shim`; may be removed at any time."
_MOST = 4096
"""Bytes of a program that are looked at: a shim is much shorter."""


def write(arguments: Arguments, environ: Mapping[str, str], report: Report) -> dict[str, Any]:
    """Write the command into a folder. A second call writes it anew.

    Raises CommandError if a program of that name is there that is not a shim.
    """
    folder = Path(arguments.target)
    place = folder / "az"
    if (place.exists() or place.is_symlink()) and not is_shim(place):
        raise CommandError(
            "FileExists", f"{place} is there and is no shim: name another folder, or remove it."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        place.write_text(f'#!/bin/sh\n{MARK}\nexec {_command()} az "$@"\n')
        place.chmod(0o755)
    except OSError as error:
        raise CommandError("FileNotWritable", f"{place}: {error.strerror}.") from error
    found = real_az(environ)
    said = f"commands that it does not know go to {found}" if found else "there is no other `az`"
    first = f'export PATH="{folder.resolve()}:$PATH"'
    report.note(f"Put it first: {first}. `az ml ...` is then lazulite, and {said}.")
    return {"path": str(place.resolve()), "az": str(found) if found else None}


def pass_on(words: Sequence[str], known: Collection[str], environ: Mapping[str, str]) -> None:
    """Become a real `az`, if there is one, for words whose first is none of the known ones.

    Returns if there is none, or if the words are ours.
    """
    if not words or words[0] in known or words[0].startswith("-"):
        return
    if found := real_az(environ):
        os.execv(found, [str(found), *words])  # noqa: S606 - what the user typed, without a shell


def real_az(environ: Mapping[str, str]) -> Path | None:
    """The first `az` on PATH that is no shim."""
    folders = [Path(each) for each in environ.get("PATH", "").split(os.pathsep) if each]
    programs = (folder / "az" for folder in folders)
    return next((each for each in programs if os.access(each, os.X_OK) and not is_shim(each)), None)


def is_shim(program: Path) -> bool:
    """Whether the program was written by `az-shim`."""
    try:
        with program.open("rb") as file:
            return MARK.encode() in file.read(_MOST)
    except OSError:
        return False


def _command() -> str:
    """The installation that runs now, whatever PATH is when the shim is called."""
    return f"{shlex.quote(sys.executable)} -m lazulite"
