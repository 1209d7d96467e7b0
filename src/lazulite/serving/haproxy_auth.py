"""Who may score, as HAProxy rules: keys, tokens of an endpoint, access tokens and roles.

HAProxy knows keys by their SHA-256 only, and of tokens the keys that verify them.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from lazulite.serving.access_tokens import SCORE, AccessTokens
from lazulite.serving.haproxy_text import quoted, refusal, text_of
from lazulite.serving.haproxy_traffic import ENDPOINT
from lazulite.serving.routing import Endpoint

_CHALLENGE = "WWW-Authenticate Bearer"
_BY_KEY = "{ var(txn.auth) -m str key }"
_BY_ENDPOINT_TOKEN = "{ var(txn.auth) -m str aml_token }"  # noqa: S105 - a rule
_BY_ACCESS_TOKEN = "{ var(txn.auth) -m str aad_token }"  # noqa: S105 - a rule
_CLAIM = "var(txn.token),jwt_payload_query"


def auth_files(
    token_keys: Sequence[str], trusted: AccessTokens, endpoints: Sequence[Endpoint]
) -> dict[str, str]:
    """The files that the rules of authentication() read."""
    return {
        **{f"token-{n}.pem": pem for n, pem in enumerate(token_keys)},
        **{f"access-{n}.pem": pem for n, pem in enumerate(trusted.keys)},
        "issuers.lst": text_of(trusted.issuers),
        "resources.lst": text_of(f"{name}{end}" for name in trusted.audiences for end in ("", "/")),
        "holders.map": text_of(f"{holder} 1" for holder in trusted.holders),
        "endpoints.map": text_of(f"{e.name.lower()} {e.auth_mode}" for e in endpoints),
        "audiences.map": text_of(f"{e.name.lower()} {e.uid}" for e in endpoints),
        "scopes.map": text_of(f"{e.name.lower()} {e.scope}" for e in endpoints),
        "callers.map": text_of(f"{e.name.lower()}/{who} 1" for e in endpoints for who in e.callers),
        "keys.map": text_of(
            f"{e.name.lower()}/{digest.upper()} 1" for e in endpoints for digest in e.key_hashes
        ),
    }


def authentication(
    issuer: str, token_keys: Sequence[str], trusted: AccessTokens, modes: Set[str]
) -> list[str]:
    """What a caller has to show, by the endpoint's auth_mode.

    issuer: of endpoints' tokens. modes: those in use; each costs every request its questions.
    """
    return [
        "  http-request set-var(txn.auth) var(txn.endpoint),map(endpoints.map)",
        refusal(404, "EndpointNotFound", f"There is no online endpoint {ENDPOINT}.")
        + " unless { var(txn.auth) -m found }",
        _unauthorized(
            f"Endpoint {ENDPOINT} needs the header 'Authorization: Bearer ...' "
            "with one of its keys or tokens.",
        )
        + " unless { http_auth_bearer -m len gt 0 }",
        *(_key_check() if "key" in modes else []),
        *(_token_claims() if modes - {"key"} else []),
        *(_endpoint_token_check(issuer, token_keys) if "aml_token" in modes else []),
        *([*_access_token_check(trusted), *_permission_check()] if "aad_token" in modes else []),
        # User code has no need to see (and log) the caller's credential.
        "  http-request del-header authorization",
    ]


def _unauthorized(message: str, code: str = "AuthenticationFailed") -> str:
    return refusal(401, code, message, _CHALLENGE)


def _key_check() -> list[str]:
    return [
        f"  http-request set-var(txn.digest) http_auth_bearer,sha2(256),hex if {_BY_KEY}",
        f"  http-request set-var(txn.digest) var(txn.endpoint),concat(/,txn.digest) if {_BY_KEY}",
        _unauthorized(
            f"The key is not one of endpoint {ENDPOINT}: read the present ones with listKeys."
        )
        + f" if {_BY_KEY} !{{ var(txn.digest),map(keys.map) -m found }}",
    ]


def _token_claims() -> list[str]:
    """What both kinds of token are asked. RS256 only, whatever the token's own header says."""
    return [
        f"  http-request set-var(txn.token) http_auth_bearer unless {_BY_KEY}",
        f"  http-request set-var(txn.now) date unless {_BY_KEY}",
        "  acl is_rs256 var(txn.token),jwt_header_query('$.alg') -m str RS256",
        f"  acl is_alive {_CLAIM}('$.exp','int'),sub(txn.now) gt 0",
        f"  acl is_early {_CLAIM}('$.nbf','int'),sub(txn.now) gt 60",
    ]


