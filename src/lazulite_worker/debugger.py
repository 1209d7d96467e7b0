"""AZUREML_DEBUG_PORT: a replica that is debugged. Source: spec/ONLINE.md 5.2.

As with Azure's server it is the debugger that listens, on this machine, and the replica connects
to it before anything of the user's is imported. debugpy is the user's environment's.
"""

import sys


class DebuggerError(Exception):
    """No debugger can be had; the message says what is missing."""


def wait_for_debugger(port):
    """Connect to the debugger that listens on the port, and go on once it is attached.

    DebuggerError if the environment has no debugpy, or nobody listens.
    """
    _say("!! Starting the inference server in DEBUGGING mode because AZUREML_DEBUG_PORT is set.")
    _say("!! This environment variable should not be set in a production environment.")
    try:
        import debugpy  # noqa: PLC0415, T100 - the user's own
    except ImportError:
        _say("** Cannot connect to a debugger because debugpy is not installed.")
        raise DebuggerError(
            "AZUREML_DEBUG_PORT is set, and the environment has no debugpy: add it to its"
            " packages, or remove the variable."
        ) from None
    _say("** Connecting to debugger at port %d..." % port)
    try:
        debugpy.connect(port)
    except Exception as error:
        raise DebuggerError(
            "No debugger listens on port %d, which AZUREML_DEBUG_PORT names (%s): let it listen"
            " there before the replica starts." % (port, error)
        ) from error
    debugpy.wait_for_client()  # noqa: T100 - what it is for


def _say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
