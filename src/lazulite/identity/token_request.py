"""Reading a token request: a form, and a secret in the form or in HTTP Basic. Pure."""

from __future__ import annotations

import base64
import dataclasses
from urllib.parse import parse_qsl, unquote_plus

from lazulite.identity import oauth_errors

LARGEST_BODY = 64 * 1024  # bytes
_MOST_FIELDS = 32
_DEFAULT = "/.default"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TokenRequest:
    """A well-formed request for a client-credentials token."""

    client_id: str
    client_secret: str = dataclasses.field(repr=False)
    resource: str
    """What the token shall be for, as the caller spells it."""


def parse_request(fields: dict[str, str], authorization: str | None, version: str) -> TokenRequest:
    """Read a request. version: "1.0" names a resource, "2.0" a scope. Raises OAuthError."""
    grant = needed(fields, "grant_type")
    if grant != "client_credentials":
        raise oauth_errors.unsupported_grant(grant)
    fields = fields | _basic(authorization, fields)
    client_id = needed(fields, "client_id")
    if not (secret := fields.get("client_secret")):
        raise oauth_errors.missing_secret(version)
    if version == "2.0":
        resource = resource_of(needed(fields, "scope"))
    else:
        resource = needed(fields, "resource")
    return TokenRequest(client_id=client_id, client_secret=secret, resource=resource)


def parse_form(body: bytes) -> dict[str, str]:
    """The fields of an application/x-www-form-urlencoded body. Raises OAuthError."""
    fields: dict[str, str] = {}
    try:
        text = body.decode("ascii").strip()
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        problem = f"the body is no form of at most {_MOST_FIELDS} UTF-8 fields"
        raise oauth_errors.malformed(problem) from error
    for name, value in pairs:
        if name in fields:
            raise oauth_errors.repeated_field(name)
        fields[name] = value
    return fields


def resource_of(scope: str) -> str:
    """The resource of a scope: what stands before /.default, a slash of its own included."""
    if len(scope.split()) != 1 or not scope.strip().endswith(_DEFAULT):
        raise oauth_errors.bad_scope(scope)
    return scope.strip().removesuffix(_DEFAULT)


def needed(fields: dict[str, str], name: str) -> str:
    """A field that the form must have. Raises OAuthError."""
    if not fields.get(name):
        raise oauth_errors.missing_field(name)
    return fields[name]


def _basic(authorization: str | None, fields: dict[str, str]) -> dict[str, str]:
    """Client id and secret out of HTTP Basic, if it is used. Source: RFC 6749 2.3.1."""
    scheme, _, encoded = (authorization or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError as error:
        raise oauth_errors.malformed("the Basic credentials are not base64 of UTF-8") from error
    client_id, _, secret = (unquote_plus(part) for part in decoded.partition(":"))
    if "client_secret" in fields or fields.get("client_id", client_id) != client_id:
        raise oauth_errors.malformed("client credentials stand in both body and Authorization")
    return {"client_id": client_id, "client_secret": secret}
