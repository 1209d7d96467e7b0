"""The server's own keys: made at the first start; but for rotation, only read after that.

They stand in one folder, which appears whole or not at all. A damaged key is never replaced by a
new one: everything sealed with the old one would be lost.
"""

from __future__ import annotations

import dataclasses
import secrets
import shutil
import tempfile
from pathlib import Path

from lazulite.identity.private_files import (
    UnusableFileError,
    check_private_folder,
    create_private,
    read_private,
)
from lazulite.identity.sealing import SecretBox
from lazulite.identity.signing import SigningKey
from lazulite.identity.signing_keys import TOKENS, RetiredKey, SigningKeys, retired_files
from lazulite.store.files import sync_directory

_ENDPOINTS = "endpoint-token-signing.pem"
_DATA = "data-encryption.key"
_RESTORE = "Restore it from a backup; the server never replaces it by itself."


@dataclasses.dataclass(frozen=True)
class Keyring:
    """Every key of one server."""

    tokens: SigningKeys
    """Sign access tokens of management, ML, storage and graph."""
    endpoints: SigningKey
    """Signs the aml_tokens of online endpoints, and nothing else."""
    secrets: SecretBox
    """Seals secrets that must be shown again, such as endpoint keys."""


def open_keyring(folder: Path) -> Keyring:
    """The keys in the folder, which the first call makes (0700, files 0600). Takes 0.3 s then.

    Raises UnusableFileError if one is missing, empty, broken, a link, another user's, or
    readable by others. The caller holds the lock of the data folder.
    """
    if not folder.is_symlink() and not folder.exists():
        _create(folder)
    check_private_folder(folder)
    return Keyring(
        tokens=SigningKeys(folder, _signing_key(folder / TOKENS), _retired(folder)),
        endpoints=_signing_key(folder / _ENDPOINTS),
        secrets=_secret_box(folder / _DATA),
    )


def _create(folder: Path) -> None:
    """Make the folder aside and rename it into place: a crash leaves no half of it."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for abandoned in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(abandoned)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    create_private(new / TOKENS, SigningKey.generate().private_pem())
    create_private(new / _ENDPOINTS, SigningKey.generate().private_pem())
    create_private(new / _DATA, secrets.token_hex(32).encode() + b"\n")
    new.rename(folder)
    sync_directory(folder.parent)


def _retired(folder: Path) -> list[RetiredKey]:
    found = retired_files(folder)
    return [RetiredKey(_signing_key(path), until, path) for path, until in found]


def _signing_key(path: Path) -> SigningKey:
    try:
        return SigningKey.from_pem(_read(path))
    except ValueError as error:
        raise UnusableFileError(path, "holds no usable RSA private key", _RESTORE) from error


def _secret_box(path: Path) -> SecretBox:
    try:
        return SecretBox(bytes.fromhex(_read(path).decode("ascii").strip()))
    except ValueError as error:
        raise UnusableFileError(path, "holds no key of 64 hexadecimal digits", _RESTORE) from error


def _read(path: Path) -> bytes:
    try:
        return read_private(path)
    except FileNotFoundError as error:
        raise UnusableFileError(path, "is missing", _RESTORE) from error
