"""Where the records of TLS end, in the octets that carry them. RFC 8446 §5.1.

Why this is watched: OpenSSL sets 17 KiB aside for a record as soon as its header has come, and keeps them until its
end.
"""

from __future__ import annotations

_HEADER = 5  # octets, of which the last two are the length of what follows


class Records:
    def __init__(self) -> None:
        self._header = b""
        self._left = 0  # octets of the record under way

    def feed(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            if self._left:
                taken = min(self._left, len(data) - at)
                self._left -= taken
            else:
                taken = min(_HEADER - len(self._header), len(data) - at)
                self._header += data[at : at + taken]
                if len(self._header) == _HEADER:
                    self._left, self._header = int.from_bytes(self._header[3:]), b""
            at += taken

    @property
    def within(self) -> bool:
        """Whether one has begun that has not ended."""
        return bool(self._left or self._header)