def _signed(name: str, prefix: str, count: int) -> list[str]:
    """An acl that any of the keys satisfies."""
    files = [f"{prefix}-{n}.pem" for n in range(count)]
    signed = [f"  acl {name} var(txn.token),jwt_verify(RS256,{file}) 1" for file in files]
    return signed or [f"  acl {name} always_false"]


def _unless_all(mode: str, *needed: str) -> str:
    return " if " + " or ".join(f"{mode} {each}" for each in needed)


def _endpoint_token_check(issuer: str, token_keys: Sequence[str]) -> list[str]:
    """A token that the endpoint itself gave out."""
    return [
        "  http-request set-var(txn.uid) var(txn.endpoint),map(audiences.map)",
        *_signed("is_endpoints", "token", len(token_keys)),
        f"  acl is_issued {_CLAIM}('$.iss') -m str -- {quoted(issuer)}",
        f"  acl is_addressed {_CLAIM}('$.aud'),strcmp(txn.uid) eq 0",
        _unauthorized(
            f"The token is not valid for endpoint {ENDPOINT}: it must be one that its token "
            "operation gave out."
        )
        + _unless_all(
            _BY_ENDPOINT_TOKEN,
            *("!is_rs256", "!is_endpoints", "!is_issued", "!is_addressed", "is_early"),
        ),
        _unauthorized(
            f"The token for endpoint {ENDPOINT} has expired: ask its token operation for one.",
            "ExpiredAuthenticationToken",
        )
        + f" if {_BY_ENDPOINT_TOKEN} !is_alive",
    ]


def _access_token_check(trusted: AccessTokens) -> list[str]:
    """A token of this server's token endpoint, for the data plane. Source: SECURITY.md 3.6."""
    mode = _BY_ACCESS_TOKEN
    return [
        *_signed("is_access", "access", len(trusted.keys)),
        f"  acl is_of_issuer {_CLAIM}('$.iss') -m str -f issuers.lst",
        f"  acl is_of_tenant {_CLAIM}('$.tid') -m str -- {quoted(trusted.tenant_id)}",
        f"  acl is_for_scoring {_CLAIM}('$.aud') -m str -f resources.lst",
        _unauthorized(
            "The access token is invalid: it must be one of this server's token endpoint.",
            "InvalidAuthenticationToken",
        )
        + _unless_all(
            mode, "!is_rs256", "!is_access", "!is_of_issuer", "!is_of_tenant", "is_early"
        ),
        _unauthorized("The access token has expired: get a new one.", "ExpiredAuthenticationToken")
        + f" if {mode} !is_alive",
        _unauthorized(
            "The access token has been obtained for wrong audience or resource "
            f"%[{_CLAIM}('$.aud'),json(utf8s)]: scoring needs one for https://ml.azure.com.",
            "InvalidAuthenticationTokenAudience",
        )
        + f" if {mode} !is_for_scoring",
    ]


def _permission_check() -> list[str]:
    """A principal that is there, got the token with a secret that is, and has the permission."""
    mode = _BY_ACCESS_TOKEN
    return [
        f"  http-request set-var(txn.caller) {_CLAIM}('$.oid') if {mode}",
        f"  http-request set-var(txn.secret) {_CLAIM}('$.credential') if {mode}",
        f"  http-request set-var(txn.holder) var(txn.caller),concat(/,txn.secret) if {mode}",
        _unauthorized(
            "The access token is invalid: its principal or credential was revoked.",
            "InvalidAuthenticationToken",
        )
        + f" if {mode} !{{ var(txn.holder),map(holders.map) -m found }}",
        f"  http-request set-var(txn.permit) var(txn.endpoint),concat(/,txn.caller) if {mode}",
        refusal(
            403,
            "AuthorizationFailed",
            f"The client '%[{_CLAIM}('$.appid'),json(utf8s)]' with object id "
            "'%[var(txn.caller),json(utf8s)]' does not have authorization to perform action "
            f"'{SCORE}' over scope '%[var(txn.endpoint),map(scopes.map),json(utf8s)]' or the scope "
            "is invalid. If access was recently granted, please refresh your credentials.",
        )
        + f" if {mode} !{{ var(txn.permit),map(callers.map) -m found }}",
    ]
