"""What a person types: `az ...` as a document spells it, in a folder, on a server."""

import contextlib
import io
import os
import shlex
import string

import pytest

from lazulite.cli.main import main

OTHERS = ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "LAZULITE_URL")
CONDA = "name: plain\ndependencies:\n  - python\n"
SAMPLES = "https://pipelinedata.blob.core.windows.net/sampledata"


class Shell:
    """A folder to work in, and variables that a command line may name as $NAME."""

    def __init__(self, server, folder, **variables):
        self.server, self.folder, self.variables = server, folder, variables

    def write(self, path, text):
        """A file below the folder."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def az(self, line):
        """What a command prints; it must succeed."""
        code, out, err = self.run(line)
        assert code == 0, f"{line}\n{out}{err}"
        return out.rstrip("\n")

    def refused(self, line):
        """What a command says that must fail."""
        code, out, err = self.run(line)
        assert code != 0, out
        return err

    def run(self, line):
        """Exit code, output and messages of a command; -h and wrong options exit, too."""
        words = shlex.split(string.Template(line).substitute(self.variables))
        assert words.pop(0) == "az"
        out, err = io.StringIO(), io.StringIO()
        with self._environment(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(["az", *words])
            except SystemExit as left:
                code = left.code or 0
        return code, out.getvalue(), err.getvalue()

    @contextlib.contextmanager
    def _environment(self):
        with pytest.MonkeyPatch.context() as patch, contextlib.chdir(self.folder):
            for name in OTHERS:
                patch.delenv(name, raising=False)
            patch.setenv("LAZULITE_DATA_DIR", os.fspath(self.server.data_dir))
            yield
