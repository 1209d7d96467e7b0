"""JSON Patch: a list of operations on a document. Source: RFC 6902; pointers: RFC 6901."""

from __future__ import annotations

import copy
from typing import Any

from pydantic import BaseModel, Field

from lazulite.core.errors import ArmError
from lazulite.dataplane.requests import read_model

OPERATIONS = ("add", "remove", "replace", "move", "copy", "test")
Pointer = list[str]


class PatchOperation(BaseModel):
    """One operation; op in any case."""

    op: str
    path: str
    value: Any = None
    origin: str | None = Field(default=None, alias="from")


def read_patch(value: Any) -> list[PatchOperation]:
    """The operations in a body. Raises ArmError 400."""
    if not isinstance(value, list):
        message = (
            'A patch is a JSON array such as [{"op": "add", "path": "/kvTags/a", "value": 1}].'
        )
        raise ArmError("InvalidRequestContent", message)
    return [read_model(PatchOperation, item) for item in value]


def patched(document: Any, operations: list[PatchOperation]) -> Any:
    """The document after all operations; it is not changed itself.

    Raises ArmError: 400 for an operation that cannot be done, 412 for a test that fails.
    """
    document = copy.deepcopy(document)
    for operation in operations:
        document = _applied(document, operation)
    return document


def _applied(document: Any, operation: PatchOperation) -> Any:
    op, path = operation.op.lower(), pointer(operation.path)
    if op == "test":
        if _get(document, path) != operation.value:
            message = f"The value at {operation.path!r} is not {operation.value!r}."
            raise ArmError("PreconditionFailed", message, 412)
        return document
    if op in {"move", "copy"}:
        return _moved(document, operation, path)
    if op == "remove":
        return _removed(document, path)
    if op == "replace":
        return _added(_removed(document, path), path, operation.value)
    if op == "add":
        return _added(document, path, operation.value)
    raise _broken(f"{operation.op!r} is none of the operations {', '.join(OPERATIONS)}")


def pointer(text: str) -> Pointer:
    """The segments of a JSON pointer. Raises ArmError 400."""
    if text and not text.startswith("/"):
        raise _broken(f"the path {text!r} does not begin with a slash")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _moved(document: Any, operation: PatchOperation, path: Pointer) -> Any:
    if operation.origin is None:
        raise _broken(f"{operation.op!r} needs 'from'")
    origin = pointer(operation.origin)
    if operation.op.lower() == "move" and path[: len(origin)] == origin and path != origin:
        raise _broken(f"{operation.origin!r} cannot move into itself")
    value = copy.deepcopy(_get(document, origin))
    rest = _removed(document, origin) if operation.op.lower() == "move" else document
    return _added(rest, path, value)


def _get(document: Any, path: Pointer) -> Any:
    for at, part in enumerate(path):
        if isinstance(document, dict) and part in document:
            document = document[part]
        elif isinstance(document, list):
            document = document[_index(document, part, len(document) - 1)]
        else:
            raise _broken(f"there is nothing at {_text(path[: at + 1])!r}")
    return document


def _added(document: Any, path: Pointer, value: Any) -> Any:
    if not path:
        return value
    owner, last = _get(document, path[:-1]), path[-1]
    if isinstance(owner, dict):
        owner[last] = value
    elif isinstance(owner, list):
        owner.insert(len(owner) if last == "-" else _index(owner, last, len(owner)), value)
    else:
        raise _broken(f"nothing can be added at {_text(path)!r}")
    return document


def _removed(document: Any, path: Pointer) -> Any:
    if not path:
        return None
    _get(document, path)
    owner, last = _get(document, path[:-1]), path[-1]
    if isinstance(owner, dict):
        del owner[last]
    else:
        del owner[int(last)]
    return document


def _index(items: list[Any], part: str, most: int) -> int:
    if not (part.isascii() and part.isdigit()) or (part != "0" and part[0] == "0"):
        raise _broken(f"{part!r} is no position in a list")
    if int(part) > most:
        raise _broken(f"the list has no position {part}")
    return int(part)


def _text(path: Pointer) -> str:
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)


def _broken(why: str) -> ArmError:
    return ArmError("InvalidRequestContent", f"The patch cannot be applied: {why}.")
