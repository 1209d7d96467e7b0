"""The errors of the token endpoint, with Microsoft Entra's codes and wording.

Source: spec/REST.md 3; codes: Microsoft's list of AADSTS errors.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime
from http import HTTPStatus
from typing import Any

_SHOWN = 100  # characters of a caller's own value that an answer repeats


class OAuthError(Exception):
    """A refused token request. error: RFC 6749's word; number: the AADSTS code."""

    def __init__(
        self,
        error: str,
        number: int,
        message: str,
        status: int = HTTPStatus.BAD_REQUEST,
        *,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.error, self.number, self.message = error, number, message
        self.status, self.headers = int(status), headers or {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trace:
    """Names one request in its error answer."""

    trace_id: str
    correlation_id: str
    at: datetime


def body(error: OAuthError, trace: Trace) -> dict[str, Any]:
    """The answer's JSON."""
    timestamp = trace.at.strftime("%Y-%m-%d %H:%M:%SZ")
    return {
        "error": error.error,
        "error_description": (
            f"AADSTS{error.number}: {error.message}\r\nTrace ID: {trace.trace_id}\r\n"
            f"Correlation ID: {trace.correlation_id}\r\nTimestamp: {timestamp}"
        ),
        "error_codes": [error.number],
        "timestamp": timestamp,
        "trace_id": trace.trace_id,
        "correlation_id": trace.correlation_id,
        "error_uri": f"https://login.microsoftonline.com/error?code={error.number}",
    }


def unknown_tenant(tenant: str) -> OAuthError:
    """The path names another tenant."""
    message = (
        f"Tenant '{_shown(tenant)}' not found. Check to make sure you have the correct tenant ID "
        "and are signing into the correct cloud."
    )
    return OAuthError("invalid_request", 90002, message)


def missing_field(name: str) -> OAuthError:
    """A field that every request needs is absent or empty."""
    message = f"The request body must contain the following parameter: '{name}'."
    return OAuthError("invalid_request", 900144, message)


def repeated_field(name: str) -> OAuthError:
    """A field stands in the body twice."""
    message = (
        f"The request is not properly formatted. The parameter '{_shown(name)}' is duplicated."
    )
    return OAuthError("invalid_request", 9000411, message)


def malformed(problem: str, status: int = HTTPStatus.BAD_REQUEST) -> OAuthError:
    """The body or the Authorization header cannot be read."""
    return OAuthError(
        "invalid_request", 90013, f"Invalid input received from the user: {problem}.", status
    )


def unsupported_grant(grant: str) -> OAuthError:
    """None of the grants that are served."""
    message = (
        f"The app requested an unsupported grant type '{_shown(grant)}'. "
        "Use 'client_credentials' with the client id and secret of a service principal."
    )
    return OAuthError("unsupported_grant_type", 70003, message)


def missing_secret(version: str) -> OAuthError:
    """No secret, neither in the body nor in the Authorization header."""
    if version == "2.0":
        message = (
            "The request body must contain the following parameter: "
            "'client_assertion' or 'client_secret'."
        )
        return OAuthError("invalid_client", 7000218, message, 401)
    message = (
        "'client_assertion', 'client_secret' or 'request' is required for the "
        "'client_credentials' grant type."
    )
    return OAuthError("invalid_client", 7000216, message, 401)


def unknown_client(client_id: str, tenant_id: str) -> OAuthError:
    """No service principal has that client id."""
    message = (
        f"Application with identifier '{_shown(client_id)}' was not found in the directory "
        f"'{tenant_id}'. This can happen if the application has not been installed by the "
        "administrator of the tenant or consented to by any user in the tenant. You may have sent "
        "your authentication request to the wrong tenant."
    )
    return OAuthError("unauthorized_client", 700016, message)


def wrong_secret(client_id: str) -> OAuthError:
    """The secret is not that client's."""
    message = (
        "Invalid client secret provided. Ensure the secret being sent in the request is the client "
        "secret value, not the client secret ID, for a secret added to app "
        f"'{client_id}'."
    )
    return OAuthError("invalid_client", 7000215, message, 401)


def expired_secret(client_id: str) -> OAuthError:
    """The secret is that client's, but its time has not come or is over."""
    message = (
        f"The provided client secret keys for app '{client_id}' are expired. "
        "Have a new secret made for it, as with `lazulite ad sp credential reset`."
    )
    return OAuthError("invalid_client", 7000222, message, 401)


def no_principal(client_id: str, tenant_id: str) -> OAuthError:
    """The application has a secret, but no service principal."""
    message = (
        f"The client application {client_id} is missing service principal in the tenant "
        f"{tenant_id}. Create one, as with `lazulite ad sp create --id {client_id}`."
    )
    return OAuthError("unauthorized_client", 7000229, message)


def post_only(method: str) -> OAuthError:
    """The token endpoint was asked with another method."""
    message = f"The endpoint only accepts POST requests. Received a {_shown(method)} request."
    return OAuthError("invalid_request", 900561, message, 405, headers={"Allow": "POST"})


def throttled(retry_after: int) -> OAuthError:
    """Too many wrong secrets."""
    message = "The request was throttled: too many wrong client secrets were sent for this client."
    headers = {"Retry-After": str(retry_after)}
    return OAuthError("temporarily_unavailable", 90055, message, 429, headers=headers)


def too_many_codes(retry_after: int) -> OAuthError:
    """Too many device codes wait, of one address or altogether."""
    message = (
        "The request was throttled: too many device codes of this address, or of all, wait. Have"
        f" one approved, or begin again in {retry_after} s, when the oldest has ended."
    )
    headers = {"Retry-After": str(retry_after)}
    return OAuthError("temporarily_unavailable", 90055, message, 429, headers=headers)


def not_approved_yet() -> OAuthError:
    """A device code that waits. Source: RFC 8628 3.5, as the three below."""
    message = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
    return OAuthError("authorization_pending", 70016, message)


def polled_too_soon(interval: int) -> OAuthError:
    """A device asks again and again."""
    message = f"OAuth 2.0 device flow error. Wait {interval} seconds more between two requests."
    return OAuthError("slow_down", 70016, message)


def unknown_device_code() -> OAuthError:
    """A device code that is used up, has ended, or never was."""
    message = "The device code is not valid any more: begin the sign-in anew."
    return OAuthError("expired_token", 70020, message)


def bad_scope(scope: str) -> OAuthError:
    """Not one scope that ends in /.default."""
    message = (
        f"The provided value for the input parameter 'scope' is not valid. The scope "
        f"'{_shown(scope)}' does not exist; ask for one resource, as "
        "'https://management.azure.com/.default'."
    )
    return OAuthError("invalid_scope", 70011, message)


def unknown_resource(resource: str, tenant_id: str) -> OAuthError:
    """No service here answers to that resource."""
    message = (
        f"The resource principal named {_shown(resource)} was not found in the tenant named "
        f"{tenant_id}. This server has tokens for https://management.azure.com, "
        "https://ml.azure.com and https://storage.azure.com."
    )
    return OAuthError("invalid_resource", 500011, message)


def _shown(value: str) -> str:
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}..."
