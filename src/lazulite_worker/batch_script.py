"""The user's batch scoring script: found, loaded, called. Source: spec/BATCH.md 1.2."""

import importlib.util
import os
import sys
import traceback

MLFLOW_MODEL = "LAZULITE_MLFLOW_MODEL"
"""Names the folder with MLmodel that is scored when there is no script."""


class Script:
    """What a scoring script defines; run is called once per mini-batch."""

    failures = ()
    """[path, error] of each file that failed in the last run(), where that is known."""

    def __init__(self, module, origin):
        """Raises AttributeError if the module has no run()."""
        self.run = getattr(module, "run", None)
        if self.run is None:
            raise AttributeError(
                "%s defines no run(mini_batch); a batch scoring script needs init() and "
                "run(mini_batch)" % origin
            )
        self.init = getattr(module, "init", _nothing)
        self.shutdown = getattr(module, "shutdown", _nothing)

    def run_rows(self, part):
        """The results of some rows of a table, and how many rows were read."""
        from lazulite_worker import batch_table  # noqa: PLC0415 - costs pandas; for tables only

        table = batch_table.read(part)
        return self.run(table) if len(table) else [], len(table)


def load(path):
    """Import the script at the path, or the MLflow scorer if the path is None."""
    if path is None:
        from lazulite_worker import mlflow_batch  # noqa: PLC0415 - costs pandas; for these only

        return mlflow_batch.scorer(os.environ[MLFLOW_MODEL])
    name = _module_name(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("%s is not a Python file" % path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return Script(module, path)


def user_traceback(error, limit=20):
    """The traceback as the user should see it: from the first frame that is not ours; <= 16 KiB."""
    ours = (os.path.dirname(os.path.abspath(__file__)), "<frozen importlib")
    begin = error.__traceback__
    while begin is not None and begin.tb_frame.f_code.co_filename.startswith(ours):
        begin = begin.tb_next
    lines = traceback.format_exception(type(error), error, begin, limit=limit)
    return "".join(lines)[-16384:]


def _module_name(path):
    """The file's own name, so that pickles of its classes load; never one that is taken."""
    stem = os.path.splitext(os.path.basename(path))[0]
    return "entry_script" if stem in sys.modules or not stem.isidentifier() else stem


def _nothing():
    """Stands for an init() or shutdown() that the script does not define."""
