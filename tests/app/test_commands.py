"""The server's own commands, without a server."""

import subprocess
import sys


def test_commands_beside_up_do_not_wait_for_the_servers_imports():
    program = (
        "import sys, lazulite.app.commands\n"
        "print(sorted({'sqlalchemy', 'uvicorn', 'lazulite.arm.app'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (loaded.stdout, loaded.stderr) == ("[]\n", "")
