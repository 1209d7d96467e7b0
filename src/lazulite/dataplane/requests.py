"""One request to a service: who asks, in which workspace, with which names and query."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from lazulite.arm.faults import faulty
from lazulite.arm.names import canonical
from lazulite.arm.requests import base_url, json_body
from lazulite.core.errors import ArmError
from lazulite.core.ids import WORKSPACES
from lazulite.identity.access import Principal
from lazulite.store.resources import Resource

M = TypeVar("M", bound=BaseModel)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that has passed the guard."""

    http: Request
    workspace: Resource
    caller: Principal
    names: Mapping[str, str]
    """What stood in the path where the route has {name}."""
    query: Mapping[str, str]
    """By lower-case name; `$skipToken` is "$skiptoken"."""

    @property
    def base(self) -> str:
        """The origin that the caller used."""
        return base_url(self.http)

    @property
    def url(self) -> str:
        """The caller's URL without its query."""
        return self.base + self.http.url.path

    def says(self, name: str) -> bool:
        """Whether a flag of the query is true. name: lower case."""
        return self.query.get(name, "").lower() == "true"

    def may(self, permission: str) -> bool:
        """Whether the caller has another permission, such as "datastores/listSecrets/action"."""
        return self.caller.may(f"{WORKSPACES}/{permission}", self.workspace.id)

    async def json(self) -> Any:
        """The body; {} if there is none. Raises ArmError 400 or 413."""
        return await json_body(self.http)

    async def model(self, form: type[M]) -> M:
        """The body as a model, names and enum values in any case. Raises ArmError 400 or 413."""
        return read_model(form, await self.json())


def read_model(form: type[M], value: Any) -> M:
    """Read a JSON value leniently. Raises ArmError 400 with a detail for each fault."""
    if not isinstance(value, dict):
        raise ArmError("InvalidRequestContent", "The request content is not a JSON object.")
    try:
        return form.model_validate(canonical(form, value))
    except ValidationError as error:
        raise faulty(error) from error
