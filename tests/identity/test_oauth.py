from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from starlette.applications import Starlette

from lazulite.identity.client_secrets import ClientSecrets
from lazulite.identity.device_codes import DeviceCodes
from lazulite.identity.device_sign_in import DeviceSignIn
from lazulite.identity.oauth import TokenService
from lazulite.identity.principals import ServicePrincipal
from lazulite.identity.tokens import Audience

ORIGIN = "https://localhost:8443"
TENANT = "11111111-2222-4333-8444-555555555555"
SECRET = "a secret: with + & = and ünicode, of some length"
ARM = "https://management.azure.com"


@pytest.fixture
async def admin(directory, hasher) -> ServicePrincipal:
    return (await directory.holder("admin", hasher.hash(SECRET))).principal


@pytest.fixture
async def client(tokens, directory, hasher, clock) -> AsyncIterator[httpx2.AsyncClient]:
    secrets = ClientSecrets(hasher, clock)
    applications = directory.applications
    codes, principals = DeviceCodes(clock), directory.principals
    devices = DeviceSignIn(codes, applications, principals, hasher, clock, tokens)
    service = TokenService(tokens, directory.principals, applications, secrets, clock, devices)
    app = Starlette(routes=service.routes())
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as opened:
        yield opened


def v1(admin: ServicePrincipal, **changes: str | None) -> dict[str, str]:
    fields = {
        "grant_type": "client_credentials",
        "resource": f"{ARM}/",
        "client_id": admin.client_id,
        "client_secret": SECRET,
    } | changes
    return {name: value for name, value in fields.items() if value is not None}


def v2(admin: ServicePrincipal, **changes: str | None) -> dict[str, str]:
    return v1(admin, **{"resource": None, "scope": f"{ARM}/.default"} | changes)


async def test_v1_answer_has_strings_only(client, admin, tokens, clock) -> None:
    answer = await client.post(f"/{TENANT}/oauth2/token", data=v1(admin))

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    now = int(clock().timestamp())
    token = body.pop("access_token")
    assert body == {
        "token_type": "Bearer",
        "expires_in": "3599",
        "ext_expires_in": "3599",
        "expires_on": str(now + 3600),
        "not_before": str(now - 300),
        "resource": f"{ARM}/",
    }
    claims = tokens.verify(token, Audience.MANAGEMENT)
    assert (claims.object_id, claims.resource) == (admin.object_id, f"{ARM}/")


async def test_v2_answer_has_numbers(client, admin, tokens) -> None:
    answer = await client.post(f"/{TENANT.upper()}/oauth2/v2.0/token", data=v2(admin))

    body = answer.json()
    assert tokens.verify(body.pop("access_token"), Audience.MANAGEMENT).resource == ARM
    assert body == {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599}


@pytest.mark.parametrize(
    ("scope", "resource"),
    [
        (f"{ARM}/.default", ARM),
        (f"{ARM}//.default", f"{ARM}/"),
        ("https://ml.azure./.default", "https://ml.azure."),
        ("https://ml.azure.com/.default", "https://ml.azure.com"),
        ("https://storage.azure.com/.default", "https://storage.azure.com"),
        (f"{ORIGIN}/.default", ORIGIN),
        (f" {ARM}/.default ", ARM),
    ],
)
async def test_scope_becomes_the_audience(client, admin, tokens, scope, resource) -> None:
    answer = await client.post(f"/{TENANT}/oauth2/v2.0/token", data=v2(admin, scope=scope))

    token = answer.json()["access_token"]
    anything = Audience.MANAGEMENT | Audience.ML | Audience.STORAGE
    assert tokens.verify(token, anything).resource == resource


@pytest.mark.parametrize("tenant", ["adfs", "common", "organizations", "ADFS"])
async def test_aliases_of_the_tenant_get_its_tokens(client, admin, tokens, tenant) -> None:
    path = "oauth2/token" if tenant.lower() == "adfs" else "oauth2/v2.0/token"
    fields = v2(admin, client_info="1", claims='{"access_token":{"xms_cc":{"values":["CP1"]}}}')

    answer = await client.post(f"/{tenant}/{path}", data=fields)

    assert tokens.verify(answer.json()["access_token"], Audience.MANAGEMENT).tenant_id == TENANT


