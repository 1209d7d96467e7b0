"""A process group that ends with the one who started it, however that one ends."""

import fcntl
import os
import select
import signal
import threading


def end_with(descriptor):
    """Kill this process group as soon as the other end of the pipe is closed.

    descriptor: the read end of a pipe whose write end only the keeper holds. On Linux the kernel
    itself sends the SIGKILL, so that code which never returns to Python ends too.
    """
    if hasattr(fcntl, "F_SETSIG") and os.getpgrp() == os.getpid():
        fcntl.fcntl(descriptor, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGKILL)
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_ASYNC)
        if select.select([descriptor], [], [], 0)[0]:  # closed before the kernel was asked
            _end()
        return
    threading.Thread(target=_wait, args=(descriptor,), name="life", daemon=True).start()


def _wait(descriptor):
    os.read(descriptor, 1)
    _end()


def _end():
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)
