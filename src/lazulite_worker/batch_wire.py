"""What a batch worker and its supervisor say to each other: frames of structs and bytes.

User code lives on the worker's side, so nothing here can carry an object (no pickle). The task
direction carries mini-batch numbers only: the worker reads the paths from the inputs file itself.
"""

import struct

FRAME = struct.Struct("<QB")
"""Length of what follows in bytes, and one of the kinds below."""
CONFIGURE, TASKS, STOP, READY, RESULTS, INIT_FAILED, FAILURES = 1, 2, 3, 4, 5, 6, 7
"""FAILURES comes before the results of its mini-batch: its number and a JSON list of [path, error].
"""

TASK = struct.Struct("<Q")
"""A mini-batch number; a TASKS frame is a row of them."""

RESULT = struct.Struct("<QBIIdQ")
"""mini_batch, raised (0 or 1), succeeded items, rows, seconds in run(), payload bytes.

The payload follows: the rendered rows, or the traceback if run() raised.
"""

SLOT = struct.Struct("@dq")
"""The page both sides see: start of the running mini-batch (time.monotonic) and its number.

Native layout, start first: a reader between the two stores sees a late start, never an early one.
"""
IDLE = -1
"""The number in the slot while no run() is going on."""
SLOT_BYTES = 4096
