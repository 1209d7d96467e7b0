"""When a request to start a job is one that was there before.

Source: spec/REST.md 8.1 (repeatability_request-id); Azure's REST guidelines on
x-ms-client-request-id, which is a GUID that names one request, whose repeats carry it too.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from lazulite.store.resources import Json

REPEATABLE = ("repeatability_request-id", "repeatability-request-id")
CLIENT = "x-ms-client-request-id"


@dataclasses.dataclass(frozen=True)
class Repeat:
    """What makes a request the same as another one."""

    id: str | None
    """The repeatability id: it stands for one job, whatever else a request with it says."""
    client_id: str | None
    """A client's own id; with another body it is another request."""
    digest: str
    """The hash of what is asked for."""

    @property
    def key(self) -> str | None:
        """A text that is the same for repeats only; None: every request is new."""
        if self.id:
            return self.id
        return f"{self.client_id} {self.digest}" if self.client_id else None

    def noted(self) -> Json:
        """What to keep in the job's row."""
        return {"requestId": self.key, "requestHash": self.digest}


def repeat_of(headers: Mapping[str, str], body: Any, deployment: str | None) -> Repeat:
    """What the headers and the body of a request say. A client id that is no GUID says nothing."""
    text = json.dumps([body, deployment], sort_keys=True)
    client = headers.get(CLIENT, "")
    return Repeat(
        id=next((headers[name] for name in REPEATABLE if headers.get(name)), None),
        client_id=client if _is_guid(client) else None,
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )


def _is_guid(text: str) -> bool:
    try:
        return uuid.UUID(text).hex == text.replace("-", "").lower()
    except ValueError:
        return False
