"""Blob Batch: up to 256 deletes or tier changes in one request, each authorized on its own.

Source: "Blob Batch", learn.microsoft.com.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.parser import BytesHeaderParser
from http import HTTPStatus
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from lazulite.blobs.calls import Call
from lazulite.blobs.errors import BlobError

BODY_LIMIT = 4 << 20  # bytes
MOST_PARTS = 256
BOUNDARY = re.compile(r"multipart/mixed\s*;\s*boundary=\"?([A-Za-z0-9'()+_,./:=?-]{1,70})\"?")
REQUEST_LINE = re.compile(rb"(DELETE|PUT) (/\S{1,8192}) HTTP/1\.1")
ALLOWED = {("DELETE", ""), ("PUT", "tier")}


async def submit_batch(call: Call) -> Response:
    """202 with the answer to each part, in the order of the request."""
    match = BOUNDARY.fullmatch(call.request.headers.get("content-type", "").strip())
    if match is None:
        message = "Content-Type must be multipart/mixed with a boundary."
        raise BlobError("InvalidHeaderValue", message)
    parts = _split(await call.body(BODY_LIMIT), match[1].encode())
    if not 0 < len(parts) <= MOST_PARTS:
        raise BlobError("InvalidInput", f"{len(parts)} requests; a batch has 1 to 256.")
    requests = [_request(call.request, *part) for part in parts]
    answers = [await call.site.respond(request) for _, request in requests]
    mark = f"batchresponse_{answers[0].headers['x-ms-request-id']}"
    body = b"".join(
        _part(mark, number, answer) for (number, _), answer in zip(requests, answers, strict=True)
    )
    headers = {"Content-Type": f"multipart/mixed; boundary={mark}"}
    return Response(body + f"--{mark}--\r\n".encode(), HTTPStatus.ACCEPTED, headers)


def _split(body: bytes, boundary: bytes) -> list[tuple[bytes, bytes]]:
    """Head of each part, and the request in it."""
    pieces = re.split(rb"(?:^|\r?\n)--" + re.escape(boundary) + rb"(?:--)?[ \t]*(?:\r?\n|$)", body)
    return [_halves(piece.lstrip(b"\r\n")) for piece in pieces if piece.strip()]


def _halves(piece: bytes) -> tuple[bytes, bytes]:
    head, _, rest = piece.replace(b"\r\n", b"\n").partition(b"\n\n")
    return head, rest


def _request(outer: Request, head: bytes, inner: bytes) -> tuple[str, Request]:
    """The part's Content-ID, and its request as if it had come alone. Raises BlobError 400."""
    said = BytesHeaderParser().parsebytes(head + b"\n\n")
    line, _, rest = inner.partition(b"\n")
    match = REQUEST_LINE.fullmatch(line.strip())
    if match is None:
        message = "Each part of a batch must be a DELETE or PUT request of HTTP/1.1."
        raise BlobError("InvalidInput", message)
    headers = BytesHeaderParser().parsebytes(rest.partition(b"\n\n")[0] + b"\n\n")
    raw_path, _, query = match[2].partition(b"?")
    pairs = dict(pair.partition("=")[::2] for pair in query.decode("latin-1").split("&"))
    if (match[1].decode(), pairs.get("comp", "")) not in ALLOWED:
        raise BlobError("InvalidInput", "A batch deletes blobs or sets their tier.")
    named = {name.lower(): str(value).strip() for name, value in headers.items()}
    scope = {
        **outer.scope,
        "method": match[1].decode(),
        "raw_path": raw_path,
        "path": unquote(raw_path.decode("latin-1")),
        "query_string": query,
        "headers": _headers(outer, named),
    }
    return str(said.get("content-id", "")), Request(scope, _no_body)


def _headers(outer: Request, named: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Those of the part, which it signs; only the host is that of the whole."""
    headers = {**named, "host": outer.headers.get("host", "")}
    return [
        (name.encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in headers.items()
    ]


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def _part(mark: str, content_id: str, answer: Response) -> bytes:
    phrase = HTTPStatus(answer.status_code).phrase
    number = f"Content-ID: {content_id}\r\n" if content_id else ""
    headers = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    head = (
        f"--{mark}\r\nContent-Type: application/http\r\n{number}\r\n"
        f"HTTP/1.1 {answer.status_code} {phrase}\r\n{headers}\r\n"
    )
    return head.encode("latin-1", "replace") + bytes(answer.body) + b"\r\n"
