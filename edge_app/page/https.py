"""A certificate for `--https`, made on first use and kept for this user."""

import contextlib
import datetime
import ipaddress
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_app.errors import EdgeAppError
from edge_app.userdir import user_dir, write_whole

if TYPE_CHECKING:
    from cryptography import x509

DAYS = 397  # browsers take no certificate of a longer life
RENEWED_DAYS = 200  # before it ends, by a start: until the next may be months


@dataclass(frozen=True)
class Certificate:
    """Two PEM files: the certificate, signed by itself, and its private key, which only this user can read."""

    certificate: Path
    key: Path


def own_certificate(names: list[str]) -> Certificate:
    """The kept certificate, made anew where it does not cover all `names` (host names and addresses) or ends soon.

    Raises EdgeAppError if the package cryptography is missing or the files cannot be written.
    """
    try:
        from cryptography import x509  # noqa: F401
    except ImportError as error:
        raise EdgeAppError(
            f'--https needs the package cryptography: "{sys.executable}" -m pip install cryptography'
        ) from error
    folder = user_dir()
    kept = Certificate(folder / "certificate.pem", folder / "key.pem")
    try:
        if not _serves(kept, names):
            certificate_pem, key_pem = make(names)
            write_whole(kept.key, key_pem)
            write_whole(kept.certificate, certificate_pem)
    except OSError as error:
        raise EdgeAppError(
            f"{folder}: cannot be written ({error.strerror}); check its permissions, and the room on the disk"
        ) from error
    return kept


def own_names(address: str) -> list[str]:
    """The names under which this machine may be asked for, `address` among them."""
    name = socket.gethostname()
    return [*dict.fromkeys([name, f"{name.partition('.')[0]}.local", "localhost", "127.0.0.1", "::1", address])]


def make(names: list[str]) -> tuple[bytes, bytes]:
    """A new certificate for `names` and its key, as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    owner = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Edge Fashion on this machine")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(owner)
        .issuer_name(owner)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # for clocks that are behind
        .not_valid_after(now + datetime.timedelta(days=DAYS - 1))
        .add_extension(x509.SubjectAlternativeName(_general_names(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), key_pem


def _general_names(names: list[str]) -> "list[x509.GeneralName]":
    """Addresses, and host names as browsers ask for them (RFC 3490); what cannot be such a name is left out."""
    from cryptography import x509

    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            with contextlib.suppress(UnicodeError):
                found.append(x509.DNSName(name.encode("idna").decode("ascii")))
    return found


def _serves(kept: Certificate, names: list[str]) -> bool:
    """Whether the kept files are there, whole, of one pair, for these names, and good for a while."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        certificate = x509.load_pem_x509_certificate(kept.certificate.read_bytes())
        key = serialization.load_pem_private_key(kept.key.read_bytes(), password=None)
    except (FileNotFoundError, ValueError):
        return False
    covered = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    ends = certificate.not_valid_after_utc - datetime.timedelta(days=RENEWED_DAYS)
    is_pair = key.public_key() == certificate.public_key()
    return is_pair and set(_general_names(names)) <= set(covered) and datetime.datetime.now(datetime.UTC) < ends
