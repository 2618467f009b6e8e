"""Certificates and rules of TLS, made once from the settings.

Beside the certificate for whoever names no host there can be others, for names of hosts (SNI, RFC 6066 §3). *Why* a
certificate is found by the names in it: they are what the client will compare, and files can be called as whoever
fetches them likes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from OpenSSL import SSL, crypto

from sievemda.config import Lmtp
from sievemda.errors import ConfigurationError

VERSIONS = {"tls1_2": SSL.TLS1_2_VERSION, "tls1_3": SSL.TLS1_3_VERSION}
_VERIFY = {
    "off": SSL.VERIFY_NONE,
    "optional": SSL.VERIFY_PEER,
    "require": SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT,
}
_NO_LIST = 3  # X509_V_ERR_UNABLE_TO_GET_CRL
_PAIRS = (("fullchain.pem", "privkey.pem"), ("cert.pem", "key.pem"))  # in a directory for one name


class ProtocolRefused(Exception):
    """The client names protocols, and none of them is ours."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One certificate with what belongs to it."""

    context: SSL.Context
    end_point: bytes  # the channel binding tls-server-end-point; empty where there is none
    names: frozenset[str]  # of the hosts it is for; `*.` may stand before one


@dataclass(frozen=True, slots=True)
class Contexts:
    """`default` answers who asks for no name, or for one that nothing is known of."""

    default: Identity
    others: Mapping[str, Identity] = field(default_factory=dict)

    def find(self, name: str) -> Identity:
        """The one for the host of that name."""
        name = name.lower().removesuffix(".")
        wild = "*." + name.partition(".")[2]
        return self.others.get(name) or self.others.get(wild) or self.default


def contexts(settings: Lmtp, protocol: bytes) -> Contexts | None:
    """What `settings` say, for a service with that ALPN name, empty for one that has none; None without a certificate.

    Raises ConfigurationError.
    """
    if settings.tls_server_cert is None or settings.tls_server_key is None:
        return None
    default = _identity(settings, settings.tls_server_cert, settings.tls_server_key, protocol)
    others: dict[str, Identity] = {}
    for certificate, key in _pairs(settings.tls_server_dir):
        one = _identity(settings, certificate, key, protocol, "tls_server_dir")
        for name in one.names:
            others.setdefault(name, one)
    found = Contexts(default, others)

    def choose(connection: SSL.Connection) -> None:
        name = connection.get_servername()
        if name is not None:
            connection.set_context(found.find(name.decode("ascii", "replace")).context)

    if others:
        default.context.set_tlsext_servername_callback(choose)
    return found


def _pairs(directory: Path | None) -> Iterator[tuple[Path, Path]]:
    """Certificates with their keys: NAME.pem with both in it, NAME.crt and NAME.key, or a directory NAME of them."""
    if directory is None:
        return
    try:
        entries = sorted(directory.iterdir())
    except OSError as e:
        raise ConfigurationError(f"tls_server_dir: {directory}: {e.strerror}") from e
    for entry in entries:
        if entry.suffix == ".pem":
            yield entry, entry
        elif entry.suffix == ".crt":
            yield entry, entry.with_suffix(".key")
        for certificate, key in _PAIRS:
            if os.path.exists(entry / certificate):  # noqa: PTH110 - this one raises nothing
                yield entry / certificate, entry / key


def _identity(
    settings: Lmtp, certificate: Path, key: Path, protocol: bytes, where: str = "tls_server_cert, tls_server_key"
) -> Identity:
    try:
        shown = x509.load_pem_x509_certificate(certificate.read_bytes())
        secret = serialization.load_pem_private_key(key.read_bytes(), None)  # OpenSSL would ask at the terminal
        context = _context(settings, protocol)
        context.use_certificate_chain_file(bytes(certificate))
        context.use_privatekey(secret)  # type: ignore[arg-type]
        context.check_privatekey()
    except OSError as e:
        raise ConfigurationError(f"{where}: {e.filename or certificate}: {e.strerror}") from e
    except (SSL.Error, TypeError, ValueError, UnsupportedAlgorithm) as e:  # the second: there is a password on it
        raise ConfigurationError(f"{where}: {certificate}, {key}: {_words(e)}") from e
    identity = Identity(context, _end_point(shown), frozenset(_names(shown)))
    context.set_app_data(identity)
    return identity


def _context(settings: Lmtp, protocol: bytes) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    versions = [VERSIONS[name] for name in settings.tls_versions]
    context.set_min_proto_version(min(versions))
    context.set_max_proto_version(max(versions))
    context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_options(SSL.OP_NO_TICKET)  # a session that is resumed has no certificate, and no binding of its own
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    try:
        context.set_cipher_list(settings.tls_ciphers.encode())
    except SSL.Error as e:
        raise ConfigurationError(f"tls_ciphers: OpenSSL knows none of {settings.tls_ciphers!r}") from e
    if protocol:
        context.set_alpn_select_callback(lambda _connection, offered: _protocol(protocol, offered))
    if settings.tls_client_ca_file is not None and settings.tls_client_certs != "off":
        _verify_clients(context, settings.tls_client_ca_file, settings)
    return context


def _protocol(ours: bytes, offered: list[bytes]) -> bytes:
    if ours not in offered:
        raise ProtocolRefused
    return ours


def _verify_clients(context: SSL.Context, authorities: Path, settings: Lmtp) -> None:
    try:
        authorities.read_bytes()
        context.load_verify_locations(str(authorities))
        context.load_client_ca(bytes(authorities))
        if settings.tls_crl_file is not None:
            settings.tls_crl_file.read_bytes()
            if (store := context.get_cert_store()) is not None:
                store.load_locations(str(settings.tls_crl_file))
                store.set_flags(crypto.X509StoreFlags.CRL_CHECK | crypto.X509StoreFlags.CRL_CHECK_ALL)
    except OSError as e:
        raise ConfigurationError(f"tls_client_ca_file, tls_crl_file: {e.filename}: {e.strerror}") from e
    except (SSL.Error, crypto.Error) as e:
        raise ConfigurationError(f"tls_client_ca_file, tls_crl_file: {_words(e)}") from e
    context.set_verify(_VERIFY[settings.tls_client_certs], _is_verified)


def _is_verified(_connection: SSL.Connection, _shown: crypto.X509, error: int, depth: int, right: int) -> bool:
    """An authority in between that is revoked vouches for nobody; of one on which no list says anything it is not said.

    For the client's own certificate there must be a list.
    """
    return bool(right) or (error == _NO_LIST and depth > 0)


def _end_point(certificate: x509.Certificate) -> bytes:
    """RFC 5929 §4.1: the hash of the certificate by its signature's own, or by SHA-256 where that is weaker."""
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return b""
    if algorithm is None:
        return b""
    weak = isinstance(algorithm, hashes.MD5 | hashes.SHA1)
    return certificate.fingerprint(hashes.SHA256() if weak else algorithm)


def _names(certificate: x509.Certificate) -> Iterator[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    yield from (name.lower() for name in found.get_values_for_type(x509.DNSName))


def _words(error: Exception) -> str:
    reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return "; ".join(reason[-1] for reason in reasons) or str(error)
