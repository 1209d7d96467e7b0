"""The forms that refusals have, and what each status means. Source: spec/REST.md 2.5, 3 and 9."""

from __future__ import annotations

import enum
from typing import Any

Json = dict[str, Any]
TEXT: Json = {"type": "string"}
TEXT_OR_NULL: Json = {"type": ["string", "null"]}

MEANINGS = {
    400: "The request cannot be read, or its values are not allowed.",
    401: "No token, or one that is not taken here.",
    403: "The caller has no role that allows the action there.",
    404: "There is nothing of that name.",
    405: "The path does not know the method; Allow lists what it knows.",
    409: "It contradicts what is there.",
    412: "The resource is not as If-Match or If-None-Match says.",
    413: "The body is too large.",
    415: "The body has a content type that is not read here.",
    429: "Too many requests: wait as long as Retry-After says.",
    500: "The server failed; its log has the request id.",
    504: "It takes too long: ask for less.",
    501: "Known to Azure and not done here; the message names what does work.",
}


class Form(enum.Enum):
    """Who refuses: each has a form of its own."""

    ARM = "Error"
    SERVICE = "ServiceError"
    MODEL = "ModelError"
    HYPERDRIVE = "HyperDriveError"
    GRAPH = "GraphError"
    TOKEN = "TokenError"  # noqa: S105 - the name of a schema

    def reference(self, status: int) -> Json:
        """The response of components/responses."""
        return {"$ref": f"#/components/responses/{self.value}{status}"}


def responses() -> Json:
    """components/responses: every status in every form."""
    return {
        f"{form.value}{status}": {
            "description": meaning,
            "headers": {"x-ms-request-id": {"$ref": "#/components/headers/x-ms-request-id"}},
            "content": {"application/json": {"schema": _schema(form.value)}},
        }
        for form in Form
        for status, meaning in MEANINGS.items()
    }


def schemas() -> Json:
    """components/schemas of all forms."""
    return {
        "ErrorDetail": _object(
            {
                "code": TEXT,
                "message": TEXT,
                "target": TEXT,
                "details": {"type": "array", "items": _schema("ErrorDetail")},
            },
            "code",
            "message",
        ),
        Form.ARM.value: _object({"error": _schema("ErrorDetail")}, "error"),
        Form.SERVICE.value: _service(),
        Form.MODEL.value: _object(
            {
                "code": TEXT,
                "statusCode": {"type": "integer"},
                "message": TEXT,
                "details": {"type": "array", "items": {"type": "object"}},
            },
            *("code", "statusCode", "message"),
        ),
        Form.HYPERDRIVE.value: _object(
            {"code": {"type": "integer"}, "message": TEXT}, "code", "message"
        ),
        Form.GRAPH.value: _object({"error": _graph()}, "error"),
        Form.TOKEN.value: _token(),
    }


def _service() -> Json:
    inner = {"type": "object", "properties": {"code": TEXT}, "required": ["code"]}
    error = _object(
        {
            "code": {"enum": ["UserError", "ServiceError"]},
            "message": TEXT,
            "target": TEXT_OR_NULL,
            "details": {"type": "array", "items": {"type": "object"}},
            "innerError": inner,
        },
        *("code", "message", "innerError"),
    )
    named = dict.fromkeys(("environment", "location", "time"), TEXT)
    correlation = {"type": "object", "additionalProperties": TEXT}
    return _object({"error": error, "correlation": correlation, **named}, "error", "correlation")


def _graph() -> Json:
    inner = {"type": "object", "additionalProperties": TEXT}
    return _object({"code": TEXT, "message": TEXT, "innerError": inner}, "code", "message")


def _token() -> Json:
    """RFC 6749's, with Entra's additions."""
    texts = ("error", "error_description", "timestamp", "trace_id", "correlation_id", "error_uri")
    numbers = {"type": "array", "items": {"type": "integer"}}
    return _object(
        {**dict.fromkeys(texts, TEXT), "error_codes": numbers}, "error", "error_description"
    )


def _object(properties: Json, *required: str) -> Json:
    return {"type": "object", "properties": properties, "required": list(required)}


def _schema(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
