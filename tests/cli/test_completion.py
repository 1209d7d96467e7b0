"""Completion in the real shells, where they are installed; bash always is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_BASH = """
complete_line() {
    COMP_LINE="$1"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; COMPREPLY=()
    read -ra COMP_WORDS <<< "$COMP_LINE"
    [[ "$COMP_LINE" == *" " ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _python_argcomplete "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" ""
    echo "${COMPREPLY[*]}"
}
"""
_CASES = {
    "lazulite ml onl": "online-endpoint online-deployment",
    "lazulite ml online-deployment sh": "show",
    "lazulite ml online-deployment create --al": "--all-traffic",
    "lazulite ml compute list --max": "--max-results",
    "lazulite ml compute list -o ta": "table",
    "lazulite st": "status storage",
    "lazulite ml online-deployment create -f ": "",
    "az ml batch-endpoint inv": "invoke",
}


@pytest.fixture
def environ(tmp_path):
    """A PATH on which `lazulite` and a shim `az` are those of this interpreter."""
    known = {**os.environ, "LAZULITE_DATA_DIR": str(tmp_path)}
    command = tmp_path / "lazulite"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m lazulite "$@"\n')
    command.chmod(0o755)
    subprocess.run([command, "az-shim", tmp_path], env=known, check=True, capture_output=True)
    return {**known, "PATH": f"{tmp_path}:{known['PATH']}"}


def test_bash_completes_commands_options_and_values(environ):
    asked = "\n".join(f'complete_line "{line}"' for line in _CASES)
    script = f'eval "$(lazulite completion bash)"\n{_BASH}\n{asked}'
    done = subprocess.run(
        ["bash", "-c", script], env=environ, capture_output=True, text=True, timeout=300
    )
    found = [line.strip() for line in done.stdout.splitlines()]
    assert dict(zip(_CASES, found, strict=True)) == _CASES, done.stderr


def test_files_are_completed_by_bash_itself(environ):
    done = subprocess.run(
        ["bash", "-c", 'eval "$(lazulite completion bash)"; complete -p lazulite az'],
        env=environ, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert done.stdout.count("-o default") == 2


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_is_read_by_the_shell(environ, shell):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    load = "autoload -U compinit; compinit; " if shell == "zsh" else ""
    line = f"{load}lazulite completion {shell} | source /dev/stdin"
    subprocess.run([shell, "-c", line], env=environ, check=True, timeout=300)


@pytest.mark.parametrize(
    ("shell", "mark"),
    [("zsh", "#compdef lazulite az"), ("fish", "complete --command lazulite")],
)
def test_the_script_registers_the_command(lazulite, environ, monkeypatch, shell, mark):
    monkeypatch.setenv("PATH", environ["PATH"])
    assert mark in lazulite("completion", shell)[1]


def test_another_shell_is_refused_with_those_that_are_known(lazulite):
    code, _, err = lazulite("completion", "powershell")
    assert code == 1
    assert "bash, zsh, fish" in err


def test_the_shell_of_the_person_is_the_default(lazulite, monkeypatch):
    monkeypatch.setenv("SHELL", str(Path("/usr/bin/fish")))
    assert "complete --command lazulite" in lazulite("completion")[1]
