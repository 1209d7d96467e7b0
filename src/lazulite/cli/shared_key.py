"""SharedKey authorization of requests to the Blob service, and the signing of SAS.

Source: "Authorize with Shared Key" and "Create a service SAS", learn.microsoft.com.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from lazulite.cli.errors import CommandError
from lazulite.cli.http import Request

_STANDARD = (
    "content-encoding", "content-language", "content-length", "content-md5", "content-type",
    "date", "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
)  # fmt: skip


def signed(request: Request, key: str) -> Request:
    """The request with its Authorization header. key: in base64."""
    parts = urlsplit(request.url)
    account = parts.path.split("/")[1].split(".blob.")[0]
    if ".blob." in parts.netloc:
        account = parts.netloc.split(".blob.")[0]
    text = _text_to_sign(request, account)
    authorization = {"Authorization": f"SharedKey {account}:{signature(text, key)}"}
    return dataclasses.replace(request, headers={**request.headers, **authorization})


def signature(text: str, key: str) -> str:
    """HMAC-SHA256 in base64. Raises CommandError for a key that is not base64."""
    try:
        secret = base64.b64decode(key, validate=True)
    except ValueError:
        message = "The account key is not base64. `lazulite storage account keys list` shows it."
        raise CommandError("InvalidConnectionString", message) from None
    return base64.b64encode(hmac.digest(secret, text.encode(), hashlib.sha256)).decode()


def _text_to_sign(request: Request, account: str) -> str:
    parts = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers["content-length"] = str(_length(request.body) or "")
    standard = [request.method, *(headers.get(name, "") for name in _STANDARD)]
    own = [f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith("x-ms-")]
    resource = f"/{account}{parts.path}"
    query = sorted(parse_qsl(parts.query, keep_blank_values=True))
    return "\n".join([*standard, *own, resource, *(f"{key}:{value}" for key, value in query)])


def _length(body: bytes | Path | None) -> int:
    return body.stat().st_size if isinstance(body, Path) else len(body or b"")
