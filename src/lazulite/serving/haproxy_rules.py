"""What the public frontend asks of a request before it goes to a deployment, as HAProxy rules."""

from __future__ import annotations

from lazulite.serving.haproxy_text import refusal
from lazulite.serving.keeper_spec import LARGEST_BODY

_TOO_LARGE = refusal(
    413,
    "RequestEntityTooLarge",
    f"The body is longer than {LARGEST_BODY} bytes. Send less at once.",
)


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


def body_limit() -> str:
    """A refusal of bodies that say beforehand that they are too long."""
    return _TOO_LARGE + f" if {{ req.body_size gt {LARGEST_BODY} }}"


def body_refused() -> str:
    """The same of bodies that did not: a replica's own 413, which says nothing of a run()."""
    by_replica = "{ res.hdr(x-ms-run-function-failed) -m found }"
    ran = "{ res.hdr(x-ms-run-fn-exec-ms) -m found }"
    answer = _TOO_LARGE.replace("http-request", "http-response", 1)
    return answer + f" if {{ status 413 }} {by_replica} !{ran}"


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
        "  http-request set-header x-forwarded-proto https if is_https",
        "  http-request set-header x-forwarded-proto http unless is_https",
    ]
