"""Lines that set variables, read back by the shells themselves."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from lazulite.core.errors import LazuliteError
from lazulite.core.shells import shell_lines

AWKWARD = "it's $HOME `id` \\ \\' \"two\" \u2019curly\u2018; é #!"
SHOW = "import json, os; print(json.dumps([os.environ['A'], os.environ['B']]))"
SHELLS = {
    "bash": ["bash", "-c"],
    "fish": ["fish", "--no-config", "-c"],
    "powershell": ["pwsh", "-NoProfile", "-Command"],
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_reads_what_was_meant(shell):
    if not shutil.which(SHELLS[shell][0]):
        pytest.skip(f"{shell} is not installed")
    lines = shell_lines({"A": AWKWARD, "B": "plain"}, shell)
    script = "\n".join([*lines, f'& "{sys.executable}" -c $env:S'] if shell == "powershell"
                       else [*lines, f'{sys.executable} -c "$S"'])  # fmt: skip
    environ = {**os.environ, "S": SHOW}
    ran = subprocess.run([*SHELLS[shell], script], env=environ, capture_output=True, check=True)
    assert json.loads(ran.stdout) == [AWKWARD, "plain"]


def test_quotes_are_escaped_as_each_shell_has_it():
    value = {"A": "it's \\ \u2019"}
    assert shell_lines(value, "fish") == ["set -gx A 'it\\'s \\\\ \u2019'"]
    assert shell_lines(value, "powershell") == ["$env:A = 'it''s \\ \u2019\u2019'"]


def test_another_shell_is_refused_with_those_that_there_are():
    with pytest.raises(LazuliteError, match="'csh' is not one of bash, fish, powershell"):
        shell_lines({}, "csh")
