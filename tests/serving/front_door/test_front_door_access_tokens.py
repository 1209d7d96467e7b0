"""Endpoints of auth_mode aad_token: access tokens as they are minted, and roles."""

import datetime
import types

import pytest

from lazulite.identity.principals import ServicePrincipal
from lazulite.identity.signing import SigningKey
from lazulite.identity.signing_keys import SigningKeys
from lazulite.identity.tokens import Audiences, Holder, Tokens, issuer
from lazulite.serving.access_tokens import SCORE, believed

ORIGIN, TENANT, ML = "https://localhost:8443", "tenant-1", "https://ml.azure.com"
SCOPE = "/subscriptions/s/onlineEndpoints/ep"
ADA = ServicePrincipal(client_id="app", object_id="ada", tenant_id=TENANT, display_name="Ada")
CREDENTIALS = {"ada": frozenset({"secret-1"}), "eve": frozenset({"secret-2"})}
PEOPLE = [types.SimpleNamespace(object_id=who, credentials=CREDENTIALS[who]) for who in CREDENTIALS]


def now():
    return datetime.datetime.now(datetime.UTC)


class Issuer:
    """A token service, and the tokens that a test asks of it."""

    def __init__(self, folder):
        self.keys = SigningKeys(folder, SigningKey.generate(), [])
        audiences = Audiences.of([ORIGIN])
        self.tokens = Tokens(self.keys, TENANT, [ORIGIN], audiences, now)

    def mint(self, who=ADA, secret="secret-1", resource=ML):
        holder = Holder(principal=who, credential=secret)
        return self.tokens.mint(holder, resource, origin=ORIGIN).token

    def forged(self, **changes):
        """Signed, but with other claims; None leaves one out."""
        moment = int(now().timestamp())
        claims = {
            "aud": ML,
            "iss": issuer(ORIGIN, TENANT, "2.0"),
            "tid": TENANT,
            "oid": "ada",
            "credential": "secret-1",
            "nbf": moment - 5,
            "exp": moment + 600,
            **changes,
        }
        return self.keys.current.sign({k: v for k, v in claims.items() if v is not None})

    def believed(self, people=PEOPLE):
        return believed(self.tokens, people)


@pytest.fixture
def service(tmp_path):
    return Issuer(tmp_path)


def guarded(door, replica, **changes):
    values = {"auth_mode": "aad_token", "scope": SCOPE, "callers": ("ada",), **changes}
    return door.endpoint(door.deployment(replica), **values)


async def test_token_for_the_data_plane_scores_and_the_replica_does_not_see_it(door, service):
    replica = door.replica()
    await door.apply(guarded(door, replica), trusted=service.believed())

    assert door.call(key=service.mint()).status == 200
    for name in (f"{ML}/", "https://ml.azure."):  # of clouds whose portal has no such name
        assert door.call(key=service.mint(resource=name)).status == 200
    assert "authorization" not in replica.seen[0].headers


async def test_caller_without_the_permission_is_403_that_names_both(door, service):
    replica = door.replica()
    await door.apply(guarded(door, replica), trusted=service.believed())
    eve = ServicePrincipal(client_id="c", object_id="eve", tenant_id=TENANT, display_name="Eve")

    answer = door.call(key=service.mint(eve, "secret-2"))

    assert (answer.status, answer.error["code"]) == (403, "AuthorizationFailed")
    assert "with object id 'eve'" in answer.error["message"]
    assert SCORE in answer.error["message"]
    assert SCOPE in answer.error["message"]
    assert replica.seen == []


async def test_token_that_is_not_good_is_401_with_the_reason(door, service, tmp_path):
    replica = door.replica()
    await door.apply(guarded(door, replica), trusted=service.believed())
    stranger = Issuer(tmp_path)
    moment = int(now().timestamp())
    invalid, expired = "InvalidAuthenticationToken", "ExpiredAuthenticationToken"
    head, body, signature = service.mint().split(".")
    other = service.mint(resource=f"{ML}/").split(".")[1]
    cases = [
        (service.mint(resource="https://management.azure.com"), f"{invalid}Audience"),
        (service.mint(resource="https://storage.azure.com"), f"{invalid}Audience"),
        (service.forged(aud=None), f"{invalid}Audience"),
        (service.forged(aud=[ML]), f"{invalid}Audience"),
        (service.forged(exp=moment - 1), expired),
        (service.forged(exp=None), expired),
        (service.forged(exp="tomorrow"), expired),
        (service.forged(nbf=moment + 3600), invalid),
        (service.forged(iss="https://elsewhere"), invalid),
        (service.forged(tid="tenant-2"), invalid),
        (service.forged(oid="eve"), invalid),  # with another's secret
        (service.forged(credential="secret-9"), invalid),
        (service.forged(oid=None, credential=None), invalid),
        (stranger.mint(), invalid),
        (f"{head}.{body}.", invalid),
        (f"{head}.{other}.{signature}", invalid),
        ("the-primary-key", invalid),
    ]

    answers = [door.call(key=token) for token, _ in cases]

    assert [answer.status for answer in answers] == [401] * len(cases)
    assert [answer.error["code"] for answer in answers] == [code for _, code in cases]
    assert all(answer.headers["www-authenticate"] == "Bearer" for answer in answers)
    assert replica.seen == []


async def test_permission_that_is_taken_back_and_secret_that_is_removed_count(door, service):
    replica = door.replica()
    await door.apply(guarded(door, replica), trusted=service.believed())
    token = service.mint()
    assert door.call(key=token).status == 200

    await door.apply(guarded(door, replica, callers=()), trusted=service.believed())
    assert door.call(key=token).status == 403
    without = [types.SimpleNamespace(object_id="ada", credentials=frozenset())]
    await door.apply(guarded(door, replica), trusted=service.believed(without))
    assert door.call(key=token).status == 401


async def test_token_of_a_key_that_was_replaced_stays_good(door, service):
    replica = door.replica()
    old = service.mint()
    service.keys.rotate(SigningKey.generate(), now())

    await door.apply(guarded(door, replica), trusted=service.believed())

    assert door.call(key=old).status == 200
    assert door.call(key=service.mint()).status == 200


async def test_modes_do_not_mix(door, service):
    replica = door.replica()
    key = door.endpoint(door.deployment(replica), name="bykey")
    own = door.endpoint(door.deployment(replica), name="bytoken", auth_mode="aml_token")
    await door.apply(guarded(door, replica), key, own, trusted=service.believed())

    token = service.mint()
    assert door.call("/inference/bykey/score", key=token).status == 401
    assert door.call("/inference/bytoken/score", key=token).status == 401
    assert door.call().status == 401
    assert door.call(key=None).error["code"] == "AuthenticationFailed"
