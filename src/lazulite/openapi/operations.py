"""One operation of the document: a method of a path, what it takes and what it answers."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from lazulite.openapi.errors import Form

Json = dict[str, Any]
PLACE = re.compile(r"\{(\w+)\}")
ALWAYS = ("x-ms-request-id",)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """One good answer. schema None: without a body."""

    schema: Json | None = None
    headers: tuple[str, ...] = ()
    """Names of components/headers that it may have."""
    example: Any = None
    media: str = "application/json"

    def described(self, status: int) -> Json:
        """The response object."""
        names = (*ALWAYS, *self.headers)
        headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        shown: Json = {"description": HTTPStatus(status).phrase, "headers": headers}
        if self.schema is not None:
            content: Json = {"schema": self.schema}
            if self.example is not None:
                content["example"] = self.example
            shown["content"] = {self.media: content}
        return shown


@dataclasses.dataclass(frozen=True, kw_only=True)
class Operation:
    """A method of a path."""

    id: str
    method: str
    path: str
    """With {name} for each parameter; every one of them is in parameters or plain text."""
    tag: str
    summary: str
    parameters: tuple[Json, ...] = ()
    body: Json | None = None
    """The request body object."""
    answers: Mapping[int, Answer]
    refusals: frozenset[int] = frozenset()
    form: Form = Form.ARM
    """The form of its refusals."""
    security: tuple[Json, ...] = ()
    """Alternatives; none: the operation is open to anyone."""

    def described(self) -> Json:
        """The operation object."""
        responses = {str(code): answer.described(code) for code, answer in self.answers.items()}
        refused = {str(code): self.form.reference(code) for code in self.refusals}
        described: Json = {
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "parameters": [*self._of_path(), *self.parameters],
            "responses": dict(sorted((responses | refused).items())),
            "security": list(self.security),
        }
        return described if self.body is None else {**described, "requestBody": self.body}

    def _of_path(self) -> list[Json]:
        """The path's parameters that nothing else is said of."""
        told = {parameter.get("name") for parameter in self.parameters}
        return [shared(name) for name in PLACE.findall(self.path) if name not in told]


def shared(name: str) -> Json:
    """A parameter of components/parameters."""
    return {"$ref": f"#/components/parameters/{name}"}


def place(name: str, pattern: str | None = None) -> Json:
    """A parameter in the path: one segment."""
    schema: Json = {"type": "string", "minLength": 1, "pattern": pattern or "^[^/]+$"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def query(name: str, schema: Json, description: str, *, required: bool = False) -> Json:
    """A parameter of the query."""
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": description,
        "schema": schema,
    }


def json_body(schema: Json, example: Any = None, *, required: bool = True) -> Json:
    """A body in JSON."""
    content: Json = {"schema": schema}
    if example is not None:
        content["example"] = example
    return {"required": required, "content": {"application/json": content}}


def paths(operations: Iterable[Operation]) -> Json:
    """The paths object. Raises ValueError if two operations have one method of one path."""
    found: Json = {}
    for operation in operations:
        methods = found.setdefault(operation.path, {})
        method = operation.method.lower()
        if method in methods:
            raise ValueError(f"two operations are {operation.method} {operation.path}")
        methods[method] = operation.described()
    return found
