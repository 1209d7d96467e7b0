"""What a batch worker sends: results that come quickly share a message, and none waits for long."""

import threading
import time

from lazulite_worker.batch_wire import FRAME, RESULTS

PATIENCE_S = 0.025
"""How long a result may wait for others; a chunk of mini-batches is meant to need one message."""


class Outbox(object):
    """The sending end of a worker's connection. Every method raises OSError if it is closed."""

    def __init__(self, connection):
        """connection: a blocking stream socket that nobody else writes to."""
        self._socket = connection
        self._lock = threading.Lock()
        self._held = []
        self._since = 0.0
        self._is_holding = threading.Event()
        self._thread = None

    def send(self, kind, body):
        """Send a frame now."""
        with self._lock:
            self._write(kind, body)

    def hold(self, result):
        """Send a result (its bytes, in parts) soon, even if no other one comes."""
        with self._lock:
            self._since = self._since if self._held else time.monotonic()
            self._held += result
            if not self._is_holding.is_set():
                self._is_holding.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._tend, name="lazulite", daemon=True)
            self._thread.start()

    @property
    def is_late(self):
        """Whether what is held should be sent by now."""
        return bool(self._held) and time.monotonic() - self._since > PATIENCE_S

    def release(self, result=()):
        """Send what is held, and a last result, now."""
        with self._lock:
            self._held += result
            self._release()

    def _tend(self):
        """What was scored is not lost with the mini-batch behind it, which may take hours."""
        while self._is_holding.wait():
            time.sleep(PATIENCE_S)
            with self._lock:
                try:
                    if self.is_late:
                        self._release()
                except OSError:
                    return  # the main thread will see it, too
                if not self._held:
                    self._is_holding.clear()

    def _release(self):
        if self._held:
            body, self._held = b"".join(self._held), []
            self._write(RESULTS, body)

    def _write(self, kind, body):
        self._socket.sendall(FRAME.pack(len(body), kind) + body)
