from __future__ import annotations

import re

import pytest
from starlette.datastructures import Headers

from lazulite.core.errors import ArmError
from lazulite.identity.authorize import Guard
from lazulite.identity.roles import READER, RoleAssignment
from lazulite.identity.tokens import Audience, Holder

ORIGIN = "https://localhost:8443"
TENANT = "11111111-2222-4333-8444-555555555555"
READ = "Microsoft.MachineLearningServices/workspaces/read"
WRITE = "Microsoft.MachineLearningServices/workspaces/write"
GROUP = "/subscriptions/s/resourceGroups/g"


@pytest.fixture
def guard(tokens, directory) -> Guard:
    return Guard(tokens, directory.access)


@pytest.fixture
async def reader(directory) -> Holder:
    holder = await directory.holder("reader")
    object_id = holder.principal.object_id
    given = RoleAssignment(
        name="a", object_id=object_id, role_id=READER.id, scope="/subscriptions/S"
    )
    await directory.assignments.assign(given, "admin")
    return holder


def bearer(tokens, principal: Holder, resource="https://management.azure.com"):
    return {"authorization": f"Bearer {tokens.mint(principal, resource, origin=ORIGIN).token}"}


async def refusal(guard, headers, action=READ, scope=GROUP, audience=Audience.MANAGEMENT):
    with pytest.raises(ArmError) as caught:
        await guard.require(headers, action, scope, audience)
    return caught.value


async def test_caller_with_a_role_is_let_in(guard, tokens, reader) -> None:
    principal = await guard.require(bearer(tokens, reader), READ, GROUP, Audience.MANAGEMENT)

    assert principal.object_id == reader.principal.object_id
    assert principal.may(READ, GROUP)
    assert not principal.may(WRITE, GROUP)


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER   {}", "  Bearer {}  "])
async def test_authorization_header_is_read_as_http_says(guard, tokens, reader, form) -> None:
    token = bearer(tokens, reader)["authorization"].split()[1]

    for name in ("Authorization", "authorization", "AUTHORIZATION"):
        await guard.require({name: form.format(token)}, READ, GROUP, Audience.MANAGEMENT)


async def test_missing_role_is_answered_in_azures_words(guard, tokens, reader) -> None:
    error = await refusal(guard, bearer(tokens, reader), WRITE)
    who = reader.principal

    assert (error.status, error.code, error.headers) == (403, "AuthorizationFailed", {})
    assert error.message == (
        f"The client '{who.client_id}' with object id '{who.object_id}' does not have "
        f"authorization to perform action '{WRITE}' over scope '{GROUP}' or the scope is invalid. "
        "If access was recently granted, please refresh your credentials."
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Basic YTpi"},
        {"authorization": "SharedKey a:b"},
        {"cookie": "token=x"},
    ],
)
async def test_request_without_a_bearer_token_fails_authentication(guard, headers) -> None:
    error = await refusal(guard, headers)

    assert (error.status, error.code) == (401, "AuthenticationFailed")
    assert "'Authorization' header" in error.message


async def test_two_authorization_headers_are_refused(guard, tokens, reader) -> None:
    good = bearer(tokens, reader)["authorization"].encode()
    headers = Headers(raw=[(b"authorization", b"Bearer x"), (b"authorization", good)])

    assert (await refusal(guard, headers)).code == "AuthenticationFailed"


async def test_challenge_tells_where_to_get_a_token(guard, tokens, reader, clock) -> None:
    expired = bearer(tokens, reader)
    clock.move(3600)

    for headers, code in (({}, "AuthenticationFailed"), (expired, "ExpiredAuthenticationToken")):
        error = await refusal(guard, headers)
        assert (error.status, error.code) == (401, code)
        challenge = error.headers["WWW-Authenticate"]
        expected = (
            rf'Bearer authorization_uri="{ORIGIN}/{TENANT}", error="invalid_token", '
            r'error_description="[ -!#-\[\]-~]+"'
        )
        assert re.fullmatch(expected, challenge)


async def test_token_for_another_audience_is_refused(guard, tokens, reader) -> None:
    storage = bearer(tokens, reader, "https://storage.azure.com")
    ml = bearer(tokens, reader, "https://ml.azure.com")

    for headers in (storage, ml):
        error = await refusal(guard, headers)
        assert (error.status, error.code) == (401, "InvalidAuthenticationTokenAudience")
    await guard.require(ml, READ, GROUP, Audience.ML | Audience.MANAGEMENT)


async def test_forged_token_is_refused(guard) -> None:
    error = await refusal(guard, {"authorization": "Bearer a.b.c"})

    assert (error.status, error.code) == (401, "InvalidAuthenticationToken")


async def test_role_taken_away_is_refused_at_once(guard, tokens, reader, directory) -> None:
    headers = bearer(tokens, reader)
    await guard.require(headers, READ, GROUP, Audience.MANAGEMENT)

    await directory.assignments.unassign("a")

    assert (await refusal(guard, headers)).status == 403
    assert (await guard.authenticate(headers, Audience.MANAGEMENT)).assignments == ()


async def test_removed_principal_is_refused_at_once(guard, tokens, reader, directory) -> None:
    headers = bearer(tokens, reader)
    await guard.require(headers, READ, GROUP, Audience.MANAGEMENT)

    await directory.principals.remove(reader.principal.object_id)

    error = await refusal(guard, headers)
    assert (error.status, error.code) == (401, "InvalidAuthenticationToken")


async def test_secret_taken_away_voids_the_tokens_got_with_it(guard, tokens, reader, directory):
    client_id, old = reader.principal.client_id, bearer(tokens, reader)
    await guard.require(old, READ, GROUP, Audience.MANAGEMENT)
    second = await directory.secret(reader.principal)
    new = bearer(tokens, Holder(principal=reader.principal, credential=second))

    assert await directory.applications.remove_secret(client_id, reader.credential.upper())

    assert (await refusal(guard, old)).status == 401
    await guard.require(new, READ, GROUP, Audience.MANAGEMENT)
    assert not await directory.applications.remove_secret(client_id, reader.credential)
    assert not await directory.applications.remove_secret("another", second)
