"""Storage accounts as rows: found by name, which is unique on a server, and their keys."""

from __future__ import annotations

import base64
import secrets

from lazulite.core.ids import STORAGE_ACCOUNTS
from lazulite.identity.sealing import SecretBox
from lazulite.store.resources import Resource, Resources

KEY_NAMES = ("key1", "key2")


def new_account_key() -> str:
    """512 random bits in base64, as Azure's account keys are."""
    return base64.b64encode(secrets.token_bytes(64)).decode()


def sealed_keys(box: SecretBox) -> dict[str, str]:
    """A new account's two keys, as its row keeps them."""
    return {name: box.seal(new_account_key().encode()) for name in KEY_NAMES}


def account_keys(box: SecretBox, account: Resource) -> dict[str, str]:
    """The account's keys by name, the first one first."""
    held = [name for name in KEY_NAMES if name in account.secrets]
    return {name: box.open(account.secrets[name]).decode() for name in held}


async def find_account(resources: Resources, name: str) -> Resource | None:
    """The account of that name; None if it is not one of this server's."""
    return next(iter(await resources.named(STORAGE_ACCOUNTS, name)), None)
