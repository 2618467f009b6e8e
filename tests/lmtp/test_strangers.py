"""LMTP over TCP: strangers are few and have little time; a trusted proxy tells whose the connection is."""

import contextlib
import socket
import time

import pytest

from tests.lmtp.running import running
from tests.lmtp.test_sessions import wait_for

HEADER = "PROXY TCP4 192.0.2.9 127.0.0.1 4660 24\r\n"


@pytest.fixture
def serve(tmp_path, sink):
    return lambda **options: running(tmp_path, sink, **options)


@pytest.fixture
def come():
    """Clients that are closed when the test ends; the first reply is in `greeting`, empty when there is none."""
    with contextlib.ExitStack() as clients:

        def come(server, first="", *, inet=True):
            client = clients.enter_context(server.client(inet=inet, greeting=False))
            client.send(first)
            client.greeting = ""
            with contextlib.suppress(ConnectionResetError):
                client.greeting = client.reply()
            return client

        yield come


def test_there_are_so_many_strangers_and_more_of_others(serve, come):
    with serve(lmtp_max_strangers=2) as server:
        first, _ = come(server), come(server)
        assert come(server).greeting.startswith("421")
        assert come(server, inet=False).greeting.startswith("220")
        first.do("QUIT")
        first.close()
        wait_for(lambda: len(server.server.sessions()) <= 2)
        assert come(server).greeting.startswith("220")


def test_strangers_who_only_connect_keep_nobody_out(serve, come, monkeypatch):
    with serve(lmtp_max_strangers=2) as server:
        first, second = come(server), come(server)
        assert come(server).greeting.startswith("421")
        monkeypatch.setattr("sievemda.lmtp.strangers._STAY", 0)
        third = come(server)
        assert third.greeting.startswith("220")
        assert first.reply() == "421 4.3.2 Too many connections, try again later"
        assert first.at_end()
        assert [client.do("NOOP")[:3] for client in (second, third)] == ["250", "250"]
        wait_for(lambda: len(server.server.sessions()) == 2)
        assert server.server._strangers._seats.taken() == 2


def test_in_a_trusted_network_nobody_is_a_stranger(serve, come):
    with serve(lmtp_max_strangers=1, lmtp_trusted_networks=("127.0.0.0/8",)) as server:
        assert [come(server).greeting[:3] for _ in range(3)] == ["220"] * 3


@pytest.mark.parametrize(("network", "little"), [("192.0.2.0/24", True), ("127.0.0.0/8", False)])
def test_the_kernel_keeps_little_for_a_stranger(serve, come, network, little):
    with serve(lmtp_trusted_networks=(network,)) as server:
        come(server)
        (session,) = server.server.sessions()
        sock = session.transport.get_extra_info("socket")
        assert (sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= 64 << 10) is little


def test_a_stranger_who_goes_on_talking_must_log_in_all_the_same(serve, come):
    with serve(lmtp_timeout=1) as server:
        client, answer = come(server), "250"
        while answer.startswith("250"):
            time.sleep(0.05)
            try:
                answer = client.do("NOOP")
            except OSError:
                answer = ""
        assert not answer or answer.startswith("421")


def test_behind_a_trusted_proxy_the_address_is_the_clients(serve, come):
    with serve(haproxy_trusted_networks=("127.0.0.1",), lmtp_trusted_networks=("192.0.2.9",)) as server:
        client = come(server, HEADER)
        assert client.do("LHLO x").startswith("250")
        assert client.do("MAIL FROM:<a@x>").startswith("250")
        assert [session.peer.address for session in server.server.sessions()] == ["192.0.2.9"]


@pytest.mark.parametrize("first", ["LHLO x\r\n", "PROXY TCP4 x\r\n", ""])
def test_a_trusted_proxy_without_header_is_refused(serve, come, first):
    with serve(haproxy_trusted_networks=("127.0.0.1",), haproxy_timeout=1) as server:
        assert come(server, first).greeting == ""


def test_from_anybody_else_a_header_is_no_command(serve, come):
    with serve(haproxy_trusted_networks=("192.0.2.0/24",)) as server:
        assert come(server, HEADER).reply().startswith("500")


def test_a_unix_socket_has_no_proxy(serve, come):
    with serve(haproxy_trusted_networks=("0.0.0.0/0", "::/0")) as server:
        assert come(server, inet=False).greeting.startswith("220")
