"""Device codes: who may collect what, when, and how often. Source: RFC 8628."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette

from lazulite.graph.device_codes import DeviceCodeRoutes
from lazulite.graph.service import graph_routes
from lazulite.identity.applications import DEVICE, MOST_DEVICES
from lazulite.identity.authorize import Guard
from lazulite.identity.client_secrets import ClientSecrets
from lazulite.identity.device_codes import GRANT, LIFETIME_S, MOST, MOST_EACH, DeviceCodes
from lazulite.identity.device_sign_in import DeviceSignIn
from lazulite.identity.oauth import TokenService
from lazulite.identity.oauth_errors import OAuthError
from lazulite.identity.roles import ROLES, RoleAssignment
from lazulite.identity.tokens import Audience, TokenError

ORIGIN = "https://localhost:8443"
SCOPE = "https://management.azure.com/.default offline_access openid profile"
CODES = "/common/oauth2/v2.0/devicecode"
TOKENS = "/common/oauth2/v2.0/token"
GRAPH = "https://graph.microsoft.com"


@pytest.fixture
async def device(directory, hasher):
    """Whom devices sign in as."""
    return (await directory.holder("device", hasher.hash("first"))).principal


@pytest.fixture
async def client(tokens, directory, hasher, clock) -> AsyncIterator[httpx2.AsyncClient]:
    codes, applications = DeviceCodes(clock), directory.applications
    service = TokenService(
        tokens, directory.principals, applications, ClientSecrets(hasher, clock), clock,
        DeviceSignIn(codes, applications, directory.principals, hasher, clock, tokens),
    )  # fmt: skip
    approving = DeviceCodeRoutes(codes, directory.principals).operations()
    routes = [*service.routes(), *graph_routes(Guard(tokens, directory.access), approving)]
    transport = httpx2.ASGITransport(app=Starlette(routes=routes))
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as opened:
        yield opened


@pytest.fixture
async def admin(directory, tokens):
    """Headers of an owner of everything, for Graph."""
    holder = await directory.holder("admin")
    (owner,) = (role.id for role in ROLES.values() if role.name == "Owner")
    given = RoleAssignment(
        name=str(uuid.uuid4()), object_id=holder.principal.object_id, role_id=owner, scope="/"
    )
    await directory.assignments.assign(given, "test")
    return {"Authorization": f"Bearer {tokens.mint(holder, GRAPH, origin=ORIGIN).token}"}


async def begun(client):
    answer = await client.post(CODES, data={"client_id": "laptop", "scope": SCOPE})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def collected(client, code, **fields):
    form = {"grant_type": GRANT, "client_id": "laptop", "device_code": code, "scope": SCOPE}
    return await client.post(TOKENS, data=form | fields)


async def approve(client, admin, code, app_id):
    path = f"/graph/v1.0/deviceCodes/{code}/approve"
    return await client.post(path, json={"appId": app_id}, headers=admin)


async def test_a_code_signs_in_once_after_an_administrator_said_so(
    client, admin, device, tokens, clock
) -> None:
    told = await begun(client)
    assert told["verification_uri"] == f"{ORIGIN}/devicelogin"
    assert f"--approve {told['user_code']} --username APP_ID" in told["message"]
    waiting = await collected(client, told["device_code"])
    assert (waiting.status_code, waiting.json()["error"]) == (400, "authorization_pending")

    letters = told["user_code"].lower()
    shown = await client.get(f"/graph/v1.0/deviceCodes/{letters[:4]}-{letters[4:]}", headers=admin)
    assert (shown.json()["client"], shown.json()["address"]) == ("laptop", "127.0.0.1")
    assert (await approve(client, admin, letters, device.client_id)).status_code == 200
    assert (await approve(client, admin, letters, device.client_id)).status_code == 409

    clock.move(5)
    answer = await collected(client, told["device_code"])
    claims = tokens.verify(answer.json()["access_token"], Audience.MANAGEMENT)
    assert claims.object_id == device.object_id
    assert answer.headers["cache-control"] == "no-store"
    clock.move(5)
    again = await collected(client, told["device_code"])
    assert again.json()["error"] == "expired_token"


async def test_a_refresh_token_is_a_secret_that_can_be_revoked(
    client, admin, device, directory, clock
) -> None:
    told = await begun(client)
    await approve(client, admin, told["user_code"], device.client_id)
    form = {"grant_type": "refresh_token", "client_id": "laptop", "scope": SCOPE}
    form["refresh_token"] = (await collected(client, told["device_code"])).json()["refresh_token"]
    assert (await client.post(TOKENS, data=form)).status_code == 200
    forged = await client.post(TOKENS, data=form | {"refresh_token": f"{device.client_id}.guess"})
    assert (forged.status_code, forged.json()["error"]) == (401, "invalid_client")
    found = await directory.applications.secrets(device.client_id)
    (held,) = (each for each in found if each.display_name == "device code")
    await directory.applications.remove_secret(device.client_id, held.key_id)
    assert (await client.post(TOKENS, data=form)).status_code == 401


@pytest.mark.parametrize("seconds", [LIFETIME_S, LIFETIME_S + 1])
async def test_a_code_ends(client, admin, device, clock, seconds) -> None:
    told = await begun(client)
    clock.move(seconds)
    refused = await approve(client, admin, told["user_code"], device.client_id)
    assert refused.status_code == 404
    assert (await collected(client, told["device_code"])).json()["error"] == "expired_token"


async def test_who_asks_too_soon_is_slowed_down(client, clock) -> None:
    told = await begun(client)
    errors = [(await collected(client, told["device_code"])).json()["error"] for _ in range(2)]
    assert errors == ["authorization_pending", "slow_down"]
    clock.move(5)
    answer = await collected(client, told["device_code"])
    assert answer.json()["error"] == "authorization_pending"


async def test_only_an_administrator_approves(client, device, directory, tokens) -> None:
    told = await begun(client)
    nobody = await directory.holder("nobody")
    headers = {"Authorization": f"Bearer {tokens.mint(nobody, GRAPH, origin=ORIGIN).token}"}
    for given, status in (({}, 401), (headers, 403)):
        answer = await approve(client, given, told["user_code"], device.client_id)
        assert answer.status_code == status
    answer = await collected(client, told["device_code"])
    assert answer.json()["error"] == "authorization_pending"


async def test_what_cannot_be_had_is_not_approved(client, admin, device, directory) -> None:
    told = await begun(client)
    unknown = await approve(client, admin, told["user_code"], "nobody")
    assert (unknown.status_code, "no service principal" in unknown.text) == (400, True)


async def test_devices_leave_room_for_other_secrets(
    client, admin, device, directory, hasher, clock
) -> None:
    """And the newest of them get tokens, however many there are."""
    for _ in range(MOST_DEVICES + 1):
        clock.move(1)
        await directory.secret(device, display_name=DEVICE)
    told = await begun(client)
    await approve(client, admin, told["user_code"], device.client_id)
    answer = await collected(client, told["device_code"])
    form = {"grant_type": "refresh_token", "client_id": "laptop", "scope": SCOPE}
    form["refresh_token"] = answer.json()["refresh_token"]
    assert (await client.post(TOKENS, data=form)).status_code == 200
    await directory.secret(device)
    found = await directory.applications.secrets(device.client_id)
    assert [each.display_name for each in found].count(DEVICE) == MOST_DEVICES
    assert len(found) == MOST_DEVICES + 2


async def test_a_code_for_nothing_is_not_begun(client) -> None:
    refused = await client.post(CODES, data={"client_id": "laptop", "scope": "openid"})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    refused = await client.post(CODES, data={"scope": SCOPE})
    assert "client_id" in refused.json()["error_description"]


async def test_a_wrong_request_costs_neither_the_code_nor_a_secret(
    client, admin, device, directory
) -> None:
    form = {"client_id": "laptop", "scope": "https://elsewhere.example/.default"}
    refused = await client.post(CODES, data=form)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_resource")
    told = await begun(client)
    await approve(client, admin, told["user_code"], device.client_id)
    refused = await collected(client, told["device_code"], scope=form["scope"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_resource")
    assert len(await directory.applications.secrets(device.client_id)) == 1
    assert (await collected(client, told["device_code"])).status_code == 200


async def test_who_guesses_secrets_does_not_keep_a_device_out(client, admin, device) -> None:
    told = await begun(client)
    await approve(client, admin, told["user_code"], device.client_id)
    form = {"grant_type": "client_credentials", "scope": SCOPE.split()[0]}
    form |= {"client_id": device.client_id, "client_secret": "guess"}
    while (await client.post(TOKENS, data=form)).status_code != 429:
        pass
    assert (await collected(client, told["device_code"])).status_code == 200


async def test_a_principal_that_is_gone_leaves_no_secret(client, admin, device, directory) -> None:
    told = await begun(client)
    await approve(client, admin, told["user_code"], device.client_id)
    await directory.principals.remove_application(device.client_id)
    refused = await collected(client, told["device_code"])
    assert refused.json()["error"] == "unauthorized_client"
    assert await directory.applications.secrets(device.client_id) == []


def test_the_codes_of_one_address_are_bounded(clock) -> None:
    codes = DeviceCodes(clock)
    letters = {codes.begin("c" * 1000, address="::1").user_code for _ in range(MOST_EACH)}
    assert len(letters) == MOST_EACH
    clock.move(1)
    with pytest.raises(OAuthError) as caught:
        codes.begin("one more", address="::1")
    assert (caught.value.status, caught.value.headers) == (429, {"Retry-After": "899"})
    assert codes.begin("another", address="::2")
    clock.move(LIFETIME_S - 1)
    assert len(codes.begin("later", address="::1").client) < 1000


def test_nobody_keeps_others_from_beginning(clock) -> None:
    codes = DeviceCodes(clock)
    approved, oldest = (codes.begin("laptop", address=f"first {n}") for n in range(2))
    approved.approved = "somebody"
    for number in range(MOST - 1):
        codes.begin("crowd", address=f"::{number}")
    assert codes.find(oldest.user_code) is None
    assert codes.find(approved.user_code) is approved
    assert codes.begin("laptop", address="late")


async def test_az_says_its_scope_once_and_learns_who_it_is(
    client, admin, device, tokens, clock
) -> None:
    """As MSAL sends it: the scope stands in the first request only, and has openid in it."""
    told = (await client.post(CODES, data={"client_id": "az", "scope": SCOPE})).json()
    await approve(client, admin, told["user_code"], device.client_id)
    form = {"grant_type": GRANT, "client_id": "az", "device_code": told["device_code"]}
    answer = (await client.post(TOKENS, data={**form, "client_info": "1"})).json()
    assert tokens.verify(answer["access_token"], Audience.MANAGEMENT).object_id == device.object_id
    payload = answer["id_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert (claims["aud"], claims["preferred_username"]) == ("az", device.client_id)
    with pytest.raises(TokenError):
        tokens.verify(answer["id_token"], Audience.MANAGEMENT)
    form = {"grant_type": "refresh_token", "client_id": "az", "scope": SCOPE}
    again = await client.post(TOKENS, data=form | {"refresh_token": answer["refresh_token"]})
    assert again.json()["id_token"]
