from __future__ import annotations

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from lazulite.core.errors import ArmError
from lazulite.identity.endpoint_keys import EndpointKeys, EndpointTokens, KeyName
from lazulite.identity.sealing import BadSealError, SecretBox

BOX = SecretBox(bytes(32))


def test_keys_are_random_url_safe_and_revealed_only_with_the_data_key() -> None:
    keys, others = EndpointKeys.make(BOX), EndpointKeys.make(BOX)
    shown = keys.reveal(BOX)

    assert len({*shown.values(), *others.reveal(BOX).values()}) == 4
    for key in shown.values():
        assert len(base64.urlsafe_b64decode(key + "=")) == 32
        assert key not in json.dumps(keys.to_json())
        assert key not in repr(keys)
    with pytest.raises(BadSealError):
        keys.reveal(SecretBox(b"k" * 32))


def test_keys_survive_storage() -> None:
    keys = EndpointKeys.make(BOX)

    assert EndpointKeys.from_json(json.loads(json.dumps(keys.to_json()))) == keys


def test_digests_are_what_haproxy_computes() -> None:
    keys = EndpointKeys.make(BOX)
    shown = keys.reveal(BOX)

    assert keys.digests == tuple(
        hashlib.sha256(shown[name].encode()).hexdigest() for name in ("primaryKey", "secondaryKey")
    )


@pytest.mark.parametrize("name", list(KeyName))
def test_regenerating_one_key_leaves_the_other_good(name: KeyName) -> None:
    keys = EndpointKeys.make(BOX)
    before, changed = keys.reveal(BOX), keys.regenerate(name, BOX)

    for each in KeyName:
        old = before[f"{each.value.lower()}Key"]
        assert keys.accepts(old)
        assert changed.accepts(old) is (each is not name)
        assert changed.accepts(changed.reveal(BOX)[f"{each.value.lower()}Key"])


def test_only_the_keys_themselves_are_accepted() -> None:
    keys = EndpointKeys.make(BOX)
    key = keys.reveal(BOX)["primaryKey"]

    for wrong in (
        "",
        key[:-1],
        key + "A",
        key.swapcase(),
        keys.primary_sha256,
        keys.primary,
        "\ud800",
    ):
        assert not keys.accepts(wrong)


def test_chosen_key_is_taken_if_it_is_long_and_plain() -> None:
    keys = EndpointKeys.make(BOX).regenerate(KeyName.PRIMARY, BOX, "k" * 32)
    assert keys.accepts("k" * 32)

    for wrong in ("", "short", "k" * 31 + " ", "k" * 31 + "\n", "é" * 40, "k" * 257):
        with pytest.raises(ArmError, match="32 to 256"):
            keys.regenerate(KeyName.PRIMARY, BOX, wrong)


def test_endpoint_token_is_good_for_its_endpoint_and_its_hour(keys, clock) -> None:
    tokens = EndpointTokens(keys.endpoints, "https://localhost:8443", clock)
    answer = tokens.mint("uid-a", "object")
    now = int(clock().timestamp())

    assert set(answer) == {"accessToken", "expiryTimeUtc", "refreshAfterTimeUtc", "tokenType"}
    assert (answer["tokenType"], answer["expiryTimeUtc"]) == ("Bearer", now + 3600)
    assert now < answer["refreshAfterTimeUtc"] < answer["expiryTimeUtc"]
    assert tokens.accepts(answer["accessToken"], "uid-a")
    assert not tokens.accepts(answer["accessToken"], "uid-b")
    assert not tokens.accepts("a.b.c", "uid-a")
    clock.move(3600)
    assert not tokens.accepts(answer["accessToken"], "uid-a")


def test_endpoint_token_verifies_with_the_exported_key_alone(keys, clock) -> None:
    tokens = EndpointTokens(keys.endpoints, "https://localhost:8443", clock)
    signed, _, signature = tokens.mint("uid", "object")["accessToken"].rpartition(".")

    load_pem_public_key(tokens.public_pem()).verify(
        base64.urlsafe_b64decode(signature + "=="),
        signed.encode(),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )
    assert b"PRIVATE" not in tokens.public_pem()


def test_access_token_is_no_endpoint_token(keys, tokens, clock) -> None:
    """Even one whose audience were an endpoint: the keys are apart."""
    forged = tokens.key.sign({"aud": "uid", "nbf": 0, "exp": int(clock().timestamp()) + 60})

    assert not EndpointTokens(keys.endpoints, "iss", clock).accepts(forged, "uid")
