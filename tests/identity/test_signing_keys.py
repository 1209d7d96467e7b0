"""Rotation of the keys that sign access tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from lazulite.identity.keys import open_keyring
from lazulite.identity.principals import ServicePrincipal
from lazulite.identity.signing import SigningKey
from lazulite.identity.signing_keys import TOKENS
from lazulite.identity.tokens import Audience, Holder, TokenError, Tokens
from tests.identity.conftest import ORIGINS, TENANT

ARM = "https://management.azure.com"
HOLDER = Holder(
    principal=ServicePrincipal(client_id="c", object_id="o", tenant_id=TENANT, display_name="d"),
    credential="key",
)


@pytest.fixture(scope="session")
def spare() -> list[SigningKey]:
    return [SigningKey.generate() for _ in range(2)]


def mint(tokens: Tokens) -> str:
    return tokens.mint(HOLDER, ARM, origin=ORIGINS[0]).token


def reopened(tokens: Tokens, tmp_path: Path, clock) -> Tokens:
    keys = open_keyring(tmp_path / "keys").tokens
    return Tokens(keys, TENANT, ORIGINS, tokens.audiences, clock)


def kids(tokens: Tokens, clock) -> list[str]:
    return [key["kid"] for key in tokens.keys.published(clock())]


def test_both_keys_are_believed_until_the_last_old_token_has_expired(tokens, spare, clock) -> None:
    first = tokens.key.kid
    old = mint(tokens)
    tokens.keys.rotate(spare[0], clock())
    new = mint(tokens)

    assert kids(tokens, clock) == [spare[0].kid, first]
    clock.move(3599)
    for token in (old, new):
        assert tokens.verify(token, Audience.MANAGEMENT).object_id == "o"
    clock.move(3)
    assert kids(tokens, clock) == [spare[0].kid]
    with pytest.raises(TokenError):
        tokens.verify(old, Audience.MANAGEMENT)


def test_a_vanished_key_is_believed_by_nobody_and_its_file_is_gone(
    tokens, spare, clock, tmp_path
) -> None:
    claims = {"aud": ARM, "exp": 4_000_000_000}
    first = tokens.key
    tokens.keys.rotate(spare[0], clock())
    assert len(list((tmp_path / "keys").glob("*until*"))) == 1

    clock.move(3602)

    with pytest.raises(TokenError) as caught:  # a forgery by who has got hold of the old key
        tokens.verify(first.sign(claims), Audience.MANAGEMENT)
    assert caught.value.code == "InvalidAuthenticationToken"
    assert list((tmp_path / "keys").glob("*until*")) == []


def test_rotation_outlives_a_restart(tokens, spare, clock, tmp_path) -> None:
    old = mint(tokens)
    tokens.keys.rotate(spare[0], clock())
    tokens.keys.rotate(spare[1], clock())  # within one second

    again = reopened(tokens, tmp_path, clock)

    assert again.key.kid == spare[1].kid
    assert sorted(kids(again, clock)) == sorted(kids(tokens, clock))
    assert len(kids(again, clock)) == 3
    again.verify(old, Audience.MANAGEMENT)
    clock.move(3700)
    assert kids(reopened(tokens, tmp_path, clock), clock) == [spare[1].kid]


@pytest.mark.parametrize("point", ["before", "between", "after"])
def test_a_crash_within_a_rotation_loses_no_key(
    tokens, spare, clock, tmp_path, monkeypatch, point
) -> None:
    first, old = tokens.key.kid, mint(tokens)
    folder = tmp_path / "keys"
    original, calls = Path.rename, []

    def crash(self: Path, target: Path) -> Path:
        calls.append(target)
        if point == "after":
            original(self, target)
        raise OSError("the machine stops")

    if point == "before":
        (folder / f"{TOKENS}.next").write_bytes(b"left by an earlier crash")
        tokens.keys.rotate(spare[0], clock())
        assert tokens.key.kid == spare[0].kid
        return
    monkeypatch.setattr(Path, "rename", crash)
    with pytest.raises(OSError, match="stops"):
        tokens.keys.rotate(spare[0], clock())
    assert calls == [folder / TOKENS]
    monkeypatch.undo()

    again = reopened(tokens, tmp_path, clock)

    assert again.key.kid == (spare[0].kid if point == "after" else first)
    assert len(kids(again, clock)) == (2 if point == "after" else 1)
    again.verify(old, Audience.MANAGEMENT)
    again.verify(mint(again), Audience.MANAGEMENT)
    again.keys.rotate(spare[1], clock())
    again.verify(old, Audience.MANAGEMENT)
