"""What a replica tells of its start: a line of JSON to whoever started it, and its log."""

import itertools
import json
import logging
import os
import sys
import traceback

ERROR_LIMIT = 8 * 1024
TREE_LINES = 200

logger = logging.getLogger("azmlinfsrv")


def report(descriptor, value):
    """Tell the keeper, once. descriptor: its pipe, which is closed; None if nobody asked."""
    if descriptor is None:
        return
    with os.fdopen(descriptor, "w", encoding="utf-8") as status:
        status.write(json.dumps(value) + "\n")


def report_failure(descriptor, model_dir):
    """Tell why the start failed, with what is in the model's folder. Call while it is handled."""
    text = traceback.format_exc()
    logger.error("The scoring script could not be started.\nEncountered Exception: %s", text)
    if os.path.isdir(model_dir):
        logger.info("Model Directory Contents:")
        lines = _tree(os.path.normpath(model_dir))
        for line in itertools.islice(lines, TREE_LINES):
            logger.info(line)
        if next(lines, None) is not None:
            logger.info("Output Truncated. First %d lines shown.", TREE_LINES)
    sys.stdout.flush()
    report(descriptor, {"error": text[-ERROR_LIMIT:]})


def _tree(folder, indent=""):
    yield indent + os.path.basename(folder) + os.sep
    indent += "    "
    for entry in sorted(os.scandir(folder), key=lambda found: found.name):
        if entry.is_dir(follow_symlinks=False):
            for line in _tree(entry.path, indent):
                yield line
        else:
            yield indent + entry.name
