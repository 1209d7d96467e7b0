"""How callers watch a write that takes long: statuses, headers and addresses.

Which answer carries which header: spec/REST.md 2.3, 2.4 and 6.
"""

from __future__ import annotations

import dataclasses
from urllib.parse import quote

from lazulite.core.ids import ML, segment_of
from lazulite.store.resources import Resource

ENDED = frozenset({"Succeeded", "Failed", "Canceled"})
POLL_S = "1"
RETRY = {"Retry-After": POLL_S}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Watching:
    """What kinds differ in; as it is, for endpoints, deployments and jobs."""

    status: str = "mfeOperationsStatus"
    """Below a location: always answers with the operation."""
    results: str = "mfeOperationResults"
    """Below a location: 202 while it runs, then what it came to."""
    results_query: str = ""
    """Tells the results apart where they have the address of the status."""
    prefix: str = ""
    """Of the operation's name, such as "odidp"."""
    accepts: bool = False
    """Whether a PUT that takes long is 202 without a body."""
    patched: int = 202
    timeout: str | None = "PT1H"
    """x-ms-async-operation-timeout, an ISO 8601 duration."""
    both: bool = False
    """Whether 202 has Azure-AsyncOperation beside Location."""

    def status_url(self, row: Resource, base: str, version: str) -> str:
        """Where the operation of the row's present generation is watched."""
        return f"{base}{_place(row)}/{self.status}/{self._name(row)}?api-version={version}"

    def results_url(self, row: Resource, base: str, version: str) -> str:
        """Where it answers with what it came to."""
        query = f"api-version={version}{self.results_query}"
        return f"{base}{_place(row)}/{self.results}/{self._name(row)}?{query}"

    def headers(self, row: Resource, status: int, base: str, version: str) -> dict[str, str]:
        """What the answer to a write carries; nothing once it is done."""
        if row.provisioning_state in ENDED:
            return {}
        headers = {"Retry-After": POLL_S}
        if self.timeout:
            headers["x-ms-async-operation-timeout"] = self.timeout
        if status == 202:
            headers["Location"] = self.results_url(row, base, version)
        if status != 202 or self.both:
            headers["Azure-AsyncOperation"] = self.status_url(row, base, version)
        return headers

    def _name(self, row: Resource) -> str:
        return ":".join(filter(None, (self.prefix, row.uid, str(row.generation))))


BY_SERVICE = Watching()
WORKSPACE_WATCHING = Watching(
    status="workspaceOperationsStatus",
    results="workspaceOperationsStatus",
    results_query="&type=location",
    accepts=True,
    timeout=None,
    both=True,
)
COMPUTE_WATCHING = Watching(
    status="computeOperationsStatus",
    results="computeOperationsResults",
    patched=200,
    timeout=None,
    both=True,
)
OPERATIONS = {
    f"locations/{name}".lower()
    for one in (BY_SERVICE, WORKSPACE_WATCHING, COMPUTE_WATCHING)
    for name in (one.status, one.results)
}
"""The types of their addresses, in lower case."""


def _place(row: Resource) -> str:
    subscription = segment_of(row.id, "subscriptions")
    location = quote(str(row.envelope.get("location") or "local"), safe="")
    return f"/subscriptions/{subscription}/providers/{ML}/locations/{location}"
