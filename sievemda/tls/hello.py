"""The first message of a TLS client, looked at before OpenSSL sees it.

Why: OpenSSL makes room for the whole of it, up to 128 KiB, as soon as its length has come. Hundreds of clients that
have sent ten octets each would have the memory of the service. A real one has some hundred octets, with keys against
quantum computers two thousand.
"""

from __future__ import annotations

from sievemda.tls.error import TlsError

MOST = 16 << 10  # octets of a ClientHello; RFC 8446 §4.1.2
_RECORD = 5  # octets of the header of a record (RFC 8446 §5.1), and 4 of a message
_HANDSHAKE = 0x16


class Hello:
    """Reads as far as the length of the first message, through however many records it takes."""

    def __init__(self) -> None:
        self._octets = b""

    def is_fit(self, data: bytes) -> bool:
        """Whether the length has come and is one that a hello may have; False: not yet. Raises TlsError."""
        self._octets += data[: 9 * _RECORD]
        message, at = b"", 0
        while len(message) < 4 and len(self._octets) - at > _RECORD:
            if self._octets[at] != _HANDSHAKE:
                return True  # OpenSSL says best what is wrong
            size = int.from_bytes(self._octets[at + 3 : at + _RECORD])
            message += self._octets[at + _RECORD : at + _RECORD + size][: 4 - len(message)]
            at += _RECORD + size
        if len(message) < 4:
            if len(self._octets) > 9 * _RECORD:
                raise TlsError("the client takes too many records for its first message")
            return False
        if int.from_bytes(message[1:]) > MOST:
            raise TlsError("the client's first message is too long")
        return True