async def test_secret_is_taken_from_http_basic(client, admin) -> None:
    pair = "&".join([urlencode({"": admin.client_id})[1:], urlencode({"": SECRET})[1:]])
    basic = base64.b64encode(pair.replace("&", ":").encode()).decode()
    fields = v2(admin, client_secret=None, client_id=None)

    def post(authorization: str, data: dict[str, str]) -> Any:
        headers = {"authorization": authorization}
        return client.post(f"/{TENANT}/oauth2/v2.0/token", data=data, headers=headers)

    assert (await post(f"Basic {basic}", fields)).status_code == 200
    same_id = fields | {"client_id": admin.client_id}
    assert (await post(f"basic {basic}", same_id)).status_code == 200
    for wrong in (fields | {"client_secret": SECRET}, fields | {"client_id": "other"}):
        assert (await post(f"Basic {basic}", wrong)).json()["error_codes"] == [90013]
    assert (await post("Basic !!", fields)).json()["error_codes"] == [90013]
    assert (await post("Basic /w==", fields)).json()["error_codes"] == [90013]
    refused = await post(
        "Basic " + base64.b64encode(f"{admin.client_id}:x".encode()).decode(), fields
    )
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic ")


# version, changes to the form, tenant, HTTP status, error, AADSTS code. spec/REST.md 3
ERRORS = [
    ("v2", {"client_secret": "wrong"}, TENANT, 401, "invalid_client", 7000215),
    ("v1", {"client_secret": "wrong"}, TENANT, 401, "invalid_client", 7000215),
    ("v2", {"client_id": "nobody"}, TENANT, 400, "unauthorized_client", 700016),
    ("v2", {"client_id": "' OR '1'='1"}, TENANT, 400, "unauthorized_client", 700016),
    ("v2", {}, "99999999-2222-4333-8444-555555555555", 400, "invalid_request", 90002),
    ("v1", {}, "contoso.example", 400, "invalid_request", 90002),
    ("v2", {"client_secret": None}, TENANT, 401, "invalid_client", 7000218),
    ("v1", {"client_secret": None}, TENANT, 401, "invalid_client", 7000216),
    ("v1", {"client_secret": ""}, TENANT, 401, "invalid_client", 7000216),
    ("v2", {"grant_type": None}, TENANT, 400, "invalid_request", 900144),
    ("v2", {"client_id": None}, TENANT, 400, "invalid_request", 900144),
    ("v2", {"scope": None}, TENANT, 400, "invalid_request", 900144),
    ("v1", {"resource": None}, TENANT, 400, "invalid_request", 900144),
    ("v2", {"grant_type": "password"}, TENANT, 400, "unsupported_grant_type", 70003),
    ("v1", {"grant_type": "refresh_token"}, TENANT, 400, "unsupported_grant_type", 70003),
    ("v2", {"scope": ARM}, TENANT, 400, "invalid_scope", 70011),
    ("v2", {"scope": f"{ARM}/.default openid"}, TENANT, 400, "invalid_scope", 70011),
    ("v2", {"scope": f"{ARM}/user_impersonation"}, TENANT, 400, "invalid_scope", 70011),
    ("v2", {"scope": "https://graph.example/.default"}, TENANT, 400, "invalid_resource", 500011),
    ("v2", {"scope": "/.default"}, TENANT, 400, "invalid_resource", 500011),
    ("v1", {"resource": "https://graph.example"}, TENANT, 400, "invalid_resource", 500011),
    ("v1", {"resource": f"{ARM}//"}, TENANT, 400, "invalid_resource", 500011),
]


@pytest.mark.parametrize(("version", "changes", "tenant", "status", "error", "number"), ERRORS)
async def test_refusals_are_entras(
    client, admin, version, changes, tenant, status, error, number
) -> None:
    path = "oauth2/token" if version == "v1" else "oauth2/v2.0/token"
    form = (v1 if version == "v1" else v2)(admin, **changes)
    correlation = "0e9f2a3b-1111-4222-8333-444444444444"

    answer = await client.post(
        f"/{tenant}/{path}", data=form, headers={"client-request-id": correlation}
    )

    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    lines = body["error_description"].split("\r\n")[-3:]
    assert lines == [
        f"Trace ID: {body['trace_id']}",
        f"Correlation ID: {correlation}",
        "Timestamp: 2026-01-02 03:04:05Z",
    ]
    assert body["timestamp"] == "2026-01-02 03:04:05Z"
    assert body["error_uri"].endswith(f"error?code={number}")
    assert SECRET not in answer.text


