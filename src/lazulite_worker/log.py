"""What a replica writes to stdout: user prints, log records, and one line per scored request.

Every line has the form of Azure's server: `time level [pid] logger - text`, times in UTC.
Source: spec/ONLINE.md 5.3 and 5.4.
"""

import builtins
import functools
import io
import json
import logging
import logging.config
import os
import sys
import time

FORMAT = "%(asctime)s %(levelname).1s [%(process)d] %(name)s - %(message)s"
FLUSH_AFTER_S = 0.05
FLUSH_LINES = 2000


class AMLLogFormatter(logging.Formatter):
    """Azure's format, in UTC. A logging.json may name it."""

    converter = time.gmtime

    def __init__(self, fmt=FORMAT, datefmt=None, style="%"):
        super().__init__(fmt=fmt, datefmt=datefmt, style=style)


class RootAccessFilter(logging.Filter):
    """Drops access lines of health probes. A logging.json may name it."""

    def filter(self, record):
        """False for a probe of /."""
        return "GET / HTTP/1.1" not in record.getMessage()


class AccessLog(object):
    """Lines for scored requests, gathered and written together: a write per request costs more.

    Call flush() no later than at `due` (time.time(), 0 when nothing waits).
    """

    def __init__(self, write, pid, now=time.time):
        """write: takes the text of one or more lines."""
        self._write = write
        self._pid = pid
        self._now = now
        self._lines = []
        self._second = -1
        self._stamp = ""
        self.due = 0.0

    def add(self, text):
        """Add a line."""
        now = self._now()
        second = int(now)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))
        self._lines.append(
            "%s,%03d I [%d] azmlinfsrv - %s\n"
            % (self._stamp, (now - second) * 1000, self._pid, text)
        )
        if not self.due:
            self.due = now + FLUSH_AFTER_S
        elif len(self._lines) >= FLUSH_LINES:
            self.flush()

    def flush(self):
        """Write what waits."""
        if self._lines:
            text = "".join(self._lines)
            self._lines.clear()
            try:
                self._write(text)
            except OSError:
                pass  # a full disk must not end the service, and there is nobody to tell
        self.due = 0.0


def redirect_streams():
    """Make stdout and stderr UTF-8, written line by line, and never failing on a character."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        stream.flush()
        wrapper = io.TextIOWrapper(
            stream.detach(), encoding="utf-8", errors="backslashreplace", line_buffering=True
        )
        setattr(sys, name, wrapper)


def configure(level, folders):
    """Set up logging: as the first logging.json in the folders says, else in Azure's form.

    Without a handler of the user's own, records of every logger go to stdout from INFO on.
    """
    formatter = AMLLogFormatter()
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    own = logging.getLogger("azmlinfsrv")
    own.addHandler(handler)
    own.propagate = False
    own.setLevel(level)
    # Python's handler of last resort leaves basicConfig() of the user's script its effect.
    last = logging.StreamHandler(sys.stdout)
    last.setFormatter(formatter)
    logging.lastResort = last
    logging.getLogger().setLevel(level)
    for folder in folders:
        path = os.path.join(folder, "logging.json")
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                logging.config.dictConfig(json.load(file))
            own.info("Loaded logging config from %s", path)
            return


def redirect_print():
    """Make print() to stdout a record of the logger azmlinfsrv.print, as in Azure."""
    plain = builtins.print
    logger = logging.getLogger("azmlinfsrv.print")

    @functools.wraps(plain)
    def print_to_logger(*values, sep=" ", end="\n", file=None, flush=False):
        if file is None or file is sys.stdout:
            separator = " " if sep is None else sep
            logger.info("%s", separator.join(map(str, values)))
        else:
            plain(*values, sep=sep, end=end, file=file, flush=flush)

    builtins.print = print_to_logger
