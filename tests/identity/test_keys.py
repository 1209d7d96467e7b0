from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from lazulite.identity.keys import open_keyring
from lazulite.identity.private_files import UnusableFileError
from lazulite.identity.sealing import BadSealError, SecretBox
from lazulite.identity.signing import SigningKey

FILES = ("token-signing.pem", "endpoint-token-signing.pem", "data-encryption.key")


def test_first_start_makes_private_keys_and_the_next_one_reads_them(tmp_path: Path) -> None:
    previous = os.umask(0)  # the most careless umask there is
    try:
        made = open_keyring(tmp_path / "data" / "keys")
    finally:
        os.umask(previous)
    read = open_keyring(tmp_path / "data" / "keys")

    assert read.tokens.current.kid == made.tokens.current.kid != made.endpoints.kid
    assert read.secrets.open(made.secrets.seal(b"x")) == b"x"
    folder = tmp_path / "data" / "keys"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert [path.name for path in folder.parent.iterdir()] == ["keys"]


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    one, other = open_keyring(tmp_path / "one"), open_keyring(tmp_path / "other")

    assert one.tokens.current.kid != other.tokens.current.kid
    with pytest.raises(BadSealError):
        other.secrets.open(one.secrets.seal(b"x"))


def test_what_a_crash_left_half_made_is_cleared_and_not_used(tmp_path: Path) -> None:
    half = tmp_path / ".keys.abc"
    half.mkdir(mode=0o700)
    (half / FILES[0]).write_text("half a key")

    open_keyring(tmp_path / "keys")

    assert not half.exists()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"\n \n"), "is empty"),
        (lambda path: path.write_bytes(b"nonsense"), "holds no"),
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "holds no"),
        (lambda path: path.write_bytes(b"a" * 100_000), "is too large"),
        (lambda path: path.chmod(0o640), "can be used by others \\(mode 0640\\)"),
        (lambda path: path.chmod(0o602), "can be used by others"),
        (
            lambda path: path.rename(path.parent / "k") and path.symlink_to("k"),
            "is a symbolic link",
        ),
        (lambda path: path.unlink() or os.mkfifo(path, 0o600), "is not a plain file"),
    ],
)
def test_damaged_key_is_refused_and_left_as_it_is(tmp_path, keys_text, name, damage, said) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    for each, text in keys_text.items():
        (folder / each).write_bytes(text)
        (folder / each).chmod(0o600)
    damage(folder / name)
    before = [(path.name, path.lstat().st_mtime_ns) for path in sorted(folder.iterdir())]

    with pytest.raises(UnusableFileError, match=said) as caught:
        open_keyring(folder)

    assert str(folder / name) in caught.value.message
    assert [(path.name, path.lstat().st_mtime_ns) for path in sorted(folder.iterdir())] == before


@pytest.fixture(scope="module")
def keys_text(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("made") / "keys"
    open_keyring(folder)
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_key_of_another_user_is_refused(tmp_path: Path) -> None:
    open_keyring(tmp_path / "keys")
    os.chown(tmp_path / "keys" / FILES[0], 12345, -1)

    with pytest.raises(UnusableFileError, match="belongs to user 12345"):
        open_keyring(tmp_path / "keys")


def test_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    open_keyring(tmp_path / "keys")
    (tmp_path / "keys").chmod(0o750)

    with pytest.raises(UnusableFileError, match="chmod 700"):
        open_keyring(tmp_path / "keys")


def test_folder_behind_a_link_is_refused_even_if_it_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "keys").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(UnusableFileError, match="is not a folder"):
        open_keyring(tmp_path / "keys")


def test_key_of_another_kind_is_refused() -> None:
    plain = form.NoEncryption()
    for key in (ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 1024)):
        pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, plain)
        with pytest.raises(ValueError, match="2048 bits"):
            SigningKey.from_pem(pem)


def test_damaged_number_in_a_key_never_gives_wrong_signatures(keys_text: dict[str, bytes]) -> None:
    """Some numbers in the file are redundant; where they are not, the key is refused."""
    whole = SigningKey.from_pem(keys_text[FILES[0]])
    lines = keys_text[FILES[0]].splitlines()
    refused = 0
    for at in range(1, len(lines) - 1):
        changed = b"A" if lines[at][20:21] != b"A" else b"B"
        damaged = [*lines[:at], lines[at][:20] + changed + lines[at][21:], *lines[at + 1 :]]
        try:
            signed = SigningKey.from_pem(b"\n".join(damaged)).sign({"still": "right"})
        except ValueError:
            refused += 1
        else:
            assert whole.read(signed) == {"still": "right"}
    assert refused >= 8  # the modulus


def test_keys_are_not_shown_by_repr(keys) -> None:
    assert "PRIVATE" not in repr(keys)
    assert keys.tokens.current.private.as_dict(private=True)["d"] not in repr(keys)


def test_sealing_hides_the_secret_and_notices_every_change() -> None:
    box = SecretBox(bytes(32))
    sealed = box.seal(b"secret")

    assert box.open(sealed) == b"secret"
    assert "secret" not in sealed
    assert box.seal(b"secret") != sealed
    for changed in (sealed[:-4], sealed[:5] + "AAAA" + sealed[9:], "", "v1.", "v2" + sealed[2:]):
        with pytest.raises(BadSealError):
            box.open(changed)
