"""HAProxy's configuration as a pure function of the endpoints.

Every rule that scoring requests meet stands here: who may call, which deployment answers, how long
a request waits, and what the refusals say. Listening sockets come from the edge as inherited file
descriptors, named in the environment variables LZ_HTTPS and LZ_HTTP; LZ_START marks the process,
LZ_ACCESS is where a line for each request goes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence, Set
from pathlib import Path

from lazulite.serving.access_log import access_log
from lazulite.serving.access_tokens import AccessTokens
from lazulite.serving.haproxy_auth import auth_files, authentication
from lazulite.serving.haproxy_mirror import (
    copies_frontend,
    copying,
    loading,
    mirror_files,
)
from lazulite.serving.haproxy_rules import admission, body_limit, body_refused, provenance
from lazulite.serving.haproxy_succession import (
    HTTP_VERSION,
    handed_on,
    handing_on,
    is_http2,
    newest,
)
from lazulite.serving.haproxy_text import (
    error_page,
    host_lists,
    quoted,
    refusal,
    socket_address,
    text_of,
)
from lazulite.serving.haproxy_traffic import (
    SCORING,
    backend_name,
    choice_of_deployment,
    counters,
    traffic_map,
)
from lazulite.serving.routing import Deployment, Endpoint

# The replica's own timeout answers first (+0 s) and frees its process; HAProxy gives up next
# (+1 s); a replica stuck in C is killed last (+2 s), so that its broken connection is never taken
# for a crash whose request may be repeated.
ANSWER_MARGIN_MS = 1000

# A server that fails is left out at once, and taken back as soon as its socket can be reached.
WATCHED = (
    "check inter 2s fastinter 100ms downinter 100ms fall 1 rise 1 "
    "observe layer4 error-limit 1 on-error mark-down"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FrontDoorSettings:
    """What does not change with the endpoints."""

    run_folder: Path
    """Short path, mode 0700: HAProxy's own sockets (stats.sock, metrics.sock) and the edge's."""
    control_socket: Path
    """Unix socket of the control plane."""
    certificate: Path
    """PEM file with the private key and the chain: server.pem of certificates.py."""
    issuer: str
    """`iss` that aml_token tokens must carry."""
    token_keys: tuple[str, ...]
    """RSA public keys (PEM texts) that may have signed them; several while a key is replaced."""
    hosts: tuple[str, ...]
    """Host names that requests may carry, no port; `*.name` for its subdomains, `*` for any."""
    threads: int = 1
    max_connections: int = 4000
    buffer_bytes: int = 36864
    """A request that fits is held back until complete, and can be repeated when a replica dies.

    For that it is copied, in whatever length: 64 KiB would cost a request 2 us more.
    """


def render(
    settings: FrontDoorSettings, endpoints: Iterable[Endpoint], trusted: AccessTokens
) -> dict[str, str]:
    """The files of one configuration folder: haproxy.cfg, and what it reads from beside itself.

    The same endpoints give the same texts, in whatever order they come.
    """
    ordered = sorted(endpoints, key=lambda endpoint: endpoint.name.lower())
    names, domains = host_lists(settings.hosts)
    sections = [
        [*_global(settings), *loading(settings.run_folder, ordered)],
        _defaults(),
        _metrics(settings),
        counters(),
        _public(settings, trusted, {endpoint.auth_mode for endpoint in ordered}),
        copies_frontend(settings.run_folder, ordered),
        _control(settings),
        newest(settings.run_folder),
        _scoring_defaults(),
        *(_deployment(e, d) for e in ordered for d in e.deployments),
    ]
    return {
        "haproxy.cfg": "\n\n".join("\n".join(section) for section in sections) + "\n",
        "hosts.lst": names,
        "domains.lst": domains,
        **auth_files(settings.token_keys, trusted, ordered),
        **mirror_files(ordered),
        **_maps(ordered),
    }


def _maps(endpoints: Sequence[Endpoint]) -> dict[str, str]:
    return {
        "deployments.map": text_of(
            f"{e.name.lower()}/{d.name.lower()} {backend_name(e.name, d.name)}"
            for e in endpoints
            for d in e.deployments
        ),
        "traffic.map": traffic_map(endpoints),
    }


def _global(settings: FrontDoorSettings) -> list[str]:
    return [
        "global",
        '  description "${LZ_START}"',
        "  default-path config",
        f"  nbthread {settings.threads:d}",
        f"  maxconn {settings.max_connections:d}",
        f"  tune.bufsize {settings.buffer_bytes:d}",
        "  tune.ssl.default-dh-param 2048",
        "  ssl-default-bind-options ssl-min-ver TLSv1.2",
        "  no strict-limits",
        "  hard-stop-after 12h",  # for large blobs; the edge bounds how many go on so long
        "  set-var proc.first_turn rand(100)",
        "  log stderr format raw daemon err",
        f"  stats socket {socket_address(settings.run_folder / 'stats.sock')} mode 600 level admin",
    ]


def _defaults() -> list[str]:
    return [
        "defaults base",
        "  mode http",
        "  log global",
        "  option dontlog-normal",
        "  option log-separate-errors",
        # No query string: blob requests carry their signature there.
        "  log-format '%ci %ft %b/%s %Tq/%Tw/%Tc/%Tr/%Ta %ST %B %tsc %HM %HP'",
        "  timeout http-request 10s",
        "  timeout http-keep-alive 5s",
        "  timeout client 30s",
        "  timeout connect 500ms",
        "  timeout server 300s",
        "  option idle-close-on-response",
        *error_page(
            400, "BadRequest", "The request is not valid HTTP, or its header is too large."
        ),
        *error_page(
            408, "RequestTimeout", "The request did not arrive in time: 10 s for its header."
        ),
        *error_page(500, "InternalServerError", "The front door failed on this request."),
        *error_page(502, "BadGateway", "The server broke off before it had answered. Try again."),
        *error_page(
            503, "ServiceUnavailable", "No server took the request. Try again.", retry_after=1
        ),
        *error_page(504, "GatewayTimeout", "The server did not answer in time."),
    ]


def _metrics(settings: FrontDoorSettings) -> list[str]:
    return [
        "frontend metrics from base",
        f"  bind {socket_address(settings.run_folder / 'metrics.sock', 'unix@')} mode 600",
        "  http-request use-service prometheus-exporter if { path /metrics }",
        "  http-request return status 404",
    ]


def _public(settings: FrontDoorSettings, trusted: AccessTokens, modes: Set[str]) -> list[str]:
    """modes: how endpoints authenticate. What follows `allow` is asked of scoring requests only."""
    return [
        "frontend public from base",
        f'  bind "fd@${{LZ_HTTPS}}" ssl crt {quoted(str(settings.certificate))} alpn h2,http/1.1',
        '  bind "fd@${LZ_HTTP}"',
        *handed_on(settings.run_folder),
        *access_log(),
        *handing_on(),
        *provenance(),
        *admission(any_host="*" in settings.hosts),
        "  http-request set-var(txn.endpoint) path,field(3,/),lower"
        " if { path_beg /inference/ } !{ path,field(4,/) jobs }",
        f"  http-request allow if !{SCORING}",
        # Over HTTP/2 a refusal that overtakes its request looks like a broken stream to curl 7.88.
        "  http-request wait-for-body time 10s if is_http2",
        *authentication(settings.issuer, settings.token_keys, trusted, modes),
        body_limit(),
        # Before a deployment is chosen: what arrives slowly must not count as in flight there.
        "  http-request wait-for-body time 10s",
        *choice_of_deployment(),
        "  http-request set-path /%[path,field(4,/,0)]",
        f"  use_backend %[var(txn.backend)] if {SCORING}",
        "  default_backend control",
    ]


def _control(settings: FrontDoorSettings) -> list[str]:
    """Idle connections are kept for 5 s, the control plane's for 75 s.

    So it is never the control plane that closes one that a request is just being sent on.
    """
    return [
        "backend control from base",
        *is_http2(),
        f"  http-request set-header {HTTP_VERSION} 2 if is_http2",
        "  http-reuse safe",
        "  retries 2",
        *error_page(
            503,
            "ServiceUnavailable",
            "The control plane is not running or is starting. Try again.",
            retry_after=2,
        ),
        f"  server control {socket_address(settings.control_socket, 'unix@')}",
    ]


def _scoring_defaults() -> list[str]:
    """Retries lose nothing when a replica dies, and repeat nothing that it had begun to answer."""
    is_late = "{ status 500 } { var(txn.took),sub(txn.timeout) ge 0 }"
    return [
        "defaults scoring from base",
        "  option http-buffer-request",
        "  option abortonclose",
        "  http-reuse always",
        "  option redispatch 1",
        "  retry-on conn-failure empty-response",
        "  balance leastconn",
        "  http-request set-var(txn.arrived) date(0,ms)",
        "  http-response set-var(txn.model_status) status",
        "  http-response del-header x-lazulite- -m beg",
        "  http-response del-header ms-azureml- -m beg",
        "  http-response del-header set-cookie",
        "  http-response del-header keep-alive",
        "  http-response del-header upgrade",
        "  http-response del-header proxy- -m beg",
        # A replica's own timeout is a plain 500: only its lateness tells it from a failed run().
        "  http-response set-var-fmt(txn.took) %Tr if { status 500 }",
        f'  http-response set-status 408 reason "Request Timeout" if {is_late}',
        body_refused(),
        "  http-response allow if { status 200 408 }",
        "  http-response set-header ms-azureml-model-error-statuscode %[status]",
        "  http-response set-header ms-azureml-model-error-reason model_error",
        '  http-response set-status 424 reason "Failed Dependency"',
        '  http-after-response set-status 408 reason "Request Timeout"'
        " if { res.hdr(x-lazulite-status) 408 }",
        '  http-after-response set-status 429 reason "Too Many Requests"'
        " if { res.hdr(x-lazulite-status) 429 }",
        "  http-after-response del-header x-lazulite-status",
    ]


def _deployment(endpoint: Endpoint, deployment: Deployment) -> list[str]:
    name, limit = deployment.name, deployment.in_flight_limit
    wait_ms, run_ms = deployment.max_queue_wait_ms, deployment.request_timeout_ms
    waited = f"%[date(0,ms),sub(txn.arrived),add(1),div({wait_ms}),bool,"
    addresses = [socket_address(Path(path), "unix@") for path in deployment.sockets]
    slots, asleep = deployment.slots, not deployment.sockets
    cold_ms = deployment.cold_ms if asleep else 0
    servers = (
        f"  server p{n} {address} maxconn {slots} {WATCHED}" for n, address in enumerate(addresses)
    )
    waiting = socket_address(Path(deployment.waiting), "unix@")
    return [
        f"backend {backend_name(endpoint.name, name)} from scoring",
        # When all replicas die at once, each can cost two tries (a connection that breaks, a socket
        # that is gone) before the request comes to where it can wait. HAProxy closes a client's
        # connection without an answer if no try is left after one on a connection that it reused.
        f"  retries {max(4, 2 * len(addresses))}",
        f"  timeout queue {wait_ms}ms",
        f"  timeout server {run_ms + ANSWER_MARGIN_MS + cold_ms}ms",
        f"  http-after-response set-header azureml-model-deployment {name}",
        f"  http-request set-var(txn.timeout) int({run_ms})",
        refusal(
            429,
            "TooManyRequests",
            f"Deployment '{name}' has {limit} requests in flight, its limit: 2 x "
            f"max_concurrent_requests_per_instance {deployment.max_concurrent} x "
            f"{deployment.limiting_instances} instances. Try again, or raise one of the two.",
            "Retry-After 1",
        )
        + f" if {{ be_conn gt {limit} }}",
        *copying(endpoint),
        *error_page(
            503,
            f"{waited}iif(TooManyRequests,ServiceUnavailable)]",
            f"{waited}iif(Every replica stayed busy,No replica is up)]: deployment '{name}' lets "
            f"requests wait {wait_ms} ms (max_queue_wait). Try again, raise it or add instances.",
            retry_after=1,
            status=f"{waited}iif(429,503)]",
        ),
        *error_page(
            504,
            "RequestTimeout",
            f"Deployment '{name}' did not answer in {run_ms} ms (request_timeout_ms).",
            status="408",
        ),
        *servers,
        # While no replica is up, requests wait in the backlog of this socket: the keeper holds it.
        f"  server waiting {waiting} backup maxconn {deployment.waiting_slots}",
    ]
