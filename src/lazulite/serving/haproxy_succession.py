"""How a replaced HAProxy hands on the requests that still come to it.

A connection that a client kept idle leads to the process that had accepted it. What is asked there
once that process is replaced is for the new configuration to answer, so it goes to whoever listens
on a socket of the run folder: the newest process. Its answer is the last on the old connection.
"""

from __future__ import annotations

from pathlib import Path

from lazulite.serving.haproxy_text import socket_address

MARK = b"experimental-mode on; set var proc.replaced int(1)"
"""What a process is told on its stats socket once its successor serves."""
HTTP_VERSION = "x-lazulite-http"
"""The header that tells the major version of HTTP of the client's connection."""
_HANDED_ON = "{ var(txn.handed_on) -m found }"
SCORING_S = 480
"""More than a scoring request takes: 180 s in the queue, 60 s of a cold start, 181 s to run."""


def handing_on() -> list[str]:
    """Rules of the public frontend, before all others: no rule of a replaced process is asked."""
    return [
        # Looked at once: rules may pause, and what they have begun to change goes no further.
        "  http-request set-var(txn.handed_on) bool(1) if { var(proc.replaced) -m found }",
        f"  http-request set-log-level silent if {_HANDED_ON}",
        f"  http-request set-header {HTTP_VERSION} 1 if {_HANDED_ON}",
        f"  http-request set-header {HTTP_VERSION} 2 if {_HANDED_ON} is_http2",
        f"  http-request allow if {_HANDED_ON}",
        f"  use_backend newest_https if {_HANDED_ON} is_https",
        f"  use_backend newest_http if {_HANDED_ON}",
    ]


def handed_on(run_folder: Path) -> list[str]:
    """Sockets of the public frontend for requests of replaced processes, and how they first came.

    A replaced process tells the client's version of HTTP in a header; of clients it is not taken.
    """
    return [
        *(
            f"  bind {_socket(run_folder, scheme)} mode 600 accept-proxy name newest_{scheme}"
            for scheme in ("https", "http")
        ),
        "  acl is_https ssl_fc",
        "  acl is_https so_name newest_https",
        f"  http-request set-var(txn.http) req.hdr_val({HTTP_VERSION})"
        " if { so_name newest_https newest_http }",
        *is_http2(),
    ]


def is_http2() -> list[str]:
    """Declares the acl of that name: whether the client speaks HTTP/2, to whichever process."""
    return ["  acl is_http2 fc_http_major 2", "  acl is_http2 var(txn.http) -m int 2"]


def newest(run_folder: Path) -> list[str]:
    """The backends that lead to the newest process."""
    return [
        line
        for scheme in ("https", "http")
        for line in (
            f"backend newest_{scheme} from base",
            "  http-reuse never",
            f"  timeout server {SCORING_S}s",
            f"  server newest {_socket(run_folder, scheme)} send-proxy-v2",
        )
    ]


def _socket(run_folder: Path, scheme: str) -> str:
    return socket_address(run_folder / f"newest-{scheme}.sock", "unix@")
