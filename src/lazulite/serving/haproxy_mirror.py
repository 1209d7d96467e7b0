"""Mirrored traffic as HAProxy rules: copies of requests to one deployment, answers dropped.

A copy goes through a private socket of HAProxy itself to the deployment's backend, so it meets
the same queue and limits as any request; `mirror.lua` makes it and waits for it. Source:
spec/ONLINE.md 5.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lazulite.serving.haproxy_text import quoted, socket_address
from lazulite.serving.haproxy_traffic import backend_name
from lazulite.serving.routing import Endpoint

_SCRIPT = Path(__file__).with_name("mirror.lua")
_COPY = "x-lazulite-copy"


def is_mirrored(endpoints: Sequence[Endpoint]) -> bool:
    """Whether anything is copied at all; if not, nothing of this is in the configuration."""
    return any(endpoint.mirror for endpoint in endpoints)


def mirror_files(endpoints: Sequence[Endpoint]) -> dict[str, str]:
    """The script, if it is needed."""
    return {_SCRIPT.name: _SCRIPT.read_text()} if is_mirrored(endpoints) else {}


def loading(run_folder: Path, endpoints: Sequence[Endpoint]) -> list[str]:
    """Lines of the global section."""
    address = socket_address(_socket(run_folder), "unix@")
    return [f"  lua-load {_SCRIPT.name} {address}"] if is_mirrored(endpoints) else []


def copies_frontend(run_folder: Path, endpoints: Sequence[Endpoint]) -> list[str]:
    """Where copies come in: a socket that only the server's own user reaches."""
    if not is_mirrored(endpoints):
        return []
    return [
        "frontend copies from base",
        f"  bind {socket_address(_socket(run_folder), 'unix@')} mode 600",
        f"  http-request set-var(txn.backend) req.hdr({_COPY})",
        f"  http-request del-header {_COPY}",
        "  use_backend %[var(txn.backend)]",
    ]


def copying(endpoint: Endpoint) -> list[str]:
    """Rules of each backend of the endpoint; none for requests that name their deployment.

    Of any 100 requests in a row as many are copied as the percentage says, or one more or less: the
    step after each hundred keeps it from always being the same turns, and so deployments.
    """
    return [
        f"  http-request lua.mirror {quoted(backend_name(endpoint.name, name))}"
        f" if {{ var(txn.turn),div(100),add(txn.turn),mul({percent}),mod(100) lt {percent} }}"
        for name, percent in endpoint.mirror.items()
    ]


def _socket(run_folder: Path) -> Path:
    return run_folder / "copies.sock"
