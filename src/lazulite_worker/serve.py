"""A replica: one process that serves one scoring script, or one MLflow model, on a given socket.

Started by the keeper as `python -m lazulite_worker.serve --socket-fd N ...` with the variables of
Azure's inference server (spec/ONLINE.md 5.2). Tells over the status descriptor, in one line of
JSON, {"ready": true} or {"error": traceback}; after an error it exits with code 3.
"""

import argparse
import faulthandler
import logging
import os
import signal
import socket
import sys

from lazulite_worker import log
from lazulite_worker.boot_report import report, report_failure
from lazulite_worker.cors import Cors
from lazulite_worker.debugger import wait_for_debugger
from lazulite_worker.life import end_with
from lazulite_worker.mlflow_scoring import MlflowScorer
from lazulite_worker.run_clock import RunClock, shared_cell
from lazulite_worker.script import load_script
from lazulite_worker.server import Server
from lazulite_worker.service import Service
from lazulite_worker.settings import debug_port, timeout_ms, with_config_file
from lazulite_worker.swagger import documents, script_schema

BOOT_ERROR = 3  # the code that gunicorn, and so Azure's server, gives a worker that cannot start
DEFAULT_MAX_BODY = 100 * 1024 * 1024

logger = logging.getLogger("azmlinfsrv")


def main(arguments, environ):
    """Serve until SIGTERM. Returns the exit code."""
    options = _options(arguments)
    listening = (options.socket_fd, options.waiting_fd)
    for descriptor in (*listening, options.status_fd, options.cell_fd, options.life_fd):
        if descriptor is not None:
            os.set_inheritable(descriptor, False)  # not for processes that user code starts
    if options.life_fd is not None:
        end_with(options.life_fd)
    log.redirect_streams()
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    try:
        server = _prepared(options, with_config_file(environ))
    except (Exception, SystemExit):  # noqa: BLE001 - user code
        report_failure(options.status_fd, environ.get("AZUREML_MODEL_DIR", ""))
        return BOOT_ERROR
    report(options.status_fd, {"ready": True})
    server.serve()
    sys.stdout.flush()
    return 0


def _options(arguments):
    parser = argparse.ArgumentParser(prog="lazulite_worker.serve")
    parser.add_argument("--socket-fd", type=int, required=True, help="a listening socket")
    parser.add_argument("--waiting-fd", type=int, help="a listening socket that siblings share")
    parser.add_argument("--status-fd", type=int, help="a pipe to tell the keeper")
    parser.add_argument("--cell-fd", type=int, help="8 bytes of memory shared with the keeper")
    parser.add_argument("--life-fd", type=int, help="a pipe that closes when the keeper ends")
    parser.add_argument("--max-body", type=int, default=DEFAULT_MAX_BODY, help="bytes")
    return parser.parse_args(arguments)


def _prepared(options, environ):
    """A server whose script is loaded and initialised. Raises what the user's code raises."""
    if debug_port(environ):
        wait_for_debugger(debug_port(environ))
    app_root = os.path.abspath(environ.get("AML_APP_ROOT") or os.getcwd())
    entry_script = environ.get("AZUREML_ENTRY_SCRIPT", "")
    folders = _script_folders(app_root, entry_script, environ.get("AZUREML_SOURCE_DIRECTORY", ""))
    _take_place(app_root, folders, entry_script)
    log.configure(environ.get("AZUREML_LOG_LEVEL", "INFO").upper(), folders)
    log.redirect_print()
    logger.info("Starting up app insights client: none, nothing is sent from here")
    model = environ.get("LAZULITE_MLFLOW_MODEL")
    if model and not entry_script:
        scorer = MlflowScorer(model)
    else:
        scorer = load_script(entry_script, app_root)
    _initialise(scorer)
    cell = None if options.cell_fd is None else shared_cell(options.cell_fd)
    clock = RunClock(timeout_ms(environ), cell)
    access = log.AccessLog(_access_writer(), os.getpid())
    service = Service(
        scorer, clock, _documents(app_root, environ, scorer), access, _extras(environ)
    )
    server = Server(socket.socket(fileno=options.socket_fd), service, access, options.max_body)
    if options.waiting_fd is not None:
        server.share(socket.socket(fileno=options.waiting_fd))
    clock.install()
    server.stop_on_sigterm()
    if "AML_DBG_MODEL_INFO" in environ or "AML_DBG_RESOURCE_INFO" in environ:
        logger.warning("The debuggability features have been removed.")
    logger.info("Scoring timeout is set to %d", clock.limit_ms)
    logger.info("Worker with pid %d ready for serving traffic", os.getpid())
    return server


def _initialise(scorer):
    """init(), with the lines around it that users look for."""
    told = logging.getLogger("azmlinfsrv.user_script")
    told.info("Invoking user's init function")
    try:
        scorer.init()
    except BaseException:
        logger.error("User's init function failed")  # noqa: TRY400 - the traceback follows
        raise
    told.info("Users's init has completed successfully")


def _script_folders(app_root, entry_script, source):
    """Folders for sys.path, first the entry script's, as when Python runs a script."""
    folders = [os.path.dirname(os.path.join(app_root, entry_script)) or app_root, app_root]
    if source:
        folders.append(os.path.join(app_root, source))
    return list(dict.fromkeys(os.path.abspath(folder) for folder in folders))


def _take_place(app_root, folders, entry_script):
    """Work where the script expects to: its folder, its import path, arguments without ours."""
    os.chdir(app_root)
    kept = [path for path in sys.path if path]
    shims = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shims")
    sys.path[:] = folders + kept + [shims]
    sys.argv[:] = [entry_script or "main.py"]


def _documents(app_root, environ, scorer):
    names = ("SERVICE_NAME", "ML service"), ("SERVICE_VERSION", "1.0"), ("SERVICE_PATH_PREFIX", "")
    service = tuple(environ.get(name, default) for name, default in names)
    if isinstance(scorer, MlflowScorer):
        schema = scorer.schema()
    else:
        schema = script_schema(scorer.function, sys.modules.get("inference_schema.schema_util"))
    return documents(app_root, service, schema)


def _extras(environ):
    """What adds header fields to every answer."""
    extras = []
    version = environ.get("HTTP_X_MS_SERVER_VERSION")
    if version:
        fields = [("x-ms-server-version", version)]
        extras.append(lambda _request: fields)
    origins = environ.get("AML_CORS_ORIGINS")
    if origins:
        extras.append(Cors(origins))
        logger.info("Enabling CORS for the following origins: %s", origins)
    return extras


def _access_writer():
    """Where access lines go; nowhere if logging.json silences the logger."""
    if not logger.isEnabledFor(logging.INFO):
        return lambda _text: None
    return sys.stdout.write


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
