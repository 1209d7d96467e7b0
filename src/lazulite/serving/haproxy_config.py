"""HAProxy's configuration as a pure function of the endpoints.

Every rule that scoring requests meet stands here: who may call, which deployment answers, how long
a request waits, and what the refusals say. Listening sockets come from the edge as inherited file
descriptors, named in the environment variables LZ_HTTPS and LZ_HTTP.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from lazulite.serving.routing import Deployment, Endpoint, require_socket

# The replica's own timeout answers first (+0 s) and frees its process; HAProxy gives up next (+1 s);
# a replica stuck in C is killed last (+2 s), so that its broken connection is never taken for a crash
# whose request may be repeated.
ANSWER_MARGIN_MS = 1000

_SLOT_COUNT = 100
_SCORING = "{ var(txn.endpoint) -m found }"
_ENDPOINT = "%[var(txn.endpoint),json(utf8s)]"


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
    """Host names that requests may carry, without port; `*.name` for its subdomains, `*` for any."""
    threads: int = 1
    max_connections: int = 4000
    buffer_bytes: int = 65536
    """A request that fits is held back until complete, and can be repeated when a replica dies."""


def render(settings: FrontDoorSettings, endpoints: Iterable[Endpoint]) -> dict[str, str]:
    """The files of one configuration folder: haproxy.cfg, and what it reads from beside itself.

    The same endpoints give the same texts, in whatever order they come.
    """
    ordered = sorted(endpoints, key=lambda endpoint: endpoint.name.lower())
    token_files = {f"token-{n}.pem": pem for n, pem in enumerate(settings.token_keys)}
    sections = [
        _global(settings),
        _defaults(),
        _metrics(settings),
        _public(settings, list(token_files)),
        _control(settings),
        _scoring_defaults(),
        *(_deployment(e, d) for e in ordered for d in e.deployments),
    ]
    return {
        "haproxy.cfg": "\n\n".join("\n".join(section) for section in sections) + "\n",
        "hosts.lst": _lines(host.lower() for host in settings.hosts if not host.startswith("*")),
        "domains.lst": _lines(host[1:].lower() for host in settings.hosts if host[:2] == "*."),
        **token_files,
        **_maps(ordered),
    }


def _maps(endpoints: Sequence[Endpoint]) -> dict[str, str]:
    return {
        "endpoints.map": _lines(f"{e.name.lower()} {e.auth_mode}" for e in endpoints),
        "audiences.map": _lines(f"{e.name.lower()} {e.uid}" for e in endpoints),
        "keys.map": _lines(
            f"{e.name.lower()}/{digest.upper()} 1" for e in endpoints for digest in e.key_hashes
        ),
        "deployments.map": _lines(
            f"{e.name.lower()}/{d.name.lower()} {_backend_name(e, d.name)}"
            for e in endpoints
            for d in e.deployments
        ),
        "traffic.map": _lines(line for e in endpoints for line in _traffic_slots(e)),
    }


def _traffic_slots(endpoint: Endpoint) -> list[str]:
    names = [name for name, percent in sorted(endpoint.traffic.items()) for _ in range(percent)]
    return [
        f"{endpoint.name.lower()}/{slot} {_backend_name(endpoint, name)}"
        for slot, name in enumerate(names)
    ]


def _backend_name(endpoint: Endpoint, deployment: str) -> str:
    return f"{endpoint.name}.{deployment}"


def _global(settings: FrontDoorSettings) -> list[str]:
    return [
        "global",
        "  default-path config",
        f"  nbthread {settings.threads:d}",
        f"  maxconn {settings.max_connections:d}",
        f"  tune.bufsize {settings.buffer_bytes:d}",
        "  tune.ssl.default-dh-param 2048",
        "  ssl-default-bind-options ssl-min-ver TLSv1.2",
        "  no strict-limits",
        "  hard-stop-after 200s",
        "  log stderr format raw daemon notice",
        f"  stats socket {_socket(settings.run_folder / 'stats.sock')} mode 600 level admin",
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
        *_page(400, "BadRequest", "The request is not valid HTTP, or its header is too large."),
        *_page(408, "RequestTimeout", "The request did not arrive in time: 10 s for its header."),
        *_page(500, "InternalServerError", "The front door failed on this request."),
        *_page(502, "BadGateway", "The server broke off before it had answered. Try again."),
        *_page(503, "ServiceUnavailable", "No server took the request. Try again.", retry_after=1),
        *_page(504, "GatewayTimeout", "The server did not answer in time."),
    ]


def _metrics(settings: FrontDoorSettings) -> list[str]:
    return [
        "frontend metrics from base",
        f"  bind {_socket(settings.run_folder / 'metrics.sock', 'unix@')} mode 600",
        "  http-request use-service prometheus-exporter if { path /metrics }",
        "  http-request return status 404",
    ]


def _public(settings: FrontDoorSettings, token_files: Sequence[str]) -> list[str]:
    return [
        "frontend public from base",
        f'  bind "fd@${{LZ_HTTPS}}" ssl crt {_quoted(str(settings.certificate))} alpn h2,http/1.1',
        '  bind "fd@${LZ_HTTP}"',
        *_admission(any_host="*" in settings.hosts),
        *_provenance(),
        "  http-request set-var(txn.endpoint) path,field(3,/),lower"
        " if { path_beg /inference/ } !{ path,field(4,/) jobs }",
        *_authentication(settings.issuer, token_files),
        *_choice_of_deployment(),
        f"  http-request set-path /%[path,field(4,/,0)] if {_SCORING}",
        f"  use_backend %[var(txn.backend)] if {_SCORING}",
        "  default_backend control",
    ]


def _admission(*, any_host: bool) -> list[str]:
    """Refusals that need no knowledge of endpoints."""
    rules = [
        _refusal(414, "UriTooLong", "The URL is longer than 16384 bytes.")
        + " if { url,length gt 16384 }",
        _refusal(431, "RequestHeaderFieldsTooLarge", "The header is longer than 32768 bytes.")
        + " if { req.hdrs,length gt 32768 }",
    ]
    if not any_host:
        rules += [
            "  acl host_is_ours req.hdr(host),host_only,lower -m str -f hosts.lst",
            "  acl host_is_ours req.hdr(host),host_only,lower -m end -f domains.lst",
            _refusal(
                421,
                "MisdirectedRequest",
                "Host %[req.hdr(host),json(utf8s)] is not served here: use the server's own name, "
                "or add this one to its host names.",
            )
            + " unless host_is_ours",
        ]
    return rules


def _provenance() -> list[str]:
    """Who asked, and under which request id; what clients claim of this is removed."""
    return [
        "  http-request set-var(txn.request) req.fhdr(x-request-id)"
        " if { req.fhdr(x-request-id),length le 100 }",
        "  http-request set-var(txn.request) uuid unless { var(txn.request) -m len gt 0 }",
        "  http-request set-header x-request-id %[var(txn.request)]"
        " unless { req.fhdr(x-request-id),length gt 0 }",
        "  http-after-response set-header x-ms-request-id %[var(txn.request)]"
        " unless { res.hdr(x-ms-request-id) -m found }",
        "  http-request del-header x-forwarded- -m beg",
        "  http-request del-header x-lazulite- -m beg",
        "  http-request del-header forwarded",
        "  http-request del-header x-real-ip",
        "  http-request set-header x-forwarded-for %[src]",
        "  http-request set-header x-forwarded-host %[req.hdr(host)]",
        "  http-request set-header x-forwarded-proto %[ssl_fc,iif(https,http)]",
    ]


def _authentication(issuer: str, token_files: Sequence[str]) -> list[str]:
    """Key or token of the endpoint; a key is looked up by its SHA-256, which is all HAProxy knows."""
    challenge = "WWW-Authenticate Bearer"
    return [
        f"  http-request set-var(txn.auth) var(txn.endpoint),map(endpoints.map) if {_SCORING}",
        _refusal(404, "EndpointNotFound", f"There is no online endpoint {_ENDPOINT}.")
        + f" if {_SCORING} !{{ var(txn.auth) -m found }}",
        _refusal(
            403,
            "AuthModeNotSupported",
            f"authMode of endpoint {_ENDPOINT} is not supported here: use key or aml_token.",
        )
        + f" if {_SCORING} !{{ var(txn.auth) -m str key aml_token }}",
        _refusal(
            401,
            "AuthenticationFailed",
            f"Endpoint {_ENDPOINT} needs the header 'Authorization: Bearer ...' "
            "with one of its keys or tokens.",
            challenge,
        )
        + f" if {_SCORING} !{{ http_auth_bearer -m len gt 0 }}",
        "  http-request set-var(txn.digest) http_auth_bearer,sha2(256),hex"
        " if { var(txn.auth) -m str key }",
        "  http-request set-var(txn.digest) var(txn.endpoint),concat(/,txn.digest)"
        " if { var(txn.auth) -m str key }",
        _refusal(
            401,
            "AuthenticationFailed",
            f"The key is not one of endpoint {_ENDPOINT}: read the present ones with listKeys.",
            challenge,
        )
        + " if { var(txn.auth) -m str key } !{ var(txn.digest),map(keys.map) -m found }",
        *_token_check(issuer, token_files, challenge),
        # User code has no need to see (and log) the caller's credential.
        f"  http-request del-header authorization if {_SCORING}",
    ]


def _token_check(issuer: str, token_files: Sequence[str], challenge: str) -> list[str]:
    """RS256 only, whatever the token's own header asks for."""
    is_token = "{ var(txn.auth) -m str aml_token }"
    claim = "var(txn.token),jwt_payload_query"
    return [
        f"  http-request set-var(txn.token) http_auth_bearer if {is_token}",
        f"  http-request set-var(txn.now) date if {is_token}",
        f"  http-request set-var(txn.uid) var(txn.endpoint),map(audiences.map) if {is_token}",
        *(f"  acl is_signed var(txn.token),jwt_verify(RS256,{file}) 1" for file in token_files),
        *([] if token_files else ["  acl is_signed always_false"]),
        "  acl is_rs256 var(txn.token),jwt_header_query('$.alg') -m str RS256",
        f"  acl is_issued {claim}('$.iss') -m str -- {_quoted(issuer)}",
        f"  acl is_addressed {claim}('$.aud'),strcmp(txn.uid) eq 0",
        f"  acl is_alive {claim}('$.exp','int'),sub(txn.now) gt 0",
        f"  acl is_early {claim}('$.nbf','int'),sub(txn.now) gt 60",
        _refusal(
            401,
            "AuthenticationFailed",
            f"The token is not valid for endpoint {_ENDPOINT}: it must be one that its token "
            "operation gave out.",
            challenge,
        )
        + f" if {is_token} !is_rs256 or {is_token} !is_signed or {is_token} !is_issued"
        f" or {is_token} !is_addressed or {is_token} is_early",
        _refusal(
            401,
            "ExpiredAuthenticationToken",
            f"The token for endpoint {_ENDPOINT} has expired: ask its token operation for a new one.",
            challenge,
        )
        + f" if {is_token} !is_alive",
    ]


