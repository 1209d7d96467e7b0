"""The batch worker process: init() once, then run(mini_batch) for every number it is given.

Started by a compute node with three descriptors named in LAZULITE_FDS: the socket to the job's
supervisor, the slot page that shows which mini-batch runs since when, and the inputs file.
"""

import faulthandler
import io
import json
import logging
import mmap
import os
import signal
import socket
import sys
import time

from lazulite_worker import batch_records, batch_rows, batch_script
from lazulite_worker.batch_inputs import MiniBatches
from lazulite_worker.batch_outbox import Outbox
from lazulite_worker.batch_wire import (
    CONFIGURE,
    FAILURES,
    FRAME,
    IDLE,
    INIT_FAILED,
    READY,
    RESULT,
    SLOT,
    SLOT_BYTES,
    STOP,
    TASK,
    TASKS,
)


def main():
    """Serve the supervisor until it says stop or is gone."""
    descriptors = [int(number) for number in os.environ.pop("LAZULITE_FDS").split(",")]
    _line_buffer_output()
    # A run() that hangs leaves its stack in stderr before it is killed.
    faulthandler.register(signal.SIGUSR1, file=2, all_threads=True)
    worker = Worker(*descriptors[:3])
    script = worker.prepare()
    worker.work(script)
    script.shutdown()


class Worker:
    """The worker's end of the connection to the supervisor."""

    def __init__(self, connection, slot, inputs):
        supervisor = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=connection)
        self._outbox, self._reader = Outbox(supervisor), supervisor.makefile("rb", 1 << 16)
        self._slot = mmap.mmap(slot, SLOT_BYTES)
        self._inputs, self._summary_only = inputs, False
        self._render = batch_rows.render

    def prepare(self):
        """Configure the process, load the script and call init(). Ends the process on failure."""
        kind, body = self._receive()
        if kind != CONFIGURE:
            sys.exit(0)
        config = json.loads(body.decode())
        self._summary_only = config["summary_only"]
        if config.get("records"):
            self._render = batch_records.render
        try:
            script = _start(config)
        except BaseException as error:  # noqa: BLE001 - user code: whatever ends it is its failure
            self._outbox.send(
                INIT_FAILED, batch_script.user_traceback(error).encode("utf-8", "replace")
            )
            _flush_output()
            os._exit(3)
        self._outbox.send(READY, b"")
        return script

    def work(self, script):
        """Have the script score mini-batches as they come, until told to stop or left alone."""
        batches = None
        while True:
            kind, body = self._receive()
            if kind in (None, STOP):
                return
            if kind == TASKS:
                # Only now: the inputs file is written while workers start.
                batches = batches or MiniBatches(self._inputs)
                self._chunk(script, batches, [number for (number,) in TASK.iter_unpack(body)])

    def _chunk(self, script, batches, numbers):
        for number in numbers[:-1]:
            self._outbox.hold(self._score(script, number, batches))
            if self._outbox.is_late:
                SLOT.pack_into(self._slot, 0, time.monotonic(), IDLE)
                self._outbox.release()
        last = self._score(script, numbers[-1], batches)
        SLOT.pack_into(self._slot, 0, time.monotonic(), IDLE)
        self._outbox.release(last)

    def _score(self, script, number, batches):
        begin = time.perf_counter()
        SLOT.pack_into(self._slot, 0, time.monotonic(), number)
        try:
            payload, rows, succeeded = self._results(script, batches, number)
            raised = 0
        except (Exception, SystemExit) as error:  # noqa: BLE001 - user code
            payload = batch_script.user_traceback(error).encode("utf-8", "replace")
            raised, rows, succeeded = 1, 0, 0
        if script.failures:
            self._outbox.send(FAILURES, TASK.pack(number) + json.dumps(script.failures).encode())
        if self._summary_only and not raised:
            payload = b""
        seconds = time.perf_counter() - begin
        return RESULT.pack(number, raised, succeeded, rows, seconds, len(payload)), payload

    def _results(self, script, batches, number):
        """What is rendered of what run() returns for a mini-batch."""
        part = batches.row_range(number)
        if part is None:
            paths = batches[number]
            return self._render(script.run(paths), len(paths))
        result, read = script.run_rows(part)
        payload, rows, succeeded = self._render(result, read)
        # Fewer rows than lines are no failure: empty lines are none to whoever reads them.
        return payload, rows, max(0, part.rows - (read - succeeded))

    def _receive(self):
        try:
            head = self._reader.read(FRAME.size)
            if len(head) < FRAME.size:
                return None, b""
            length, kind = FRAME.unpack(head)
            return kind, self._reader.read(length)
        except ConnectionError:
            return None, b""


def _start(config):
    """Make the process look as Azure's to the script, load it and call its init()."""
    sys.argv = config["argv"]
    script = config["script"]
    # As if the script had been run itself: its folder in place of where the worker was started.
    sys.path[0] = os.path.dirname(script) if script else config["code_dir"]
    if config["code_dir"] not in sys.path:
        sys.path.insert(1, config["code_dir"])
    sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "shims"))
    os.chdir(config["code_dir"])
    level = getattr(logging, config["logging_level"].upper(), logging.INFO)
    logging.basicConfig(
        stream=sys.stdout, level=level, format="%(asctime)s|%(levelname)s|%(name)s|%(message)s"
    )
    loaded = batch_script.load(script)
    loaded.init()
    return loaded


def _line_buffer_output():
    """What was printed before a hang or a crash must be in the file."""
    for name in ("stdout", "stderr"):
        raw = getattr(sys, name).detach()
        text = io.TextIOWrapper(raw, "utf-8", "backslashreplace", line_buffering=True)
        setattr(sys, name, text)
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr


def _flush_output():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass


if __name__ == "__main__":
    main()
