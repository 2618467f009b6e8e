"""How the connection is protected, and how the server shows that it is the one that was meant. RFC 5804 §2.2.1.

The certificate must be valid and for the host that is connected to; only who says so goes without (`check=False`).
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sievemda.errors import DataError, NotPermitted, Unavailable

Mode = Literal["starttls", "tls", "none"]
ALPN = "managesieve"
_OTHERWISE = frozenset({9, 10, 23, 62, 64})  # X509_V_ERR: too early, too late, revoked, another host or address


@dataclass(frozen=True, slots=True)
class Protection:
    """What the user asks for. `authorities` is a file of certificates to trust beside those of the system's."""

    mode: Mode = "starttls"
    check: bool = True
    authorities: Path | None = None
    certificate: Path | None = None  # our own
    key: Path | None = None  # its key; None: it is in the same file

    def context(self) -> ssl.SSLContext:
        """Raises DataError for a file that cannot be used."""
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols([ALPN])
        try:
            if self.authorities is not None:
                context.load_verify_locations(self.authorities)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ValueError) as e:
            what = self.authorities if self.certificate is None else self.certificate
            raise DataError(f"{what}: {getattr(e, 'strerror', None) or getattr(e, 'reason', None) or e}") from e
        if not self.check:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def secured(sock: socket.socket, context: ssl.SSLContext, host: str, where: str) -> ssl.SSLSocket:
    """TLS over a connection. NotPermitted when the server is not who it should be, Unavailable when there is no TLS."""
    try:
        return context.wrap_socket(sock, server_hostname=host)
    except ssl.SSLCertVerificationError as e:
        why = (e.verify_message or e.reason or "").rstrip(".")
        hint = "" if e.verify_code in _OTHERWISE else "name its authority with --ca FILE, or "
        raise NotPermitted(
            f"the certificate of {where} is not to be trusted: {why}; {hint}go without a check with --insecure"
        ) from e
    except ssl.SSLError as e:
        why = (e.reason or str(e)).replace("_", " ").lower()
        hint = "; it speaks in clear first: is STARTTLS what it wants?" if e.reason == "WRONG_VERSION_NUMBER" else ""
        raise Unavailable(f"no TLS with {where}: {why}{hint}") from e
    except OSError as e:
        raise Unavailable(f"no TLS with {where}: {e.strerror or e}") from e


def binding(sock: socket.socket, implementation: str) -> tuple[str, bytes] | None:
    """Type and octets of what ties a login to this connection, if it has TLS. RFC 5929.

    Every server must know tls-unique (RFC 5802 §6), which TLS 1.3 has no more; Cyrus knows no other, and takes it
    there, too. With TLS 1.3 it is the server's certificate that is bound to: tls-exporter cannot be had in Python.
    """
    if not isinstance(sock, ssl.SSLSocket):
        return None
    if sock.version() == "TLSv1.2" or implementation.lower().startswith("cyrus"):
        finished = sock.get_channel_binding("tls-unique")
        return ("tls-unique", finished) if finished else None
    return _end_point(sock)


def _end_point(sock: ssl.SSLSocket) -> tuple[str, bytes] | None:
    """RFC 5929 §4."""
    from cryptography import x509  # noqa: PLC0415 - only here
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415

    shown = sock.getpeercert(binary_form=True)
    if not shown:
        return None
    try:
        algorithm = x509.load_der_x509_certificate(shown).signature_hash_algorithm
    except (UnsupportedAlgorithm, ValueError):
        return None
    if algorithm is None:
        return None
    digest = hashes.Hash(hashes.SHA256() if isinstance(algorithm, hashes.MD5 | hashes.SHA1) else algorithm)
    digest.update(shown)
    return "tls-server-end-point", digest.finalize()