def _choice_of_deployment() -> list[str]:
    """The deployment that the header names, else one by traffic. Source: spec/ONLINE.md 5.5."""
    asked = "{ var(txn.asked) -m found }"
    unknown = "!{ var(txn.backend) -m found }"
    return [
        f"  http-request set-var(txn.asked) req.fhdr(azureml-model-deployment),lower if {_SCORING}",
        "  http-request set-var(txn.backend)"
        f" var(txn.endpoint),concat(/,txn.asked),map(deployments.map) if {asked}",
        _refusal(
            404,
            "DeploymentNotFound",
            f"Endpoint {_ENDPOINT} has no deployment %[var(txn.asked),json(utf8s)], which the "
            "header azureml-model-deployment asks for.",
        )
        + f" if {asked} {unknown}",
        f"  http-request set-var(txn.slot) rand({_SLOT_COUNT}) if {_SCORING} !{asked}",
        "  http-request set-var(txn.backend)"
        f" var(txn.endpoint),concat(/,txn.slot),map(traffic.map) if {_SCORING} !{asked}",
        _refusal(
            404,
            "NoDeploymentWithTraffic",
            f"No deployment of endpoint {_ENDPOINT} takes traffic: set its traffic, or name a "
            "deployment in the header azureml-model-deployment.",
        )
        + f" if {_SCORING} {unknown}",
    ]


