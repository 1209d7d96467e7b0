from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from lazulite.identity.principals import ServicePrincipal
from lazulite.identity.tokens import Audience, Audiences, Holder, TokenError, derived_ml_resource

ORIGIN = "https://localhost:8443"
TENANT = "11111111-2222-4333-8444-555555555555"
ARM = "https://management.azure.com"
PRINCIPAL = Holder(
    principal=ServicePrincipal(
        client_id="client", object_id="object", tenant_id=TENANT, display_name="d"
    ),
    credential="key",
)
ANY = Audience.MANAGEMENT | Audience.ML | Audience.STORAGE | Audience.GRAPH


def mint(tokens, resource: str = ARM) -> str:
    return tokens.mint(PRINCIPAL, resource, origin=ORIGIN).token


def code_of(tokens, token: str, audience: Audience = ANY) -> str:
    with pytest.raises(TokenError) as caught:
        tokens.verify(token, audience)
    return caught.value.code


def encoded(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(part: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_token_has_the_claims_that_clients_read(tokens, clock) -> None:
    minted = tokens.mint(PRINCIPAL, ARM + "/", origin=ORIGIN, version="1.0")
    header, payload, _ = minted.token.split(".")
    now = int(clock().timestamp())

    assert decoded(header) == {"typ": "JWT", "alg": "RS256", "kid": tokens.key.kid}
    assert decoded(payload) == {
        "aud": ARM + "/",
        "iss": f"{ORIGIN}/{TENANT}/",
        "iat": now - 300,
        "nbf": now - 300,
        "exp": now + 3600,
        "tid": TENANT,
        "oid": "object",
        "sub": "object",
        "appid": "client",
        "idtyp": "app",
        "ver": "1.0",
        "credential": "key",
    }
    assert (minted.not_before, minted.expires_on) == (now - 300, now + 3600)
    assert minted.token not in repr(minted)


def test_token_is_good_until_its_last_second(tokens, clock) -> None:
    token = mint(tokens)
    clock.move(3599)
    assert tokens.verify(token, Audience.MANAGEMENT).object_id == "object"

    clock.move(1)  # verified before, so that it comes out of the cache

    with pytest.raises(TokenError) as caught:
        tokens.verify(token, Audience.MANAGEMENT)
    assert caught.value.code == "ExpiredAuthenticationToken"
    assert "expiry UTC time '01/02/2026 04:04:05 AM' is earlier than current" in str(caught.value)


def test_token_is_not_good_before_its_time(tokens, clock) -> None:
    token = mint(tokens)
    clock.move(-299)
    tokens.verify(token, ANY)
    clock.move(-2)
    assert code_of(tokens, token) == "InvalidAuthenticationToken"


ACCEPTED = {
    Audience.MANAGEMENT: [ARM, ARM + "/", "https://management.core.windows.net/", ORIGIN],
    Audience.ML: ["https://ml.azure.com", "https://ml.azure.com/", "https://ml.azure."],
    Audience.STORAGE: ["https://storage.azure.com", "https://storage.azure.com/"],
    Audience.GRAPH: [
        "https://graph.microsoft.com",
        "https://graph.microsoft.com/",
        ORIGIN + "/graph",
    ],
}


@pytest.mark.parametrize("audience", list(ACCEPTED))
def test_each_audience_takes_its_own_names_only(tokens, audience: Audience) -> None:
    for owner, resources in ACCEPTED.items():
        for resource in resources:
            token = mint(tokens, resource)
            if owner is audience:
                assert tokens.verify(token, audience).resource == resource
            else:
                assert code_of(tokens, token, audience) == "InvalidAuthenticationTokenAudience"


@pytest.mark.parametrize(
    "resource",
    [
        ARM + "//",
        "http://management.azure.com",
        "https://management.azure.com.evil.example",
        "https://management.azure.com/subscriptions",
        "HTTPS://MANAGEMENT.AZURE.COM",
        "",
        "*",
        "https://ml.azure.com.",
    ],
)
def test_almost_an_audience_is_none(tokens, resource: str) -> None:
    assert tokens.audiences.find(resource) is None


def test_audience_refusal_names_what_was_given_and_what_is_wanted(tokens) -> None:
    with pytest.raises(TokenError, match=r"resource 'https://storage\.azure\.com'.*'https://ml"):
        tokens.verify(mint(tokens, "https://storage.azure.com"), Audience.ML)


@pytest.mark.parametrize(
    ("portal", "expected"),
    [
        ("https://localhost:8443", "https://ml.azure."),
        ("https://portal.azureml.localhost", "https://ml.azure.localhost"),
        ("https://portal.azure.com", "https://ml.azure.com"),
    ],
)
def test_ml_audience_is_derived_as_azure_ai_ml_does(portal: str, expected: str) -> None:
    assert derived_ml_resource(portal) == expected
    assert Audiences.of([portal]).find(expected) is Audience.ML


def test_storage_account_urls_are_storage_audiences() -> None:
    audiences = Audiences.of([ORIGIN], [f"{ORIGIN}/mlstore/"])

    assert audiences.find(f"{ORIGIN}/mlstore") is Audience.STORAGE
    assert audiences.find(ORIGIN) is Audience.MANAGEMENT


def attacks(tokens) -> dict[str, str]:
    """Forged tokens. Each says what a good one says, but for what its name tells."""
    header, payload, signature = mint(tokens).split(".")
    good = decoded(header)
    native = rsa.generate_private_key(65537, 2048)
    pem = tokens.key.public_pem()
    der = form.load_pem_public_key(pem).public_bytes(
        form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo
    )

    def hs256(key: bytes, changes: dict[str, Any]) -> str:
        text = f"{encoded(good | {'alg': 'HS256'} | changes)}.{payload}"
        return f"{text}.{encoded(hmac.digest(key, text.encode(), 'sha256'))}"

    def rs256(changes: dict[str, Any], claims: str = payload) -> str:
        text = f"{encoded(good | changes)}.{claims}"
        signed = native.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{encoded(signed)}"

    def ours(changes: dict[str, Any]) -> str:
        """Signed with the right key: only the header is not as the server writes it."""
        text = f"{encoded(good | changes)}.{payload}"
        private = tokens.key.private.raw_value
        return f"{text}.{encoded(private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    jwk = {"kty": "RSA", "n": encoded(native.public_key().public_numbers().n.to_bytes(256, "big"))}
    forged = {
        f"alg {alg!r}": f"{encoded(good | {'alg': alg})}.{payload}."
        for alg in ("none", "None", "NONE", "", "nOnE", None, 0)
    }
    forged |= {f"alg {alg!r}, signed": ours({"alg": alg}) for alg in ("RS512", "PS256", "none")}
    forged |= {
        f"kid {kid!r}": ours({"kid": kid})
        for kid in ("../../x", "/dev/null", "' OR 1", "unknown", "", None, 0, tokens.key.kid + " ")
    }
    forged |= {
        f"header {name}": rs256({name: value})
        for name, value in {
            "jwk": jwk | {"e": "AQAB"},
            "jku": "https://evil.example/keys",
            "x5u": "https://evil.example/cert",
            "x5c": ["AAAA"],
            "crit": ["exp"],
            "b64": False,
        }.items()
    }
    return forged | {
        "HS256 with the public key as PEM": hs256(pem, {}),
        "HS256 with the public key as stripped PEM": hs256(pem.strip(), {}),
        "HS256 with the public key as DER": hs256(der, {}),
        "HS256 with an empty key": hs256(b"", {}),
        "HS256 under the good header": mint(tokens).rpartition(".")[0]
        + "."
        + encoded(hmac.digest(pem, mint(tokens).rpartition(".")[0].encode(), "sha256")),
        "another RSA key": rs256({}),
        "no signature": f"{header}.{payload}.",
        "two parts": f"{header}.{payload}",
        "four parts": f"{header}.{payload}.{signature}.{signature}",
        "other claims": f"{header}.{encoded(decoded(payload) | {'oid': 'admin'})}.{signature}",
        "cut signature": f"{header}.{payload}.{signature[:-8]}",
        "changed signature": f"{header}.{payload}.{'A' * 8}{signature[8:]}",
        "signature of zeros": f"{header}.{payload}.{encoded(bytes(384))}",
        "not base64": f"{header}.{payload}.!!!!",
        "not ASCII": f"{header}.{payload}.\u00e9\u0394",
        "lone surrogate": f"{header}.{payload}.\ud800",
        "JSON form": json.dumps({"protected": header, "payload": payload, "signature": signature}),
        "encrypted form": f"{header}.a.b.c.d",
        "empty": "",
        "dots": "..",
        "1 MB": f"{header}.{'A' * 1_000_000}.{signature}",
        "1 MB of dots": "." * 1_000_000,
    }


def test_forged_tokens_are_all_refused(tokens) -> None:
    forged = attacks(tokens)

    assert len(forged) > 35
    for name, token in forged.items():
        assert code_of(tokens, token) == "InvalidAuthenticationToken", name
        assert code_of(tokens, token) == "InvalidAuthenticationToken", f"{name}, second time"


def test_refusal_does_not_say_what_was_wrong_with_a_forgery(tokens) -> None:
    said = set()
    for token in attacks(tokens).values():
        with pytest.raises(TokenError) as caught:
            tokens.verify(token, ANY)
        said.add(str(caught.value))

    assert said == {"The access token is invalid."}


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": "1900000000"},
        {"exp": 1.9e9},
        {"exp": float("inf")},
        {"exp": True},
        {"exp": 10**400},
        {"exp": -1},
        {"nbf": None},
        {"nbf": "0"},
        {"oid": None},
        {"oid": 7},
        {"oid": ""},
        {"aud": None},
        {"aud": [ARM]},
        {"aud": {ARM: 1}},
        {"tid": None},
        {"iss": None},
        {"credential": 1},
        {"credential": None},
    ],
    ids=str,
)
def test_token_with_a_claim_of_the_wrong_form_is_refused(tokens, changes) -> None:
    claims = decoded(mint(tokens).split(".")[1]) | changes
    without = {name: value for name, value in claims.items() if value is not None}

    for wrong in (claims, without):
        token = tokens.key.sign(wrong)
        assert code_of(tokens, token) == "InvalidAuthenticationToken"


