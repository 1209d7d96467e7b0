"""Local TLS: an own certificate authority, a server certificate, a bundle that clients trust."""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import ssl
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lazulite.store.files import write_atomically

AUTHORITY_LIFETIME = datetime.timedelta(days=3650)
SERVER_LIFETIME = datetime.timedelta(days=365)
RENEWAL_MARGIN = datetime.timedelta(days=30)

OWN_NAMES = (
    *("localhost", "*.localhost", "127.0.0.1", "::1"),
    *("*.blob.localhost", "*.blob.core.localhost"),
)
"""Names that lead to this machine; the last two have a storage account before them, and OpenSSL
takes no wildcard of fewer labels than theirs. Source: spec/CLIENTS.md 4."""

_CLOCK_SKEW = datetime.timedelta(days=1)
_USUAL_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS
)


@dataclasses.dataclass(frozen=True)
class Certificates:
    """Where the files are."""

    authority: Path
    """ca.pem, mode 0644: what a browser or a system store imports."""
    server: Path
    """server.pem, mode 0600: private key and chain, as HAProxy reads it."""
    bundle: Path
    """ca-bundle.pem, mode 0644: public authorities and ours, as REQUESTS_CA_BUNDLE needs it."""


def ensure_certificates(
    folder: Path,
    *,
    names: Iterable[str],
    public_authorities: bytes,
    now: datetime.datetime,
) -> Certificates:
    """Make what is missing, expires within 30 days or does not name every host; keep the rest.

    names: host names and IP addresses beside OWN_NAMES. Call it at each start: a second call
    changes nothing, and one after a crash finishes the work. The authority is kept as long as it
    can be, since clients were told to trust it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = Certificates(folder / "ca.pem", folder / "server.pem", folder / "ca-bundle.pem")
    key, authority = _ensure_authority(folder / "ca-key.pem", now)
    hosts = list(dict.fromkeys([*OWN_NAMES, *names]))
    if not _is_current_server(_read(files.server), authority, hosts, now):
        _write_if_changed(files.server, _new_server(key, authority, hosts, now), 0o600)
    own = authority.public_bytes(serialization.Encoding.PEM)
    _write_if_changed(files.authority, own, 0o644)
    _write_if_changed(files.bundle, public_authorities.rstrip() + b"\n" + own, 0o644)
    return files


def public_authorities(more: Sequence[Path] = ()) -> bytes:
    """The authorities this system trusts, as PEM; `more` goes first, such as the user's own bundle.

    Empty when no bundle is found: then only our own server can be verified.
    """
    default = ssl.get_default_verify_paths().cafile
    certifi = find_spec("certifi")
    candidates = [*more, *([Path(default)] if default else []), *map(Path, _USUAL_BUNDLES)]
    if certifi is not None and certifi.origin is not None:
        candidates.append(Path(certifi.origin).with_name("cacert.pem"))
    return next((data for data in map(_read, candidates) if b"BEGIN CERTIFICATE" in data), b"")


def _ensure_authority(
    path: Path, now: datetime.datetime
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """Key and certificate are one file, so that a crash cannot leave two that do not match."""
    held = _load_pair(_read(path))
    if held is not None and held[1].not_valid_after_utc > now + RENEWAL_MARGIN:
        return held
    key, certificate = _new_authority(now)
    write_atomically(path, _pem(key) + certificate.public_bytes(serialization.Encoding.PEM))
    return key, certificate


def _new_authority(
    now: datetime.datetime,
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    # Each has a name of its own: stores look issuers up by name.
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"Lazulite local CA {serial:x}"[:40])]
    )
    certificate = (
        _builder(name, name, key.public_key(), now, now + AUTHORITY_LIFETIME)
        .serial_number(serial)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def _new_server(
    authority_key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    hosts: Sequence[str],
    now: datetime.datetime,
) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lazulite")])
    until = min(now + SERVER_LIFETIME, authority.not_valid_after_utc)
    certificate = (
        _builder(name, authority.subject, key.public_key(), now, until)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(map(_general_name, hosts)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    chain = [certificate, authority]
    return _pem(key) + b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime.datetime,
    until: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _is_current_server(
    pem: bytes, authority: x509.Certificate, hosts: Sequence[str], now: datetime.datetime
) -> bool:
    held = _load_pair(pem)
    if held is None or held[1].not_valid_after_utc <= now + RENEWAL_MARGIN:
        return False
    try:
        held[1].verify_directly_issued_by(authority)
        named = held[1].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return all(_general_name(host) in named for host in hosts)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host.encode("idna").decode() if not host.isascii() else host.lower())


def _load_pair(pem: bytes) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None:
    """Key and first certificate of a file; None if it is not such a pair."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
        certificate = x509.load_pem_x509_certificate(pem)
    except (ValueError, TypeError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    return (key, certificate) if key.public_key() == certificate.public_key() else None


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _write_if_changed(path: Path, data: bytes, mode: int) -> None:
    if _read(path) != data:
        write_atomically(path, data, mode=mode)
