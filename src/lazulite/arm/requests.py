"""One ARM request: what it asks for, before anything is looked up."""

from __future__ import annotations

import dataclasses
from typing import Any

from starlette.requests import Request

from lazulite.arm.json_reader import LARGEST_BODY, read_json
from lazulite.arm.versions import negotiate
from lazulite.core.errors import ArmError
from lazulite.core.ids import Address, parse_path
from lazulite.store.resources import Json


@dataclasses.dataclass(frozen=True)
class ArmRequest:
    """The address, the version, and the query with folded names."""

    http: Request
    address: Address
    version: str
    query: dict[str, str]

    @classmethod
    def of(cls, http: Request) -> ArmRequest:
        """Read the line and the query. Raises ArmError."""
        query = {key.lower(): value for key, value in http.query_params.items()}
        return cls(http, parse_path(http.url.path), negotiate(query.get("api-version")), query)

    @property
    def base(self) -> str:
        """The origin that the caller used."""
        return base_url(self.http)

    @property
    def url(self) -> str:
        """The caller's URL without its query."""
        return self.base + self.http.url.path

    async def body(self) -> Json:
        """The body's object, top-level names folded; {} when there is none. Raises ArmError."""
        value = await json_body(self.http)
        if not isinstance(value, dict):
            raise ArmError("InvalidRequestContent", "The request content is not a JSON object.")
        return {key.lower(): item for key, item in value.items()}


def base_url(http: Request) -> str:
    """The origin that the caller used, as the front door reports it."""
    scheme = http.headers.get("x-forwarded-proto", http.url.scheme)
    host = http.headers.get("x-forwarded-host") or http.headers.get("host", "localhost")
    return f"{scheme}://{host}"


async def json_body(http: Request) -> Any:
    """The body as a value; {} when there is none. Raises ArmError 400 or 413."""
    data = bytearray()
    async for chunk in http.stream():
        data += chunk
        if len(data) > LARGEST_BODY:
            break  # read_json says how large it may be
    return read_json(bytes(data)) if data.strip() else {}
