"""One ARM request: what it asks for, before anything is looked up."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from lazulite.arm.json_reader import LARGEST_BODY, read_json
from lazulite.arm.versions import negotiate
from lazulite.core.errors import ArmError
from lazulite.core.ids import Address, parse_path
from lazulite.store.resources import Json

MEDIA = re.compile(r"(application|text)/([\w.-]+\+)?json", re.IGNORECASE)
CHARSET = re.compile(r"charset\s*=\s*\"?(?!utf-?8\b)", re.IGNORECASE)


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
        return cls(http, parse_path(http.scope["path"]), negotiate(query.get("api-version")), query)

    @property
    def base(self) -> str:
        """The origin that the caller used."""
        return base_url(self.http)

    @property
    def url(self) -> str:
        """The caller's URL without its query."""
        return self.base + quote(self.http.scope["path"])

    async def body(self) -> Json:
        """The body's object, top-level names folded; {} when there is none.

        Raises ArmError 400, 413 or 415.
        """
        value = await json_body(self.http, self._refuse_media)
        if not isinstance(value, dict):
            raise ArmError("InvalidRequestContent", "The request content is not a JSON object.")
        folded = {key.lower(): item for key, item in value.items()}
        if len(folded) < len(value):
            message = "The request content has a property twice, in two spellings; keep one."
            raise ArmError("InvalidRequestContent", message)
        return folded

    def _refuse_media(self) -> None:
        """Raise ArmError 415 for a body that says it is no JSON, or that is packed."""
        media = self.http.headers.get("content-type", "")
        packed = self.http.headers.get("content-encoding", "identity")
        if packed.lower() != "identity":
            message = f"The Content-Encoding {packed!r} is not accepted: send the body as it is."
            raise ArmError("UnsupportedMediaType", message, 415)
        known = MEDIA.fullmatch(media.partition(";")[0].strip())
        if media and (known is None or CHARSET.search(media)):
            message = f"The Content-Type {media!r} is not accepted: use application/json in UTF-8."
            if self.http.method == "PATCH":
                message += " application/merge-patch+json means the same."
            raise ArmError("UnsupportedMediaType", message, 415)


def base_url(http: Request) -> str:
    """The origin that the caller used, as the front door reports it."""
    scheme = http.headers.get("x-forwarded-proto", http.url.scheme)
    host = http.headers.get("x-forwarded-host") or http.headers.get("host", "localhost")
    return f"{scheme}://{host}"


async def json_body(http: Request, check: Callable[[], None] = lambda: None) -> Any:
    """The body as a value; {} when there is none. Raises ArmError 400 or 413.

    check: raises for a body that should not be read; not called when there is none.
    """
    data = bytearray()
    async for chunk in http.stream():
        data += chunk
        if len(data) > LARGEST_BODY:
            break  # read_json says how large it may be
    if not data.strip():
        return {}
    check()
    return read_json(bytes(data))
