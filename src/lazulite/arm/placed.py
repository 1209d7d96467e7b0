"""Files as 2021-03-01-preview names them: a datastore and a path in it, instead of one URI.

Source: spec/REST.md 5, "code version", and 7.4.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lazulite.arm.assets import FIRST
from lazulite.arm.kind import Properties
from lazulite.arm.wire import Reshaped
from lazulite.core.ids import ML
from lazulite.store.resources import Json

DEFAULT = "workspaceblobstore"
LONG = re.compile(
    r"/?subscriptions/([^/]+)/resourcegroups/([^/]+)/providers/[^/]+/workspaces/([^/]+)"
    r"/datastores/([^/]+)/?",
    re.IGNORECASE,
)
STORED = re.compile(
    r"azureml://(?:subscriptions/([^/]+)/resourcegroups/([^/]+)"
    r"(?:/providers/[^/]+)?/workspaces/([^/]+)/)?datastores/([^/]+)/paths/(.*)",
    re.IGNORECASE | re.DOTALL,
)


class Placed(Properties):
    """A datastore, by id or name, and a path; a path that is a URI needs no datastore."""

    datastore_id: str | None = None
    path: str | None = None


def placed(field: str, completed: Callable[[Placed], Json] | None = None) -> Reshaped[Placed]:
    """The row of a kind whose files are in a field. completed: what else the form says."""

    def to_internal(form: Placed) -> Json:
        return {field: uri_of(form), **(completed(form) if completed else {})}

    def to_theirs(properties: Json) -> Json:
        rest = {name: value for name, value in properties.items() if name != field}
        return {**rest, **place_of(properties.get(field))}

    return Reshaped(Placed, to_internal, to_theirs, until=FIRST)


def uri_of(form: Placed) -> str | None:
    """The data URI that a place means; None if it names no path."""
    if form.path is None or "://" in form.path:
        return form.path
    named = form.datastore_id or DEFAULT
    path = form.path.lstrip("/")
    if found := LONG.fullmatch(named):
        subscription, group, workspace, store = found.groups()
        inside = f"subscriptions/{subscription}/resourcegroups/{group}/workspaces/{workspace}"
        return f"azureml://{inside}/datastores/{store}/paths/{path}"
    return f"azureml://datastores/{named.removeprefix('azureml:')}/paths/{path}"


def place_of(uri: str | None) -> Json:
    """Its datastoreId and path; a URI that is in no datastore is the path as it is."""
    found = STORED.fullmatch(uri or "")
    if found is None:
        return {"datastoreId": None, "path": uri}
    subscription, group, workspace, store, path = found.groups()
    if subscription is None:
        return {"datastoreId": f"azureml:{store}", "path": path}
    owner = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{ML}"
    return {"datastoreId": f"{owner}/workspaces/{workspace}/datastores/{store}", "path": path}
