"""status.json: what a keeper says of its replicas, and how it is read."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from lazulite.executors.launch import PLAIN

logger = logging.getLogger("lazulite.keeper")


class KeeperState(StrEnum):
    """Where a deployment's replicas stand as a whole."""

    STARTING = "starting"  # not yet every replica was ready, or now none is
    READY = "ready"  # every replica has been ready once, and one is now
    FAILED = "failed"  # the keeper gave up; it and all replicas are gone
    STOPPING = "stopping"


class ReplicaState(StrEnum):
    """Where one replica stands."""

    STARTING = "starting"
    READY = "ready"
    UNREADY = "unready"  # it fails its readiness probe: no new request is sent to it
    BACKOFF = "backoff"  # it ended; the next one starts in a while
    CRASH_LOOP = "crash-loop"  # the same, or starting, after several ends in a row
    STOPPING = "stopping"  # told to end, or ended on being told


class StatusFile:
    """The file, replaced as a whole whenever its content changes. Not made durable."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: dict[str, Any] | None = None

    def write(self, document: dict[str, Any]) -> None:
        """Write the document with the time as `updated`, unless it is there already.

        On a full disk the old one stays until a later write succeeds: the replicas matter more.
        """
        if document == self._written:
            return
        text = json.dumps({**document, "updated": time.time()})
        new = self._path.with_name(self._path.name + ".new")
        try:
            new.write_text(text)
            new.replace(self._path)
        except OSError as error:
            logger.warning("%s could not be written: %s", self._path, error)
        else:
            self._written = document


def status_document(
    state: KeeperState,
    replicas: Sequence[dict[str, Any]],
    error: dict[str, str] | None,
    waiting_socket: str | None,
    isolation: str = PLAIN,
    *,
    is_asleep: bool = False,
) -> dict[str, Any]:
    """The content of status.json but for `updated`.

    error: code and message, if it failed; waiting_socket: None if the spec could not be used;
    isolation: the kind of the replicas' sandboxes; is_asleep: none starts before somebody waits.
    """
    return {
        "state": state,
        "isolation": isolation,
        "asleep": is_asleep,
        "waiting_socket": waiting_socket,
        "replicas": list(replicas),
        "error": error,
    }
