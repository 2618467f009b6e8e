"""Where a connection really comes from when a proxy stands in front: the PROXY protocol of HAProxy, versions 1 and 2.

The header comes before anything else, TLS included, once for a connection. Who may send it is the caller's business:
he reads one from trusted networks only, and from those always, since a stranger who gets through without one would be
taken for the proxy. From everybody else it is nothing but a wrong command.

Why the socket is peeked at: what follows the header (a TLS hello, a command) must stay in the socket for whoever reads
next. Nothing beyond the header is taken out, whatever the pieces in which it arrives.

Behind the addresses version 2 may have TLVs. Two of them matter: whether the proxy has ended the client's TLS
(PP2_TYPE_SSL), which is told and for the caller to believe or not, and the checksum (PP2_TYPE_CRC32C), which must be
right where there is one. Why our own CRC32C: some lines, where a library would be one more to install for everybody.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

MAX_HEADER = 4096  # octets; version 2 has room for 65,551, of which the addresses and some TLVs are used in practice
_MAX_FIRST = 107  # of version 1, with its end

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED = 16  # octets of version 2 before the addresses
_LOCAL, _PROXY = 0x20, 0x21
_ADDRESSES = {0x11: 12, 0x21: 36, 0x31: 216}  # TCP over IPv4, over IPv6, UNIX stream: octets of both ends
_CRC32C, _SSL = 0x03, 0x20  # types of TLVs
_CLIENT_SSL = 0x01  # PP2_CLIENT_SSL: the client speaks TLS with the proxy
_LINE = re.compile(
    rb"PROXY (?:UNKNOWN(?: [^\r\n]*)?|(TCP4|TCP6) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) ([0-9]{1,5}) ([0-9]{1,5}))"
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotProxied(Exception):
    """What came is no header."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a header tells."""

    address: str  # the client's; empty when the proxy speaks for itself
    secure: bool = False  # whether the proxy says that the client has come with TLS, which ended there


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def address_of(text: str) -> Address:
    """An address as a socket tells it: without its zone, and IPv4 is IPv4 though it came over IPv6. ValueError."""
    return unmapped(ipaddress.ip_address(text.partition("%")[0]))


def unmapped(address: Address) -> Address:
    """IPv4 where it was only written as IPv6."""
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def is_within(address: str, trusted: Sequence[Network]) -> bool:
    """Whether the address, as the socket tells it, is in one of the networks."""
    if not trusted or not address:
        return False
    found = address_of(address)
    return any(found in network for network in trusted)


class Header:
    """The header of one connection, as it arrives."""

    def __init__(self) -> None:
        self._taken = b""

    def take(self, sock: socket.socket) -> Origin | None:
        """Take what has arrived of it out of a socket that does not block; None while more is to come.

        Raises NotProxied, OSError.
        """
        try:
            seen = sock.recv(MAX_HEADER, socket.MSG_PEEK)
        except BlockingIOError:
            return None
        if not seen:
            raise NotProxied("the connection ended")
        whole = self._taken + seen
        size = length(whole)
        sock.recv(len(seen) if size is None else size - len(self._taken))
        if size is None:
            self._taken = whole
            return None
        return origin(whole[:size])


def length(octets: bytes) -> int | None:
    """Octets of the header that `octets` begin with; None when that cannot be told yet. Raises NotProxied."""
    if _begins(octets, _SIGNATURE):
        if len(octets) < _FIXED:
            return None
        size = _FIXED + int.from_bytes(octets[14:16])
        if size > MAX_HEADER:
            raise NotProxied("the header is too long")
        return size if len(octets) >= size else None
    if not _begins(octets, b"PROXY "):
        raise NotProxied("there is no header")
    end = octets.find(b"\r\n", 0, _MAX_FIRST)
    if end < 0 and len(octets) >= _MAX_FIRST:
        raise NotProxied("the header is too long")
    return end + 2 if end >= 0 else None


def origin(header: bytes) -> Origin:
    """What a whole header tells. Raises NotProxied."""
    return _second(header) if header.startswith(_SIGNATURE) else Origin(_first(header))


def _begins(octets: bytes, with_: bytes) -> bool:
    return octets[: len(with_)] == with_[: len(octets)]


def _first(header: bytes) -> str:
    match = _LINE.fullmatch(header, 0, len(header) - 2)
    if match is None:
        raise NotProxied("the header cannot be read")
    if match[1] is None:
        return ""
    family = ipaddress.IPv4Address if match[1] == b"TCP4" else ipaddress.IPv6Address
    try:
        source, _ = unmapped(family(match[2].decode())), family(match[3].decode())
    except ValueError as e:
        raise NotProxied("the header has no address") from e
    if max(int(match[4]), int(match[5])) > 65535:
        raise NotProxied("the header has no port")
    return str(source)


def _second(header: bytes) -> Origin:
    command, family, rest = header[12], header[13], header[_FIXED:]
    if command not in {_LOCAL, _PROXY}:
        raise NotProxied("the header has another version or command")
    if command == _LOCAL or family not in _ADDRESSES:
        return Origin("")
    size = _ADDRESSES[family]
    if len(rest) < size:
        raise NotProxied("the header has no address")
    secure = _is_secure(header, _FIXED + size)
    if family == 0x11:
        return Origin(str(ipaddress.IPv4Address(rest[:4])), secure)
    return Origin(str(unmapped(ipaddress.IPv6Address(rest[:16]))) if family == 0x21 else "", secure)


def _is_secure(header: bytes, start: int) -> bool:
    """What the TLVs from there say of TLS. Raises NotProxied for those that do not fit in, or a wrong checksum."""
    found: dict[int, bytes] = {}
    for kind, at, value in _tlvs(header, start):
        if kind in {_CRC32C, _SSL}:
            if kind in found:
                raise NotProxied("the header says something twice")
            found[kind] = value
        if kind == _CRC32C:
            without = header[:at] + bytes(len(value)) + header[at + len(value) :]
            if value != _crc32c(without).to_bytes(4):
                raise NotProxied("the checksum of the header is wrong")
    ssl = found.get(_SSL)
    if ssl is None:
        return False
    if len(ssl) < 5:
        raise NotProxied("what the header says of TLS cannot be read")
    for _ in _tlvs(ssl, 5):
        pass
    return bool(ssl[0] & _CLIENT_SSL)


def _tlvs(octets: bytes, at: int) -> Iterator[tuple[int, int, bytes]]:
    """Type, place and value of each, from there to the end."""
    while at < len(octets):
        size = int.from_bytes(octets[at + 1 : at + 3])
        if at + 3 + size > len(octets):
            raise NotProxied("a part of the header is longer than the rest of it")
        yield octets[at], at + 3, octets[at + 3 : at + 3 + size]
        at += 3 + size


@cache
def _crc_table() -> tuple[int, ...]:
    """RFC 3720, appendix B.4: the polynomial is 0x1EDC6F41, its bits reflected."""
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)  # noqa: PLW2901 - step by step
        table.append(crc)
    return tuple(table)


def _crc32c(octets: bytes) -> int:
    crc, table = 0xFFFFFFFF, _crc_table()
    for octet in octets:
        crc = crc >> 8 ^ table[(crc ^ octet) & 0xFF]
    return crc ^ 0xFFFFFFFF
