"""What the public frontend asks of a request before it goes to a deployment, as HAProxy rules."""

from __future__ import annotations

from collections.abc import Sequence

from lazulite.serving.haproxy_text import quoted, refusal
from lazulite.serving.haproxy_traffic import SCORING, SHOWN_ENDPOINT


def admission(*, any_host: bool) -> list[str]:
    """Refusals that need no knowledge of endpoints."""
    rules = [
        refusal(414, "UriTooLong", "The URL is longer than 16384 bytes.")
        + " if { url,length gt 16384 }",
        refusal(431, "RequestHeaderFieldsTooLarge", "The header is longer than 32768 bytes.")
        + " if { req.hdrs,length gt 32768 }",
    ]
    if not any_host:
        rules += [
            "  acl host_is_ours req.hdr(host),host_only,lower -m str -f hosts.lst",
            "  acl host_is_ours req.hdr(host),host_only,lower -m end -f domains.lst",
            refusal(
                421,
                "MisdirectedRequest",
                "Host %[req.hdr(host),json(utf8s)] is not served here: use the server's own name, "
                "or add this one to its host names.",
            )
            + " unless host_is_ours",
        ]
    return rules


def provenance() -> list[str]:
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


def authentication(issuer: str, token_files: Sequence[str]) -> list[str]:
    """Key or token of the endpoint; a key is looked up by its SHA-256, all that HAProxy knows."""
    challenge = "WWW-Authenticate Bearer"
    return [
        f"  http-request set-var(txn.auth) var(txn.endpoint),map(endpoints.map) if {SCORING}",
        refusal(404, "EndpointNotFound", f"There is no online endpoint {SHOWN_ENDPOINT}.")
        + f" if {SCORING} !{{ var(txn.auth) -m found }}",
        refusal(
            403,
            "AuthModeNotSupported",
            f"authMode of endpoint {SHOWN_ENDPOINT} is not supported here: use key or aml_token.",
        )
        + f" if {SCORING} !{{ var(txn.auth) -m str key aml_token }}",
        refusal(
            401,
            "AuthenticationFailed",
            f"Endpoint {SHOWN_ENDPOINT} needs the header 'Authorization: Bearer ...' "
            "with one of its keys or tokens.",
            challenge,
        )
        + f" if {SCORING} !{{ http_auth_bearer -m len gt 0 }}",
        "  http-request set-var(txn.digest) http_auth_bearer,sha2(256),hex"
        " if { var(txn.auth) -m str key }",
        "  http-request set-var(txn.digest) var(txn.endpoint),concat(/,txn.digest)"
        " if { var(txn.auth) -m str key }",
        refusal(
            401,
            "AuthenticationFailed",
            f"The key is not one of endpoint {SHOWN_ENDPOINT}: read the present ones with listKeys.",
            challenge,
        )
        + " if { var(txn.auth) -m str key } !{ var(txn.digest),map(keys.map) -m found }",
        *_token_check(issuer, token_files, challenge),
        # User code has no need to see (and log) the caller's credential.
        f"  http-request del-header authorization if {SCORING}",
    ]


def _token_check(issuer: str, token_files: Sequence[str], challenge: str) -> list[str]:
    """RS256 only, whatever the token's own header asks for."""
    by_jwt = "{ var(txn.auth) -m str aml_token }"
    claim = "var(txn.token),jwt_payload_query"
    return [
        f"  http-request set-var(txn.token) http_auth_bearer if {by_jwt}",
        f"  http-request set-var(txn.now) date if {by_jwt}",
        f"  http-request set-var(txn.uid) var(txn.endpoint),map(audiences.map) if {by_jwt}",
        *(f"  acl is_signed var(txn.token),jwt_verify(RS256,{file}) 1" for file in token_files),
        *([] if token_files else ["  acl is_signed always_false"]),
        "  acl is_rs256 var(txn.token),jwt_header_query('$.alg') -m str RS256",
        f"  acl is_issued {claim}('$.iss') -m str -- {quoted(issuer)}",
        f"  acl is_addressed {claim}('$.aud'),strcmp(txn.uid) eq 0",
        f"  acl is_alive {claim}('$.exp','int'),sub(txn.now) gt 0",
        f"  acl is_early {claim}('$.nbf','int'),sub(txn.now) gt 60",
        refusal(
            401,
            "AuthenticationFailed",
            f"The token is not valid for endpoint {SHOWN_ENDPOINT}: it must be one that its token "
            "operation gave out.",
            challenge,
        )
        + f" if {by_jwt} !is_rs256 or {by_jwt} !is_signed or {by_jwt} !is_issued"
        f" or {by_jwt} !is_addressed or {by_jwt} is_early",
        refusal(
            401,
            "ExpiredAuthenticationToken",
            f"The token for endpoint {SHOWN_ENDPOINT} has expired: ask its token operation for one.",
            challenge,
        )
        + f" if {by_jwt} !is_alive",
    ]
