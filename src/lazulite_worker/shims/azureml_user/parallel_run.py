"""What a batch scoring script may ask about the process it runs in. Source: spec/BATCH.md 1.5."""

import logging
import os


class EntryScript:
    """The one entry script of this process; every call gives the same object."""

    _only = None

    def __new__(cls):
        if cls._only is None:
            cls._only = super().__new__(cls)
            cls._only._logger = None
        return cls._only

    @property
    def logger(self):
        """A logger that writes to logs/user/entry_script_log/<node>/processNNN.log.txt."""
        if self._logger is None:
            self._logger = _file_logger(self.log_dir, self.agent_name)
        return self._logger

    @property
    def log_dir(self):
        """The folder of this node's entry script logs."""
        return os.environ["LAZULITE_BATCH_LOG_DIR"]

    @property
    def output_dir(self):
        """The job's output folder."""
        return os.environ["AZUREML_BI_OUTPUT_PATH"]

    @property
    def working_dir(self):
        """The folder of the scoring script."""
        return os.getcwd()

    @property
    def agent_name(self):
        """The name of this process: processNNN."""
        return os.environ["LAZULITE_BATCH_AGENT"]


def _file_logger(folder, agent):
    os.makedirs(folder, exist_ok=True)
    logger = logging.getLogger("EntryScript")
    handler = logging.FileHandler(os.path.join(folder, agent + ".log.txt"))
    handler.setFormatter(logging.Formatter("%(asctime)s|%(levelname)s|%(process)d|%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.getLogger().level or logging.INFO)
    # Azure keeps this log apart from stdout.
    logger.propagate = False
    return logger
