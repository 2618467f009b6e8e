"""LMTP clients that leave while they wait for their turn to log in, and those that only have no more to say."""

import base64
import contextlib
import socket
import struct

import pytest

from sievemda.auth.guard import Guard
from sievemda.auth.passwords import ONE_AT_A_TIME
from sievemda.auth.users import Users
from sievemda.config import Guard as Options
from sievemda.config import Site
from sievemda.state.credentials import Credentials
from sievemda.state.failures import Failures
from tests.lmtp.running import running
from tests.lmtp.test_sessions import wait_for

THREADS = 4  # that one address has at once
RESET = struct.pack("ii", 1, 0)


def guess(user):
    return "AUTH PLAIN " + base64.b64encode(f"\0{user}\0wrong".encode()).decode()


class Crowd:
    """As many as an address is served at once, whose passwords are not looked at before `hashing` is given up."""

    def __init__(self, server, house):
        self.server, self.house = server, house
        self.lanes = server.server._lanes
        self.hashing = house.enter_context(contextlib.ExitStack())
        self.hashing.enter_context(ONE_AT_A_TIME)
        self.peers = [self.come(f"crowd{number}") for number in range(THREADS)]
        # Not by the threads at work: one may be about to make a mechanism, and have no password to look at yet.
        wait_for(lambda: len(ONE_AT_A_TIME._threads._waiting) == THREADS)

    def come(self, user):
        peer = self.house.enter_context(self.server.client(inet=True))
        peer.do("LHLO x")
        peer.send(f"{guess(user)}\r\n")
        return peer

    def wait(self, user):
        peer = self.come(user)
        wait_for(lambda: self.lanes._waiting == 1)
        return peer

    def let_go(self):
        self.hashing.close()
        return [peer.reply()[:3] for peer in self.peers]


@pytest.fixture
def crowd(tmp_path, sink):
    users = Users(Credentials(tmp_path / "accounts.db"), Site())
    users.set_password("mta", "secret")
    guard = Guard(Failures(tmp_path / "failures.db"), Options(failedloginpause=0), Site())
    options = {"users": users, "guard": guard, "allowplaintext": True, "lockout_never": ()}
    with running(tmp_path, sink, **options) as server, contextlib.ExitStack() as house:
        yield Crowd(server, house)


def reset(peer):
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    peer.close()


def test_nothing_is_done_for_who_was_reset(crowd, caplog):
    peer = crowd.wait("gone")
    peer.send("NOOP\r\n")
    reset(peer)
    wait_for(lambda: crowd.lanes._waiting == 0)
    assert crowd.let_go() == ["535"] * THREADS
    wait_for(lambda: len(crowd.server.server._sessions) == THREADS)
    assert "user=crowd3" in caplog.text
    assert "user=gone" not in caplog.text


def test_who_was_reset_while_his_password_was_looked_at_has_failed_and_that_is_all(crowd, caplog):
    first, *others = crowd.peers
    first.send("NOOP\r\n")
    reset(first)
    wait_for(lambda: any(session.gone() for session in crowd.server.server._sessions))
    crowd.peers = others
    assert crowd.let_go() == ["535"] * len(others)
    wait_for(lambda: len(crowd.server.server._sessions) == len(others))
    assert "user=crowd0" in caplog.text
    assert "session failed" not in caplog.text


def test_who_says_no_more_waits_behind_others_and_gets_all_his_replies(crowd):
    peer = crowd.wait("silent")
    peer.send("NOOP\r\n")
    peer.socket.shutdown(socket.SHUT_WR)
    wait_for(lambda: crowd.lanes._behind)
    crowd.let_go()
    assert [reply[:3] for reply in peer.replies(2)] == ["535", "250"]


def test_who_has_said_no_more_before_it_waits_behind_others_too(crowd):
    peer = crowd.house.enter_context(crowd.server.client(inet=True))
    peer.do("LHLO x")
    peer.send(f"NOOP\r\nAUTH PLAIN\r\n{guess('silent').split()[2]}\r\n")
    peer.socket.shutdown(socket.SHUT_WR)
    wait_for(lambda: crowd.lanes._behind)
    crowd.let_go()
    assert [reply[:3] for reply in peer.replies(3)] == ["250", "334", "535"]


def test_a_token_that_failed_counts_although_the_client_leaves(tmp_path, sink, caplog):
    users = Users(Credentials(tmp_path / "accounts.db"), Site())
    guard = Guard(Failures(tmp_path / "failures.db"), Options(failedloginpause=0), Site())
    options = {"users": users, "guard": guard, "oauth2_introspection_url": "http://127.0.0.1:1/"}
    with running(tmp_path, sink, allowplaintext=True, **options) as server, server.client(inet=True) as peer:
        peer.do("LHLO x")
        assert peer.do("AUTH OAUTHBEARER " + base64.b64encode(b"n,,").decode()).startswith("334")
        peer.socket.shutdown(socket.SHUT_WR)
        wait_for(lambda: not server.server._sessions)
    assert caplog.text.count("lmtp: login failed: user=- mech=OAUTHBEARER rhost=127.0.0.1 reason=malformed") == 1