async def test_refusal_names_what_was_missing_or_unknown(client, admin) -> None:
    for changes, said in (
        ({"scope": None}, "parameter: 'scope'"),
        ({"client_id": "nobody"}, f"'nobody' was not found in the directory '{TENANT}'"),
        ({"client_id": "x" * 5000}, "'" + "x" * 100 + "...'"),
        ({"client_secret": "wrong"}, f"added to app '{admin.client_id}'"),
    ):
        answer = await client.post(f"/{TENANT}/oauth2/v2.0/token", data=v2(admin, **changes))
        assert said in answer.json()["error_description"]


FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "number"),
    [
        (b"grant_type=a&grant_type=b", FORM, 400, 9000411),
        (
            b"grant_type=client_credentials&" + b"&".join(b"f%d=1" % n for n in range(40)),
            FORM,
            400,
            90013,
        ),
        (b"grant_type=%ff", FORM, 400, 90013),
        ("grant_type=é".encode(), FORM, 400, 90013),
        (b"a=" + b"x" * 65536, FORM, 413, 90013),
        (b"", FORM, 400, 900144),
        (b"{}", {"content-type": "application/json"}, 400, 90013),
        (b"grant_type=client_credentials", {}, 400, 90013),
    ],
)
async def test_malformed_bodies_are_refused(client, body, headers, status, number) -> None:
    answer = await client.post(f"/{TENANT}/oauth2/token", content=body, headers=headers)

    assert (answer.status_code, answer.json()["error_codes"]) == (status, [number])


async def test_content_type_may_carry_a_charset_and_curl_a_trailing_newline(client, admin) -> None:
    headers = {"content-type": "Application/X-WWW-Form-Urlencoded; charset=utf-8"}
    body = urlencode(v1(admin)) + "\n"

    answer = await client.post(f"/{TENANT}/oauth2/token", content=body, headers=headers)

    assert answer.status_code == 200


async def test_guesser_is_throttled_while_the_known_secret_still_works(client, admin, clock):
    path = f"/{TENANT}/oauth2/v2.0/token"
    assert (await client.post(path, data=v2(admin))).status_code == 200

    guesses = [await client.post(path, data=v2(admin, client_secret=f"g{n}")) for n in range(12)]

    assert [each.status_code for each in guesses] == [401] * 10 + [429] * 2
    assert guesses[-1].json()["error_codes"] == [90055]
    assert 1 <= int(guesses[-1].headers["retry-after"]) <= 7
    assert (await client.post(path, data=v2(admin))).status_code == 200
    clock.move(int(guesses[-1].headers["retry-after"]))
    assert (await client.post(path, data=v2(admin, client_secret="g"))).status_code == 401


async def test_discovery_leads_to_a_token_that_the_published_keys_verify(client, admin) -> None:
    for tenant, form in ((TENANT, v2(admin)), ("adfs", v2(admin)), ("common", v2(admin))):
        version = "" if tenant == "adfs" else "/v2.0"
        document = f"{ORIGIN}/{tenant}{version}/.well-known/openid-configuration"
        configuration = (await client.get(document)).json()
        answer = await client.post(configuration["token_endpoint"], data=form)
        published = KeySet.import_key_set((await client.get(configuration["jwks_uri"])).json())

        token = jwt.decode(answer.json()["access_token"], published, algorithms=["RS256"])

        assert token.claims["aud"] == ARM
        if tenant != "adfs":
            assert token.claims["iss"] == configuration["issuer"]
        for name in ("authorization_endpoint", "device_authorization_endpoint"):
            assert configuration[name].startswith(f"{ORIGIN}/{tenant}/oauth2")


