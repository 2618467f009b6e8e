"""Clients that leave while they wait for their turn to log in, and those that only have no more to say."""

import base64
import contextlib
import os
import socket
import struct

import pytest

from sievemda.auth.passwords import ONE_AT_A_TIME
from tests.managesieve.conversation import LOGIN, Wire, login, running, skip_to, wait_for

WRONG = b'AUTHENTICATE "PLAIN" "%s"\r\n'
THREADS = 4  # that one address has at once
RESET = struct.pack("ii", 1, 0)


class Crowd:
    """As many as an address is served at once, whose passwords are not looked at before `hashing` is given up."""

    def __init__(self, address, server, house):
        self.address, self.server = address, server
        self.lanes = server._house.lanes
        self.hashing, self.peers = house.enter_context(contextlib.ExitStack()), []
        self.hashing.enter_context(ONE_AT_A_TIME)
        for number in range(THREADS):
            self.come().send(WRONG % base64.b64encode(b"\0crowd%d\0wrong" % number))
        wait_for(lambda: self.lanes._working.total() == THREADS)

    def come(self):
        if isinstance(self.address, str):
            peer = Wire(self.address)
        else:
            sock = socket.create_connection(self.address, 60, ("127.0.0.2", 0))
            peer = Wire.__new__(Wire)
            peer.socket, peer.file = sock, sock.makefile("rb")
        skip_to(peer, b"OK\r\n")
        self.peers.append(peer)
        return peer

    def wait(self, text):
        """One more, who says so much and waits for his turn."""
        peer = self.come()
        peer.send(text)
        wait_for(lambda: self.lanes._waiting == 1)
        return peer

    def let_go(self):
        """Passwords are looked at; the answers to those of the crowd."""
        self.hashing.close()
        return [peer.line()[:2] for peer in self.peers[:THREADS]]


@pytest.fixture
def crowd(make_service):
    service = make_service("allowplaintext=yes", "failedloginpause=0", "lockout_never=")
    with running(service) as (address, server), contextlib.ExitStack() as house:
        found = Crowd(address, server, house)
        yield found
        for peer in found.peers:
            peer.close()


def reset(peer):
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    peer.close()


def test_nothing_is_done_for_who_was_reset(crowd, caplog):
    reset(crowd.wait(WRONG % base64.b64encode(b"\0gone\0wrong")))
    wait_for(lambda: crowd.lanes._waiting == 0 and len(crowd.server.visits()) == THREADS)
    assert crowd.let_go() == [b"NO"] * THREADS
    assert "user=crowd3" in caplog.text
    assert "user=gone" not in caplog.text


def test_what_was_sent_ahead_is_no_end(crowd):
    peer = crowd.wait(LOGIN + b'PUTSCRIPT "a" "keep;"\r\nLISTSCRIPTS\r\nLOGOUT\r\n')
    crowd.let_go()
    assert peer.file.read() == b'OK\r\nOK\r\n"a"\r\nOK\r\nOK\r\n'


def test_who_says_no_more_gets_all_his_answers(crowd):
    peer = crowd.wait(LOGIN + b'PUTSCRIPT "a" "keep;"\r\nLISTSCRIPTS\r\n')
    peer.socket.shutdown(socket.SHUT_WR)
    wait_for(lambda: crowd.lanes._behind)
    crowd.let_go()
    assert peer.file.read() == b'OK\r\nOK\r\n"a"\r\nOK\r\n'


def test_who_says_no_more_and_is_reset_then_is_gone(crowd, caplog):
    peer = crowd.wait(WRONG % base64.b64encode(b"\0gone\0wrong"))
    peer.socket.shutdown(socket.SHUT_WR)
    wait_for(lambda: crowd.lanes._behind)
    reset(peer)
    wait_for(lambda: crowd.lanes._waiting == 0)
    crowd.let_go()
    assert "user=gone" not in caplog.text


def test_others_go_before_who_says_no_more(crowd):
    silent = crowd.wait(WRONG % base64.b64encode(b"\0silent\0wrong"))
    silent.socket.shutdown(socket.SHUT_WR)
    wait_for(lambda: crowd.lanes._behind)
    assert not crowd.lanes._open
    crowd.let_go()
    assert silent.line()[:2] == b"NO"


def test_a_password_that_is_looked_at_counts_although_he_has_gone(crowd, caplog):
    reset(crowd.peers[0])
    crowd.hashing.close()
    wait_for(lambda: "user=crowd0" in caplog.text)
    wait_for(lambda: len(crowd.server.visits()) == THREADS - 1)


def test_at_a_unix_socket_the_end_of_both_directions_is_told(make_service, tmp_path, caplog):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.fspath(tmp_path / "s"))
    listener.listen(100)
    with (
        running(make_service("failedloginpause=0", "allowplaintext=yes"), listener=listener) as (address, server),
        contextlib.ExitStack() as house,
    ):
        crowd = Crowd(address, server, house)
        crowd.wait(WRONG % base64.b64encode(b"\0gone\0wrong")).close()
        wait_for(lambda: crowd.lanes._waiting == 0)
        crowd.let_go()
        for peer in crowd.peers:
            peer.close()
    assert "user=gone" not in caplog.text


def test_nothing_is_left_of_those_who_left(crowd):
    for _ in range(20):
        reset(crowd.wait(LOGIN))
        wait_for(lambda: crowd.lanes._waiting == 0)
    wait_for(lambda: len(crowd.server.visits()) == THREADS)
    assert not crowd.server._house.leavers._watched.keys() - {
        v._connection.sock.fileno() for v in crowd.server.visits()
    }
    crowd.let_go()
    assert login(crowd.come())


@pytest.mark.parametrize("ending", [b"", b'NOOP "' + b"x" * 100_000], ids=["the end", "too much"])
def test_a_token_that_failed_counts_although_the_client_leaves(make_service, connect, caplog, ending):
    service = make_service("oauth2_introspection_url=http://127.0.0.1:1/", "allowplaintext=yes")
    with running(service) as (address, server):
        peer = connect(address)
        peer.send(b'AUTHENTICATE "OAUTHBEARER" "%s"\r\n' % base64.b64encode(b"n,,"))
        peer.line()
        peer.line()
        if ending:
            peer.send(ending)
        peer.socket.shutdown(socket.SHUT_WR)
        wait_for(lambda: not server.visits())
    assert caplog.text.count("managesieve: login failed: user=- mech=OAUTHBEARER rhost=127.0.0.1 reason=malformed") == 1


def test_what_takes_no_work_waits_for_nobodys_turn(crowd):
    peer = crowd.wait(LOGIN)
    other = crowd.come()
    for command, answer in (
        (b"NOOP\r\n", b"OK"),
        (b"LISTSCRIPTS\r\n", b"NO"),
        (b"FOO\r\n", b"NO"),
        (b'"\\x"\r\n', b"NO"),
    ):
        other.send(command)
        assert other.line().startswith(answer)
    other.send(b"CAPABILITY\r\n")
    skip_to(other, b"OK\r\n")
    other.send(b"LOGOUT\r\n")
    assert other.line() == b"OK\r\n"
    crowd.let_go()
    assert peer.line() == b"OK\r\n"
