"""Local certificates: who trusts them, when they are renewed, and who may read them."""

import contextlib
import datetime
import socket
import ssl
import threading

import pytest
from cryptography import x509

from lazulite.serving.certificates import ensure_certificates, public_authorities

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


def make(folder, *names, now=NOW, authorities=b""):
    return ensure_certificates(folder, names=names, public_authorities=authorities, now=now)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_second_call_changes_nothing(tmp_path):
    make(tmp_path, "box")
    before = contents(tmp_path)

    make(tmp_path, "box", now=NOW + 300 * DAY)

    assert contents(tmp_path) == before


def test_server_certificate_is_renewed_by_the_same_authority_before_it_ends(tmp_path):
    files = make(tmp_path)
    server, authority = files.server.read_bytes(), files.authority.read_bytes()

    make(tmp_path, now=NOW + 336 * DAY)

    assert files.server.read_bytes() != server
    assert files.authority.read_bytes() == authority
    leaf = x509.load_pem_x509_certificate(files.server.read_bytes())
    assert leaf.not_valid_after_utc == NOW + (336 + 365) * DAY


def test_new_authority_signs_a_new_server_certificate(tmp_path):
    files = make(tmp_path)
    authority = files.authority.read_bytes()

    make(tmp_path, now=NOW + 3630 * DAY)

    assert files.authority.read_bytes() != authority
    assert files.authority.read_bytes() in files.server.read_bytes()


def test_new_name_is_added_and_old_names_cost_nothing(tmp_path):
    files = make(tmp_path, "box", "10.0.0.7")
    make(tmp_path, "box", "10.0.0.7", "other.example")
    named = files.server.read_bytes()

    make(tmp_path, "box")

    assert files.server.read_bytes() == named
    leaf = x509.load_pem_x509_certificate(named)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {
        "localhost",
        "*.localhost",
        "*.blob.localhost",
        "*.blob.core.localhost",
        "box",
        "other.example",
    }
    assert set(map(str, names.get_values_for_type(x509.IPAddress))) == {
        "127.0.0.1",
        "::1",
        "10.0.0.7",
    }


def test_private_keys_are_readable_by_their_owner_only(tmp_path):
    make(tmp_path / "tls")

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "tls").iterdir()}

    assert modes == {
        "ca-key.pem": 0o600,
        "server.pem": 0o600,
        "ca.pem": 0o644,
        "ca-bundle.pem": 0o644,
    }
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["ca-key.pem", "server.pem", "ca.pem", "ca-bundle.pem"])
@pytest.mark.parametrize("damage", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA", None])
def test_damaged_or_missing_file_is_made_again(tmp_path, name, damage):
    files = make(tmp_path)
    if damage is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(damage)

    make(tmp_path)

    assert files.authority.read_bytes() in files.server.read_bytes()
    assert files.bundle.read_bytes().endswith(files.authority.read_bytes())
    assert files.authority.read_bytes() in (tmp_path / "ca-key.pem").read_bytes()


def test_bundle_keeps_the_public_authorities(tmp_path):
    public = public_authorities()
    files = make(tmp_path, authorities=public)
    context = ssl.create_default_context(cafile=files.bundle)

    assert len(context.get_ca_certs()) == public.count(b"BEGIN CERTIFICATE") + 1


def test_users_own_bundle_goes_before_the_systems(tmp_path):
    own = make(tmp_path).authority

    assert public_authorities([tmp_path / "missing.pem", own]) == own.read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        *("localhost", "127.0.0.1", "::1", "box", "a.blob.box"),
        *("account.blob.localhost", "account.blob.core.localhost"),
    ],
)
def test_strict_client_trusts_the_server_under_every_name(tmp_path, name):
    files = make(tmp_path, "box", "*.blob.box", now=datetime.datetime.now(datetime.UTC))
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(files.server)
    client_side = ssl.create_default_context(cafile=files.authority)
    client_side.verify_flags |= ssl.VERIFY_X509_STRICT
    near, far = socket.socketpair()
    with near, far:
        thread = threading.Thread(target=shake_hands, args=(server_side, far))
        thread.start()
        with client_side.wrap_socket(near, server_hostname=name) as connection:
            assert connection.getpeercert() is not None
        thread.join(5)


def shake_hands(context, far):
    with contextlib.suppress(OSError):
        context.wrap_socket(far, server_side=True).close()