async def test_v1_discovery_names_the_v1_issuer(client, admin) -> None:
    document = f"/{TENANT}/.well-known/openid-configuration"
    configuration = (await client.get(document)).json()
    answer = await client.post(configuration["token_endpoint"], data=v1(admin))

    payload = answer.json()["access_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["iss"] == configuration["issuer"] == f"{ORIGIN}/{TENANT}/"


async def test_published_keys_are_public(client) -> None:
    for path in (f"/{TENANT}/discovery/v2.0/keys", "/common/discovery/keys"):
        (key,) = (await client.get(path)).json()["keys"]
        assert sorted(key) == ["alg", "e", "kid", "kty", "n", "use"]


async def test_discovery_answers_with_the_origin_that_was_asked(client) -> None:
    path = f"/{TENANT}/v2.0/.well-known/openid-configuration"

    async def issuer(base: str, host: str | None = None) -> str:
        headers = {"host": host} if host else {}
        return (await client.get(base + path, headers=headers)).json()["issuer"]

    assert await issuer("http://localhost:8080") == f"http://localhost:8080/{TENANT}/v2.0"
    assert await issuer(ORIGIN) == f"{ORIGIN}/{TENANT}/v2.0"
    for host in ("evil.example", "[", "localhost:8443@evil.example", "localhost:8080"):
        assert await issuer(ORIGIN, host) == f"{ORIGIN}/{TENANT}/v2.0"


async def test_instance_discovery_knows_this_server_only(client) -> None:
    async def ask(endpoint: str) -> Any:
        query = {"api-version": "1.1", "authorization_endpoint": endpoint}
        return await client.get("/common/discovery/instance", params=query)

    found = await ask(f"{ORIGIN}/{TENANT}/oauth2/v2.0/authorize")
    assert found.json()["tenant_discovery_endpoint"] == (
        f"{ORIGIN}/{TENANT}/v2.0/.well-known/openid-configuration"
    )
    assert found.json()["metadata"][0]["aliases"] == ["localhost:8443"]
    for wrong in (
        "https://evil.example/common/oauth2/authorize",
        "",
        "https://[",
        f"{ORIGIN}/other/x",
    ):
        assert (await ask(wrong)).status_code == 400


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", [f"{TENANT}/oauth2/token", "common/oauth2/v2.0/token"])
async def test_token_endpoint_takes_post_only(client, method, path) -> None:
    answer = await client.request(method, f"/{path}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    if method != "HEAD":
        assert (answer.json()["error"], answer.json()["error_codes"]) == (
            "invalid_request",
            [900561],
        )
        assert method in answer.json()["error_description"]


async def test_a_host_name_of_the_server_is_a_domain_of_its_tenant(client, admin, tokens) -> None:
    answer = await client.post("/LocalHost/oauth2/token", data=v1(admin))
    claims = tokens.verify(answer.json()["access_token"], Audience.MANAGEMENT)
    assert claims.tenant_id == TENANT
    document = await client.get("/localhost/v2.0/.well-known/openid-configuration")
    assert document.json()["issuer"] == f"{ORIGIN}/{TENANT}/v2.0"
    assert (await client.get("/evil.localhost/discovery/keys")).status_code == 400


async def test_adfs_takes_a_resource_as_adal_sends_it(client, admin) -> None:
    answer = await client.post("/adfs/oauth2/token", data=v1(admin))
    assert answer.json()["resource"] == f"{ARM}/"
    assert isinstance(answer.json()["expires_in"], str)


async def test_fields_come_in_any_order(client, admin) -> None:
    for form in (v1(admin), dict(reversed(v1(admin).items()))):
        assert (await client.post(f"/{TENANT}/oauth2/token", data=form)).status_code == 200


async def test_a_secret_that_has_ended_is_told_from_a_wrong_one(client, admin, clock) -> None:
    clock.move(366 * 24 * 3600)
    path = f"/{TENANT}/oauth2/v2.0/token"
    ended = await client.post(path, data=v2(admin))
    wrong = await client.post(path, data=v2(admin, client_secret="wrong"))
    assert (ended.status_code, ended.json()["error"]) == (401, "invalid_client")
    assert ended.json()["error_codes"] == [7000222]
    assert wrong.json()["error_codes"] == [7000215]


async def test_an_application_without_a_principal_gets_no_token(client, admin, directory) -> None:
    await directory.principals.remove(admin.object_id)
    answer = await client.post(f"/{TENANT}/oauth2/v2.0/token", data=v2(admin))
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [7000229])


async def test_each_secret_of_an_application_gets_tokens_of_its_own(
    client, admin, directory, hasher, tokens
) -> None:
    second = await directory.secret(admin, hasher.hash("second"))
    path = f"/{TENANT}/oauth2/v2.0/token"
    found = {
        secret: tokens.verify(
            (await client.post(path, data=v2(admin, client_secret=secret))).json()["access_token"],
            Audience.MANAGEMENT,
        ).credential
        for secret in (SECRET, "second")
    }
    assert found["second"] == second != found[SECRET]
