"""The error tree: whose fault it is decides what happens next.

    LazuliteError
    ├── ArmError    for the caller: rendered as {"error": {code, message, target, details}}
    └── SpecError   for the resource: its spec cannot be met, provisioningState becomes Failed

Anything else is ours: logged with the resource id, tried again, HTTP 500 without details.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any


class LazuliteError(Exception):
    """Base of every error that is meant for a person."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: Sequence[LazuliteError] = (),
    ) -> None:
        """code: Azure's where it has one; message: the value, the rule, the remedy."""
        super().__init__(message)
        self.code, self.message, self.target, self.details = code, message, target, tuple(details)

    @property
    def body(self) -> dict[str, Any]:
        """Azure's ErrorDetail. Source: spec/REST.md 2.5."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            body["target"] = self.target
        body["details"] = [detail.body for detail in self.details]
        return body


class OutageError(LazuliteError):
    """Something of the server's own is down: nobody's input is wrong, and trying again heals it."""


class ArmError(LazuliteError):
    """An answer for the caller, with an HTTP status."""

    def __init__(
        self,
        code: str,
        message: str,
        status: int = HTTPStatus.BAD_REQUEST,
        *,
        target: str | None = None,
        details: Sequence[LazuliteError] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        """status: HTTP status; headers: added to the answer, such as Retry-After."""
        super().__init__(code, message, target=target, details=details)
        self.status = int(status)
        self.headers = headers or {}


class SpecError(LazuliteError):
    """The spec can never be met as it is: the resource fails until its next PUT."""
