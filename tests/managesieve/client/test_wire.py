"""Octets of a server, however odd, as responses; and what goes to it."""

import socket

import pytest

from sievemda.errors import TemporaryTrouble, Unavailable
from sievemda.managesieve.client.wire import MAX_LINE, MAX_RESPONSE, Parens, Response, Wire, string


@pytest.fixture
def wire_of():
    """A wire on which that has come, and then the end, or silence."""
    ends = []

    def make(octets, *, silent=False, seconds=60.0):
        ours, theirs = socket.socketpair()
        ends.extend((ours, theirs))
        theirs.setblocking(False)
        theirs.send(octets)
        if not silent:
            theirs.shutdown(socket.SHUT_WR)
        return Wire(ours, "server", seconds)

    yield make
    for end in ends:
        end.close()


@pytest.mark.parametrize(
    ("octets", "found"),
    [
        (b"OK\r\n", Response("OK")),
        (b"ok\n", Response("OK")),
        (b'OK "done"\r\n', Response("OK", text="done")),
        (b'NO (QUOTA/MAXSIZE) "too \\"big\\" \\\\"\r\n', Response("NO", "QUOTA/MAXSIZE", text='too "big" \\')),
        (b"NO (nonexistent) {4}\r\ngone\r\n", Response("NO", "NONEXISTENT", text="gone")),
        (b"NO {4+}\r\ngone\r\n", Response("NO", text="gone")),
        (b'BYE (REFERRAL "sieve://b") "go"\r\n', Response("BYE", "REFERRAL", b"sieve://b", "go")),
        (b"OK (TAG {3}\r\na)b)\r\n", Response("OK", "TAG", b"a)b")),
        (b'OK (SASL "dj0=")\r\n', Response("OK", "SASL", b"dj0=")),
        (b"OK (NEW/CODE 5 x) \r\n", Response("OK", "NEW/CODE", b"5")),
        (b'"a" ACTIVE\r\n"b"\r\nOK\r\n', Response("OK", lines=((b"a", "ACTIVE"), (b"b",)))),
        (b'"a"b" ACTIVE\r\n"c"\r\nOK\r\n', Response("OK", lines=((b'a"b', "ACTIVE"), (b"c",)))),  # as Cyrus lists it
        (b"{5}\r\nOK\r\n\r\r\nOK\r\n", Response("OK", lines=((b"OK\r\n\r",),))),
        (b'"\xff"\r\nOK "\xff"\r\n', Response("OK", text="\ufffd", lines=((b"\xff",),))),
        (b"\r\nOK\r\n", Response("OK", lines=((),))),
        (b'"x" (a "b")\r\nOK\r\n', Response("OK", lines=((b"x", Parens(("a", b"b"))),))),
    ],
)
def test_responses(wire_of, octets, found):
    assert wire_of(octets).response() == found


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "closed the connection"),
        (b"OK", "closed the connection"),
        (b'"a', "closed the connection"),
        (b'OK "unclosed\r\n', "does not speak ManageSieve"),
        (b"{99999999999}\r\n", "does not speak ManageSieve"),
        (b"{%d}\r\n" % (MAX_RESPONSE + 1), "more than anybody wants"),
        (b"x" * (MAX_LINE + 1), "line without end"),
        (b"a\n" * 20_001, "lines without end"),
    ],
)
def test_what_is_no_response_is_refused_within_bounds(wire_of, octets, words):
    wire = wire_of(octets)
    with pytest.raises(Unavailable, match=words):
        wire.response()
    assert wire.broken


def test_a_server_that_is_silent_is_too_late(wire_of):
    with pytest.raises(TemporaryTrouble, match="not answered within"):
        wire_of(b'"a"\r\n', silent=True, seconds=0.05).response()


def test_what_came_before_tls_is_forgotten(wire_of):
    wire, after = wire_of(b'OK\r\n"injected"\r\nOK\r\n'), wire_of(b'"true"\r\nOK\r\n')
    wire.response()
    wire.replace(after.connection)
    assert wire.response().lines == ((b"true",),)


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        (b"", b'""'),
        (b'a"b', b'{3+}\r\na"b'),
        (b"a\\b", b"{3+}\r\na\\b"),
        (b"x" * 1024, b'"' + b"x" * 1024 + b'"'),
        (b"x" * 1025, b"{1025+}\r\n" + b"x" * 1025),
        (b"a\nb", b"{3+}\r\na\nb"),
        (b"\xff", b"{1+}\r\n\xff"),
        ("ü".encode(), "{2+}\r\nü".encode()),
    ],
)
def test_strings_are_quoted_where_they_can_be(octets, written):
    assert string(octets) == written


def test_what_a_server_said_before_it_closed_is_heard():
    ours, theirs = socket.socketpair()
    theirs.sendall(b'BYE "no more"\r\n')
    theirs.close()
    wire = Wire(ours, "server", 5.0)
    wire.send("NOOP")
    assert wire.response() == Response("BYE", text="no more")
    assert wire.broken
    wire.close()
