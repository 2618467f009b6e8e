"""The PROXY protocol: what is a header, what is not, and what stays in the socket."""

import socket

import pytest

from sievemda.auth.origin import MAX_HEADER, Header, NotProxied, address_of, is_within, networks

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
IPV4 = bytes([192, 0, 2, 1, 10, 0, 0, 1]) + b"\x12\x34\x10\x5e"
IPV6 = b"\x20\x01\x0d\xb8" + bytes(11) + b"\x09" + bytes(16) + b"\x12\x34\x10\x5e"
MAPPED = bytes(10) + b"\xff\xff" + bytes([192, 0, 2, 1]) + bytes(16) + bytes(4)
TLVS = b"\x02\x00\x0bexample.org" + b"\x20\x00\x08\x01\x00\x00\x00\x00\x21\x00\x00"


def second(command=0x21, family=0x11, rest=IPV4, size=None):
    return SIGNATURE + bytes([command, family]) + (len(rest) if size is None else size).to_bytes(2) + rest


def tlv(kind, value):
    return bytes([kind]) + len(value).to_bytes(2) + value


def with_checksum(*tlvs):
    """The CRC32C is of the whole header with zeros in its place; this one was made by HAProxy's definition, bit by bit."""
    header = second(rest=IPV4 + b"".join(tlvs) + tlv(3, bytes(4)))
    crc = 0xFFFFFFFF
    for octet in header:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    return header[:-4] + (crc ^ 0xFFFFFFFF).to_bytes(4)


TLS = tlv(0x20, b"\x01\0\0\0\0" + tlv(0x21, b"TLSv1.3"))
CLEAR = tlv(0x20, b"\0\0\0\0\1")

