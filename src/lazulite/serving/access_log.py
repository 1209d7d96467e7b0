"""One line for each request that the public frontend answers: what HAProxy writes, and its reader.

HAProxy writes to a pipe that the edge holds; access_recorder.py puts it in files. Fields that
clients choose come last and are encoded, so that no request can pass for another.
"""

from __future__ import annotations

import urllib.parse
from typing import NamedTuple

VARIABLE = "LZ_ACCESS"
"""The environment variable that tells HAProxy the descriptor to write to."""
LONGEST = 2048
"""Bytes of a line; less than what a pipe takes in one piece (PIPE_BUF), so lines never mix."""
LOST = b"LOST "
"""Begins a line that says how many lines are missing at its place."""

_FIELDS = (
    "%[date(0,ms)]", "%[var(txn.endpoint)]", "%b", "%ST", "%[var(txn.model_status)]",
    "%TR", "%Tw", "%Tc", "%Tr", "%Ta", "%U", "%B", "%tsc", "%[http_first_req]",
    "%[var(txn.auth)]", "%HM", "%HV", "%[var(txn.request),url_enc]",
    "%[capture.req.hdr(0),url_enc]", "%[capture.req.hdr(1),url_enc]", "%HPO",
)  # fmt: skip


def access_log() -> list[str]:
    """The lines of a frontend that log its requests; its capture slots 0 and 1 are taken."""
    return [
        "  no option dontlog-normal",
        f'  log "fd@${{{VARIABLE}}}" len {LONGEST} format raw local0',
        f'  log-format "{" ".join(_FIELDS)}"',
        "  http-request capture req.fhdr(x-ms-client-request-id) len 100",
        "  http-request capture req.fhdr(user-agent) len 200",
    ]


class Access(NamedTuple):
    """One request to an online endpoint. Times are in milliseconds, -1 for what did not happen."""

    at: int
    """When it was over: milliseconds since 1970."""
    endpoint: str
    """Its name in lower case."""
    deployment: str
    """"" if the request came to none."""
    status: int
    """What the caller got; -1 if the connection ended before."""
    model_status: int | None
    """What the model answered; None if it did not."""
    header_ms: int
    queue_ms: int
    connect_ms: int
    model_ms: int
    total_ms: int
    bytes_in: int
    bytes_out: int
    termination: str
    """HAProxy's account of how it ended, such as "----" or "CD--"."""
    is_first: bool
    """Whether it was the first on its connection."""
    auth: str
    """key, aml_token, aad_token or ""."""
    method: str
    protocol: str
    request_id: str
    client_request_id: str
    user_agent: str
    path: str


def parse_line(line: bytes) -> Access | None:
    """The request of a line; None for a request of the control plane, or for what is no line."""
    fields = line.decode("utf-8", "replace").split(" ", len(_FIELDS) - 1)
    if len(fields) != len(_FIELDS) or fields[1] == "-":
        return None
    _, dot, deployment = fields[2].partition(".")
    try:
        return Access(
            int(fields[0]),
            fields[1],
            deployment if dot else "",
            int(fields[3]),
            None if fields[4] == "-" else int(fields[4]),
            int(fields[5]),
            int(fields[6]),
            int(fields[7]),
            int(fields[8]),
            int(fields[9]),
            int(fields[10]),
            int(fields[11]),
            fields[12],
            fields[13] == "1",
            _given(fields[14]),
            fields[15],
            fields[16],
            _text(fields[17]),
            _text(fields[18]),
            _text(fields[19]),
            fields[20].rstrip("\n"),
        )
    except ValueError:
        return None


def _given(field: str) -> str:
    return "" if field == "-" else field


def _text(field: str) -> str:
    return urllib.parse.unquote(_given(field)) if "%" in field else _given(field)
