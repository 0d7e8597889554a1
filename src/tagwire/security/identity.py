"""The server's identity: a private key and the certificate that goes with it."""

from __future__ import annotations

import datetime
import re
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tagwire.errors import KeysUnusable
from tagwire.security import places, private
from tagwire.security.fingerprint import fingerprint

FILE = "server.pem"
TLS_NAME = "tagwire"
"""Name that every certificate of ours carries; a client that must check a name checks this one, whatever the host."""

_YEARS = 20
_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----\n?", re.DOTALL)


@dataclass(frozen=True)
class Identity:
    """Key and certificate of a server.

    Attributes
    ----------
    path
        The file that holds both.
    certificate, key
        In PEM format.
    """

    path: Path
    certificate: bytes
    key: bytes = field(repr=False)

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """The identity in `folder` (default: `places.home`); `KeysUnusable` when there is none."""
        path = (folder or places.home()) / FILE
        try:
            blocks = {match[1]: match[0] for match in _BLOCK.finditer(private.read(path))}
            return cls(path, blocks[b"CERTIFICATE"], blocks[b"PRIVATE KEY"])
        except FileNotFoundError as error:
            raise KeysUnusable(f"there is no server identity at {path}; make one with: tagwire keys init") from error
        except KeyError as error:
            raise KeysUnusable(f"{path} is damaged: it lacks the {error.args[0].decode().lower()}") from error

    @classmethod
    def create(cls, folder: Path | None = None, *, replace: bool = False) -> Self:
        """Make a new identity and keep it in `folder`; `KeysUnusable` when there is one and `replace` is not said."""
        path = (folder or places.home()) / FILE
        if path.exists() and not replace:
            raise KeysUnusable(
                f"{path} exists; a new identity makes every client suspicious, so it has to be asked for"
            )
        private.write(path, _new_pem())
        return cls.load(folder)

    @property
    def fingerprint(self) -> str:
        """What clients recognise the server by."""
        return fingerprint(ssl.PEM_cert_to_DER_cert(self.certificate.decode()))


def _new_pem() -> bytes:
    """A fresh key and a certificate that it has signed itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    host = socket.gethostname()[:60] or "computer"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{host}")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # the client's clock may be behind
        .not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(TLS_NAME), x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()) + certificate.public_bytes(encoding)
