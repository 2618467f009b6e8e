"""TLS over octets that somebody else carries: what came in, what is to go out, and the text between.

A client that names protocols of which none is ours is told so in the handshake and gets no further (RFC 7301 §3.2);
one that names none is as welcome as ever.

Why pyOpenSSL and not the standard library's `ssl`: that has neither the exporter from which the channel binding of
TLS 1.3 is made (RFC 9266) nor a way to refuse a client for his protocols.
"""

from __future__ import annotations

from cryptography import x509
from OpenSSL import SSL

from sievemda.tls.contexts import Identity, ProtocolRefused
from sievemda.tls.error import TlsError
from sievemda.tls.hello import Hello
from sievemda.tls.records import Records

_BLOCK = 16 << 10  # octets; a TLS record holds no more
_RECORD_ROOM = 17 << 10  # octets that OpenSSL holds for one that has not come as a whole
_EXPORTER = b"EXPORTER-Channel-Binding"


class Channel:
    """The server's end of one connection."""

    def __init__(self, identity: Identity) -> None:
        self._tls = SSL.Connection(identity.context, None)
        self._tls.set_accept_state()
        self._hello: Hello | None = Hello()
        self._records = Records()

    def feed(self, data: bytes) -> None:
        """What came from the network; nothing is its end. Raises TlsError for a hello that nobody means."""
        if data:
            if self._hello is not None and self._hello.is_fit(data):
                self._hello = None
            self._records.feed(data)
            self._tls.bio_write(data)
        else:
            self._tls.bio_shutdown()

    @property
    def held(self) -> int:
        """Octets of memory that it takes because of what the client has not finished saying."""
        return _RECORD_ROOM if self._records.within else 0

    def outgoing(self) -> bytes:
        """What is to go to the network now."""
        found = b""
        while True:
            try:
                found += self._tls.bio_read(_BLOCK)
            except SSL.Error:
                return found

    def handshake(self) -> bool:
        """Go on with it; whether it is done. Raises TlsError; the alert that says why is among `outgoing`."""
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            return False
        except (SSL.Error, ProtocolRefused) as e:
            raise TlsError(_reason(e)) from e
        return True

    def read(self) -> bytes | None:
        """Text that has come: None when more octets are needed first, nothing when the client has ended it."""
        try:
            return self._tls.recv(_BLOCK)
        except SSL.WantReadError:
            return None
        except (SSL.ZeroReturnError, SSL.SysCallError):
            return b""
        except SSL.Error as e:
            raise TlsError(_reason(e)) from e

    def write(self, text: bytes) -> None:
        """At most `BLOCK` octets, to be found among `outgoing`."""
        try:
            self._tls.sendall(text)
        except SSL.Error as e:
            raise TlsError(_reason(e)) from e

    def end(self) -> None:
        """Say that no more text will come."""
        try:
            self._tls.shutdown()
        except SSL.Error:
            return  # there is nobody any more to say it to

    def bindings(self) -> dict[str, bytes]:
        """What this connection has of its own, by type of channel binding. RFC 5929, RFC 9266.

        tls-unique is defined for TLS 1.2 only, but Cyrus' clients use it with TLS 1.3, too: there as here it is the
        client's Finished message, and sessions are never resumed.
        """
        found = {}
        identity: Identity = self._tls.get_context().get_app_data()
        if self._tls.get_protocol_version() >= SSL.TLS1_3_VERSION:
            found["tls-exporter"] = self._tls.export_keying_material(_EXPORTER, 32, b"")
        if identity.end_point:
            found["tls-server-end-point"] = identity.end_point
        if finished := self._tls.get_peer_finished():
            found["tls-unique"] = finished
        return found

    def certificate(self) -> x509.Certificate | None:
        """The client's, which has been verified; None when he has shown none."""
        return self._tls.get_peer_certificate(as_cryptography=True)


def _reason(error: Exception) -> str:
    """In the words of OpenSSL, of which the last are the ones that say something."""
    if isinstance(error, ProtocolRefused):
        return "the client speaks another protocol (ALPN)"
    reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return "; ".join(reason[-1] for reason in reasons) or "the client has gone"
