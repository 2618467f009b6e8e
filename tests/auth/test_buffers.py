import socket
import time

import pytest

from sievemda.auth.buffers import narrow, widen

OURS = 32 << 10  # octets of the client's own buffer
LITTLE = 180_000  # octets, and more than both sides' smallest
PAUSE = 0.2  # seconds in which nothing more is taken


@pytest.fixture
def pair():
    """A client, and the socket that we have accepted of him."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, OURS)
        client.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            yield client, accepted


def taken(sender):
    """Octets that are taken in while nobody reads."""
    sender.setblocking(False)
    total, since = 0, time.monotonic()
    while time.monotonic() < since + PAUSE:
        try:
            total += sender.send(b"x" * 4096)
            since = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    return total


def test_of_a_stranger_little_is_kept_that_is_not_read(pair):
    client, accepted = pair
    narrow(accepted)
    assert taken(client) < LITTLE


def test_for_a_stranger_little_is_kept_that_he_does_not_read(pair):
    client, accepted = pair
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, OURS)
    narrow(accepted)
    assert taken(accepted) < LITTLE


def test_who_is_known_may_have_more(pair):
    client, accepted = pair
    narrow(accepted)
    widen(accepted)
    assert taken(client) > LITTLE
    assert taken(accepted) > LITTLE


def test_at_a_unix_socket_nothing_is_changed():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        before = ours.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        narrow(ours)
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == before