HEADERS = [
    (b"PROXY TCP4 192.0.2.1 10.0.0.1 4660 4190\r\n", "192.0.2.1"),
    (b"PROXY TCP6 2001:db8::9 ::1 65535 0\r\n", "2001:db8::9"),
    (b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1"),
    (b"PROXY UNKNOWN\r\n", ""),
    (b"PROXY UNKNOWN ffff::1 whatever stands here\r\n", ""),
    (second(), "192.0.2.1"),
    (second(rest=IPV4 + TLVS), "192.0.2.1"),
    (second(family=0x21, rest=IPV6), "2001:db8::9"),
    (second(family=0x21, rest=IPV6 + TLVS), "2001:db8::9"),
    (second(family=0x21, rest=MAPPED), "192.0.2.1"),
    (second(family=0x31, rest=b"/run/client".ljust(108, b"\0") * 2), ""),
    (second(family=0x12), ""),
    (second(family=0x00, rest=b""), ""),
    (second(command=0x20), ""),
    (second(command=0x20, family=0x00, rest=b""), ""),
    (second(rest=IPV4 + bytes(MAX_HEADER - 16 - len(IPV4))), "192.0.2.1"),
]

NONE = [
    second(rest=IPV4 + b"\x20"),
    second(rest=IPV4 + b"\x20\x00"),
    second(rest=IPV4 + b"\x20\x00\x06\x01\x00\x00\x00\x00"),
    second(rest=IPV4 + b"\x20\xff\xff\x01\x00\x00\x00\x00"),
    second(rest=IPV4 + tlv(0x20, b"\x01\0\0\0")),
    second(rest=IPV4 + tlv(0x20, b"\x01\0\0\0\0\x21\0\x09TLSv1.3")),
    second(rest=IPV4 + TLS + CLEAR),
    second(rest=IPV4 + TLS + tlv(3, bytes(4))),
    second(rest=IPV4 + TLS + tlv(3, b"")),
    second(rest=IPV4 + tlv(2, b"x")[:-1]),
    with_checksum(TLS)[:-1] + b"\0",
    b"NOOP\r\n",
    b"PROXY\r\n",
    b"PROXY TCP4 192.0.2.1 10.0.0.1 4660\r\n",
    b"PROXY TCP4 192.0.2.1 10.0.0.1 4660 4190 more\r\n",
    b"PROXY TCP4 192.0.2.256 10.0.0.1 4660 4190\r\n",
    b"PROXY TCP4 192.0.2.1 10.0.0.1 4660 65536\r\n",
    b"PROXY TCP4 2001:db8::9 ::1 4660 4190\r\n",
    b"PROXY TCP6 192.0.2.1 10.0.0.1 4660 4190\r\n",
    b"PROXY TCP4  192.0.2.1 10.0.0.1 4660 4190\r\n",
    b"PROXY UDP4 192.0.2.1 10.0.0.1 4660 4190\r\n",
    b"PROXY TCP4 192.0.2.1 10.0.0.1 4660 4190\n" + b"x" * 100,
    b"PROXY UNKNOWN " + b"x" * 93 + b"\r\n",
    b"proxy TCP4 192.0.2.1 10.0.0.1 4660 4190\r\n",
    b"\x16\x03\x01\x00\x05hello",
    b"\r\n\r\n\0\r\nQUIT\r",
    second(command=0x11),
    second(command=0x22),
    second(rest=IPV4[:11]),
    second(family=0x21, rest=IPV4),
    second(size=MAX_HEADER - 15),
    second(size=0xFFFF),
    b"",
]


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.mark.parametrize("step", [1, 7, 5000])
@pytest.mark.parametrize(("octets", "address"), HEADERS)
def test_a_header_is_taken_to_its_last_octet_and_no_further(ends, octets, address, step):
    ours, theirs = ends
    header, found = Header(), None
    for start in range(0, len(octets), step):
        assert found is None
        piece = octets[start : start + step]
        theirs.sendall(piece + (b"\x16\x03\x01 a hello" if start + step >= len(octets) else b""))
        found = header.take(ours)
    assert found.address == address
    assert ours.recv(100) == b"\x16\x03\x01 a hello"


@pytest.mark.parametrize("octets", NONE)
def test_what_is_no_header_is_refused(ends, octets):
    ours, theirs = ends
    theirs.sendall(octets)
    if not octets:
        theirs.close()
    with pytest.raises(NotProxied):
        Header().take(ours)


def test_what_cannot_become_a_header_is_refused_at_once(ends):
    ours, theirs = ends
    theirs.sendall(b"PROXZ")
    with pytest.raises(NotProxied):
        Header().take(ours)


def test_nothing_yet_is_no_mistake(ends):
    assert Header().take(ends[0]) is None


@pytest.mark.parametrize(
    ("address", "trusted", "within"),
    [
        ("10.1.2.3", ["10.0.0.0/8"], True),
        ("::ffff:10.1.2.3", ["10.0.0.0/8"], True),
        ("11.1.2.3", ["10.0.0.0/8", "2001:db8::/32"], False),
        ("2001:db8::1", ["10.0.0.0/8", "2001:db8::/32"], True),
        ("fe80::1%eth0", ["fe80::/10"], True),
        ("10.1.2.3", [], False),
        ("", ["0.0.0.0/0", "::/0"], False),
    ],
)
def test_who_is_within_trusted_networks(address, trusted, within):
    assert is_within(address, networks(trusted)) is within


@pytest.mark.parametrize(
    ("header", "secure"),
    [
        (second(rest=IPV4 + TLS), True),
        (second(family=0x21, rest=IPV6 + tlv(2, b"example.org") + TLS), True),
        (second(rest=IPV4 + tlv(0x20, b"\x07\0\0\0\0")), True),
        (second(rest=IPV4 + CLEAR), False),
        (second(rest=IPV4 + tlv(0x20, b"\x06\0\0\0\0")), False),
        (second(rest=IPV4), False),
        (second(command=0x20, rest=IPV4 + TLS), False),
        (second(family=0, rest=TLS), False),
        (with_checksum(TLS), True),
        (with_checksum(), False),
    ],
)
def test_what_the_proxy_says_of_tls_is_told(ends, header, secure):
    ours, theirs = ends
    theirs.sendall(header)
    assert Header().take(ours).secure is secure


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:0201", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_has_one_form_however_the_connection_came(text, address):
    assert str(address_of(text)) == address