def test_token_of_another_tenant_or_issuer_is_refused(tokens) -> None:
    claims = decoded(mint(tokens).split(".")[1])
    for changes in (
        {"tid": "99999999-2222-4333-8444-555555555555"},
        {"iss": f"https://evil.example/{TENANT}/v2.0"},
        {"iss": f"{ORIGIN}/{TENANT}/v2.0/"},
    ):
        token = tokens.key.sign(claims | changes)
        assert code_of(tokens, token) == "InvalidAuthenticationTokenTenant"


def test_endpoint_signing_key_does_not_sign_access_tokens(tokens, keys) -> None:
    claims = decoded(mint(tokens).split(".")[1])

    assert code_of(tokens, keys.endpoints.sign(claims)) == "InvalidAuthenticationToken"


def test_cache_of_verified_tokens_is_bounded_and_keeps_each_apart(tokens, monkeypatch) -> None:
    monkeypatch.setattr("lazulite.identity.tokens._MOST_CACHED", 3)
    minted = [tokens.mint(PRINCIPAL, f"{ARM}{'/' * (at % 2)}", origin=ORIGIN) for at in range(2)]
    others = [tokens.key.sign(decoded(minted[0].token.split(".")[1]) | {"n": n}) for n in range(6)]

    for token in [*others, minted[0].token, minted[1].token, *others]:
        tokens.verify(token, ANY)

    assert len(tokens._verified) == 3
    assert tokens.verify(minted[1].token, ANY).resource == ARM + "/"
