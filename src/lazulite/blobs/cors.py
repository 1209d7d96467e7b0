"""CORS: what a browser may do for a page of another site, by the rules of the account.

Source: "CORS support for Azure Storage", learn.microsoft.com.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from lazulite.blobs.errors import BlobError
from lazulite.blobs.services import CorsRule

Rules = Sequence[CorsRule]


def preflight(headers: Mapping[str, str], rules: Rules) -> Response:
    """The answer to OPTIONS. Raises BlobError 403 where no rule admits the request."""
    origin = headers.get("origin", "")
    method = headers.get("access-control-request-method", "")
    if not origin or not method:
        message = "OPTIONS needs the headers Origin and Access-Control-Request-Method."
        raise BlobError("MissingRequiredHeader", message)
    asked = headers.get("access-control-request-headers", "")
    names = tuple(name.strip() for name in asked.split(",") if name.strip())
    for rule in rules:
        if rule.admits(origin, method, names):
            allowed = {"Access-Control-Allow-Headers": asked} if names else {}
            return Response(
                headers={
                    **_origin_headers(rule, origin),
                    **allowed,
                    "Access-Control-Allow-Methods": method,
                    "Access-Control-Max-Age": str(rule.age_s),
                }
            )
    raise BlobError("CorsPreflightFailure")


def shared_headers(method: str, headers: Mapping[str, str], rules: Rules) -> dict[str, str]:
    """What an answer to a page carries; nothing where no rule admits the request."""
    origin = headers.get("origin", "")
    if not rules:
        return {}
    for rule in rules:
        if origin and rule.admits(origin, method):
            exposed = {"Access-Control-Expose-Headers": ",".join(rule.exposed)}
            return {**_origin_headers(rule, origin), **(exposed if rule.exposed else {})}
    return {"Vary": "Origin"}


def _origin_headers(rule: CorsRule, origin: str) -> dict[str, str]:
    if rule.origins == ("*",):
        return {"Access-Control-Allow-Origin": "*"}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Vary": "Origin",
    }