def _control(settings: FrontDoorSettings) -> list[str]:
    """No connection is reused: a closing one could swallow a request that must not be repeated."""
    return [
        "backend control from base",
        "  option http-server-close",
        "  http-reuse never",
        "  retries 2",
        *_page(
            503,
            "ServiceUnavailable",
            "The control plane is not running or is starting. Try again.",
            retry_after=2,
        ),
        f"  server control {_socket(settings.control_socket, 'unix@')}",
    ]


def _scoring_defaults() -> list[str]:
    """Retries lose nothing when a replica dies, and repeat nothing that it had begun to answer."""
    is_error = "!{ status 200 } !{ var(txn.late) -m bool }"
    return [
        "defaults scoring from base",
        "  option http-buffer-request",
        "  option abortonclose",
        "  http-reuse always",
        "  retries 4",
        "  option redispatch 1",
        "  retry-on conn-failure empty-response",
        "  default-server maxconn 1 check inter 2s fastinter 100ms downinter 100ms fall 1 rise 1"
        " observe layer4 error-limit 1 on-error mark-down",
        "  http-request set-var(txn.arrived) date(0,ms)",
        "  http-response del-header x-lazulite- -m beg",
        "  http-response del-header ms-azureml- -m beg",
        "  http-response del-header set-cookie",
        "  http-response del-header keep-alive",
        "  http-response del-header upgrade",
        "  http-response del-header proxy- -m beg",
        f"  http-response set-header ms-azureml-model-error-statuscode %[status] if {is_error}",
        f"  http-response set-header ms-azureml-model-error-reason model_error if {is_error}",
        f'  http-response set-status 424 reason "Failed Dependency" if {is_error}',
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
    servers = (
        f"  server p{n} {_socket(Path(path), 'unix@')}" for n, path in enumerate(deployment.sockets)
    )
    return [
        f"backend {_backend_name(endpoint, name)} from scoring",
        f"  timeout queue {wait_ms}ms",
        f"  timeout server {run_ms + ANSWER_MARGIN_MS}ms",
        f"  http-after-response set-header azureml-model-deployment {name}",
        _refusal(
            429,
            "TooManyRequests",
            f"Deployment '{name}' has {limit} requests in flight, its limit: 2 x "
            f"max_concurrent_requests_per_instance {deployment.max_concurrent} x "
            f"{deployment.instances} instances. Try again, or raise one of the two.",
            "Retry-After 1",
        )
        + f" if {{ be_conn gt {limit} }}",
        # A replica's own timeout is a plain 500; only its lateness tells it from a failed run().
        "  http-response set-var-fmt(txn.took) %Tr if { status 500 }",
        "  http-response set-var(txn.late) bool(true)"
        f" if {{ status 500 }} {{ var(txn.took) -m int ge {run_ms} }}",
        '  http-response set-status 408 reason "Request Timeout" if { var(txn.late) -m bool }',
        *_page(
            503,
            f"{waited}iif(TooManyRequests,ServiceUnavailable)]",
            f"{waited}iif(Every replica stayed busy,No replica is up)]: deployment '{name}' lets "
            f"requests wait {wait_ms} ms (max_queue_wait). Try again, raise it or add instances.",
            retry_after=1,
            status=f"{waited}iif(429,503)]",
        ),
        *_page(
            504,
            "RequestTimeout",
            f"Deployment '{name}' did not answer in {run_ms} ms (request_timeout_ms).",
            status="408",
        ),
        *servers,
    ]


def _refusal(status: int, code: str, message: str, header: str = "") -> str:
    """A rule that answers in Azure's error shape; `%[...]` in code and message is evaluated."""
    hdr = f" hdr {header}" if header else ""
    return (
        f"  http-request return status {status} content-type application/json"
        f" lf-string {_error_body(code, message)}{hdr}"
    )


def _page(
    replaced: int, code: str, message: str, *, retry_after: int = 0, status: str = ""
) -> list[str]:
    """What HAProxy answers instead of its own error page; `status` is the one that goes out."""
    headers = f" hdr retry-after {retry_after}" if retry_after else ""
    headers += f" hdr x-lazulite-status {_quoted(status)}" if status else ""
    return [
        f"  http-error status {replaced} content-type application/json"
        f" lf-string {_error_body(code, message)}{headers}"
    ]


def _error_body(code: str, message: str) -> str:
    return _quoted(json.dumps({"error": {"code": code, "message": message, "details": []}}))


def _socket(path: Path, prefix: str = "") -> str:
    require_socket(str(path))
    return f"{prefix}{path}"


def _quoted(word: str) -> str:
    """The word for HAProxy's parser, which joins quoted pieces as a shell does."""
    if any(ord(character) < 32 for character in word):
        raise ValueError(f"{word[:200]!r}: control characters cannot go into the configuration")
    return "'" + word.replace("'", "'\\''") + "'"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
