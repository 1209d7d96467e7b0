from __future__ import annotations

import asyncio
import threading

import pytest

from lazulite.identity.applications import SecretHasher, for_years, hashed_secret
from lazulite.identity.client_secrets import ClientSecrets, TooManyFailuresError
from tests.identity.conftest import NOW


class CountingHasher(SecretHasher):
    """Counts the slow checks, and how many ran at once."""

    def __init__(self) -> None:
        self.checks, self.running, self.most = 0, 0, 0
        self.lock = threading.Lock()

    def matches(self, secret_hash: str, secret: str) -> bool:
        with self.lock:
            self.checks += 1
            self.running += 1
            self.most = max(self.most, self.running)
        threading.Event().wait(0.01)
        with self.lock:
            self.running -= 1
        return secret_hash == f"hash of {secret}"


def known(secret, client="client"):
    """The client id and its one secret."""
    return client, [hashed_secret(client, secret, f"hash of {secret}", for_years(NOW, 1))]


PRINCIPAL = known("right")


async def test_right_secret_is_checked_slowly_once_in_five_minutes(clock) -> None:
    hasher = CountingHasher()
    secrets = ClientSecrets(hasher, clock)

    for _ in range(5):
        assert await secrets.match(*PRINCIPAL, "right")
    assert hasher.checks == 1
    clock.move(301)
    assert await secrets.match(*PRINCIPAL, "right")
    assert hasher.checks == 2


async def test_wrong_secret_is_never_remembered(clock) -> None:
    hasher = CountingHasher()
    secrets = ClientSecrets(hasher, clock)
    await secrets.match(*PRINCIPAL, "right")

    for wrong in ("wrong", "wrong", "righ", "right\0", "", "ünïcode"):
        assert not await secrets.match(*PRINCIPAL, wrong)
    assert hasher.checks == 7


async def test_remembered_secret_dies_with_its_credential(clock) -> None:
    secrets = ClientSecrets(CountingHasher(), clock)
    assert await secrets.match(*PRINCIPAL, "right")
    changed = known("new")

    assert not await secrets.match(*changed, "right")
    assert await secrets.match(*changed, "new")


async def test_remembered_secret_is_no_other_clients(clock) -> None:
    secrets = ClientSecrets(CountingHasher(), clock)
    assert await secrets.match(*PRINCIPAL, "right")

    assert not await secrets.match(*known("other", "another"), "right")


async def test_each_of_several_secrets_is_right_and_named(clock) -> None:
    secrets = ClientSecrets(CountingHasher(), clock)
    several = [*known("old")[1], *known("new")[1]]

    for text, each in zip(("old", "new", "old"), (*several, several[0]), strict=True):
        assert await secrets.match("client", several, text) == each
    assert await secrets.match("client", several, "neither") is None


async def test_simultaneous_first_calls_are_checked_two_at_a_time_at_most(clock) -> None:
    hasher = CountingHasher()
    secrets = ClientSecrets(hasher, clock)

    answers = await asyncio.gather(*(secrets.match(*PRINCIPAL, "right") for _ in range(8)))

    assert all(answers)
    assert hasher.most <= 2
    assert hasher.checks <= 2  # those that waited found the answer there


async def test_failures_are_throttled_for_that_client_only(clock) -> None:
    secrets = ClientSecrets(CountingHasher(), clock)
    other = known("right", "another")
    for n in range(10):
        assert not await secrets.match(*PRINCIPAL, f"wrong {n}")

    with pytest.raises(TooManyFailuresError):
        await secrets.match(*PRINCIPAL, "wrong")
    assert await secrets.match(*other, "right")
    clock.move(6)
    assert not await secrets.match(*PRINCIPAL, "wrong")
    with pytest.raises(TooManyFailuresError) as caught:
        await secrets.match(*PRINCIPAL, "wrong")
    assert 1 <= caught.value.retry_after <= 7


async def test_parallel_guesses_cannot_outrun_the_throttle(clock) -> None:
    hasher = CountingHasher()
    secrets = ClientSecrets(hasher, clock)

    guesses = (secrets.match(*PRINCIPAL, f"wrong {n}") for n in range(40))
    answers = await asyncio.gather(*guesses, return_exceptions=True)

    assert hasher.checks == 10
    assert sum(isinstance(each, TooManyFailuresError) for each in answers) == 30


async def test_right_answers_do_not_use_up_the_allowance(clock) -> None:
    secrets = ClientSecrets(CountingHasher(), clock)

    for _ in range(30):
        assert await secrets.match(*PRINCIPAL, "right")
        clock.move(301)


def test_real_hasher_takes_the_secret_and_nothing_else(hasher) -> None:
    hashed = hasher.hash("secret")

    assert hashed.startswith("$argon2id$")
    assert hasher.matches(hashed, "secret")
    assert not hasher.matches(hashed, "Secret")
    assert hasher.hash("secret") != hashed
