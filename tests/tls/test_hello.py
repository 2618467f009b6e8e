"""The length of a client's first TLS message is looked at before anything is made for it."""

import ssl

import pytest

from sievemda.tls.error import TlsError
from sievemda.tls.hello import MOST, Hello


def record(octets, kind=0x16):
    return bytes([kind, 3, 1]) + len(octets).to_bytes(2) + octets


def real():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("step", [1, 3, 4, 5, 1000])
def test_a_real_one_is_fit_in_whatever_pieces_it_comes(step):
    hello, octets = Hello(), real()
    fits = [hello.is_fit(octets[start : start + step]) for start in range(0, 12, step)]
    assert fits[-1]


@pytest.mark.parametrize("pieces", [1, 2, 3, 4])
def test_a_long_one_is_refused_in_however_many_records_it_comes(pieces):
    message = b"\x01" + (MOST + 1).to_bytes(3) + b"x" * 40
    cut = 4 // pieces or 1
    octets = b"".join(record(message[at : at + cut]) for at in range(0, 4, cut)) + record(message[4:])
    with pytest.raises(TlsError, match="too long"):
        Hello().is_fit(octets)


def test_one_of_the_largest_size_is_fit():
    assert Hello().is_fit(record(b"\x01" + MOST.to_bytes(3) + b"x" * 40))


def test_empty_records_without_end_are_refused():
    with pytest.raises(TlsError, match="too many"):
        hello = Hello()
        for _ in range(100):
            hello.is_fit(record(b""))


def test_what_is_no_hello_is_left_to_openssl():
    assert Hello().is_fit(record(b"\x02\x28", kind=0x15))
