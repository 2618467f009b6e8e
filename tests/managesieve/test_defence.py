"""Who may have how many sessions, what a session may cost before login, and whom a proxy stands in front of."""

import contextlib
import socket
import time

import pytest

from tests.managesieve.conversation import PATIENCE, Wire, login, running, skip_to, wait_for

FULL = b'BYE (TRYLATER) "too many sessions; try again later"\r\n'
HEADER = b"PROXY TCP4 192.0.2.9 127.0.0.1 4660 4190\r\n"
HEADER2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c" + bytes([192, 0, 2, 9, 127, 0, 0, 1]) + b"\x12\x34\x10\x5e"
LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"
PROXIED = "haproxy_trusted_networks=127.0.0.0/30"


@pytest.fixture
def come():
    """Connections from addresses of loopback, that end with the test; nothing is read."""
    peers = []

    def come(address, source="127.0.0.1"):
        sock = socket.create_connection(address, PATIENCE, (source, 0))
        peer = Wire.__new__(Wire)
        peer.socket, peer.file = sock, sock.makefile("rb")
        peers.append(peer)
        return peer

    yield come
    for peer in peers:
        peer.close()


def greeted(peer):
    skip_to(peer, b"OK\r\n")
    return peer


def bye(peer):
    """Everything up to the end, greeting left out."""
    return peer.file.read().rpartition(b"OK\r\n")[2]


def test_before_login_an_address_has_so_many_sessions(make_service, come):
    service = make_service("managesieve_max_address_connections=2", "allowplaintext=yes")
    with running(service) as (address, _):
        first, _ = (greeted(come(address, "127.0.0.2")) for _ in range(2))
        assert bye(come(address, "127.0.0.2")) == FULL
        greeted(come(address, "127.0.0.3"))
        login(first)
        greeted(come(address, "127.0.0.2"))


def test_loopback_itself_has_as_many_as_there_are(make_service, come):
    with running(make_service("managesieve_max_address_connections=2")) as (address, _):
        for _ in range(5):
            greeted(come(address))


def test_a_user_has_so_many_sessions_from_wherever_he_comes(make_service, come):
    service = make_service("managesieve_max_user_connections=2", "allowplaintext=yes")
    with running(service) as (address, _):
        first = login(greeted(come(address)))
        login(greeted(come(address, "127.0.0.2")))
        third = greeted(come(address))
        third.send(b'AUTHENTICATE "PLAIN" "AGFsaWNlAHNlY3JldA=="\r\n')
        assert bye(third) == b'BYE (TRYLATER) "you have too many sessions already; try again later"\r\n'
        first.send(b"UNAUTHENTICATE\r\n")
        assert first.line() == b"OK\r\n"
        login(greeted(come(address)))


def test_an_address_that_only_connects_has_to_go_for_others(make_service, come):
    with running(make_service("managesieve_max_connections=8", "allowplaintext=yes")) as (address, _):
        user = login(greeted(come(address, "127.0.0.2")))
        crowd = [greeted(come(address, "127.0.0.2")) for _ in range(7)]
        assert bye(come(address, "127.0.0.2")) == FULL
        login(greeted(come(address, "127.0.0.3")))
        assert bye(crowd[0]) == FULL
        user.send(b"NOOP\r\n")
        assert user.line() == b"OK\r\n"
        crowd[1].send(b"NOOP\r\n")
        assert crowd[1].line() == b"OK\r\n"


def test_many_addresses_that_only_connect_have_to_go_one_by_one(make_service, come, monkeypatch):
    with running(make_service("managesieve_max_connections=6", "allowplaintext=yes")) as (address, server):
        user = login(greeted(come(address, "127.0.0.2")))
        crowd = [greeted(come(address, f"127.0.1.{number}")) for number in range(5)]
        assert bye(come(address, "127.0.0.3")) == FULL
        monkeypatch.setattr("sievemda.managesieve.server._STAY", 0)
        wait_for(lambda: all(visit.waiting for visit in server.visits()))
        login(greeted(come(address, "127.0.0.3")))
        assert bye(crowd[0]) == FULL
        for peer in (user, *crowd[1:]):
            peer.send(b"NOOP\r\n")
            assert peer.line() == b"OK\r\n"


def test_for_who_is_trusted_they_go_at_once_but_never_who_is_trusted(make_service, come):
    with running(make_service("managesieve_max_connections=4", "allowplaintext=yes")) as (address, server):
        trusted = greeted(come(address))
        crowd = [greeted(come(address, f"127.0.1.{number}")) for number in range(3)]
        wait_for(lambda: all(visit.waiting for visit in server.visits()))
        login(greeted(come(address)))
        assert bye(crowd[0]) == FULL
        login(trusted)
        login(greeted(come(address)))
        login(greeted(come(address)))
        assert bye(come(address)) == FULL


def test_who_never_stops_talking_must_log_in_in_time_too(make_service, come):
    with running(make_service("timeout=1")) as (address, _):
        peer = come(address)
        with pytest.raises(OSError, match=r"reset|Broken"):
            while True:
                peer.send(b'NOOP "x"\r\n')
                peer.socket.recv(64)


def test_before_login_a_session_has_so_many_octets(make_service, come):
    with running(make_service()) as (address, _):
        peer = greeted(come(address))
        text = b'NOOP "%s"\r\n' % (b"x" * 10_000)
        got = b""
        for _ in range(60):
            try:
                peer.send(text)
                got = peer.line() or got
                if got.startswith(b"BYE"):
                    break
                peer.line()
            except OSError:
                break
        assert got == b'BYE "log in first, and with fewer words"\r\n'


@pytest.mark.parametrize("header", [HEADER, HEADER2])
def test_behind_a_trusted_proxy_the_address_is_the_clients(make_service, come, caplog, header):
    with running(make_service(PROXIED, "allowplaintext=yes")) as (address, server):
        peer = come(address)
        peer.send(header)
        greeted(peer)
        assert [visit.address for visit in server.visits()] == ["192.0.2.9"]
        peer.send(b'AUTHENTICATE "PLAIN" "AGFsaWNlAHNlY3JldA=="\r\n')
        assert peer.line().startswith(b"NO (ENCRYPT-NEEDED)")
        peer.send(b'AUTHENTICATE "SCRAM-SHA-1" "biwsbj1hbGljZSxyPWE="\r\n')
        peer.line()
        peer.line()
        peer.send(b'"Yz1iaXdzLHI9YSxwPWE="\r\n')
        assert peer.line().startswith(b"NO")
    assert "rhost=192.0.2.9" in caplog.text


def test_a_proxy_that_speaks_for_itself_keeps_its_address(make_service, come):
    with running(make_service(PROXIED)) as (address, server):
        peer = come(address)
        peer.send(LOCAL)
        greeted(peer)
        assert [visit.address for visit in server.visits()] == ["127.0.0.1"]


def test_a_header_in_pieces_with_commands_behind_it(make_service, come):
    with running(make_service(PROXIED)) as (address, _):
        peer = come(address)
        for octet in HEADER2[:-1]:
            peer.send(bytes([octet]))
            time.sleep(0.001)
        peer.send(HEADER2[-1:] + b'NOOP "a"\r\n')
        greeted(peer)
        assert peer.line() == b"OK (TAG {1}\r\n"


@pytest.mark.parametrize("octets", [b"NOOP\r\n", b"PROXY TCP4 x\r\n", b"\x16\x03\x01\x02\x00\x01", b""])
def test_a_trusted_proxy_without_header_is_refused(make_service, come, octets):
    with running(make_service(PROXIED, "haproxy_timeout=1")) as (address, _):
        peer = come(address)
        peer.send(octets)
        with contextlib.suppress(ConnectionResetError):
            assert peer.file.read() == b""


@pytest.mark.parametrize("header", [HEADER, HEADER2])
def test_a_header_from_anybody_else_is_no_command(make_service, come, header):
    with running(make_service(PROXIED)) as (address, server):
        peer = greeted(come(address, "127.0.0.9"))
        peer.send(header + b"\r\nLOGOUT\r\n")
        assert peer.line() == b'NO "this command is not known"\r\n' if header is HEADER else peer.line()
        assert [visit.address for visit in server.visits()] in ([], ["127.0.0.9"])


def test_tls_comes_behind_the_header(secure, keys, come):
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    service, contexts = secure(PROXIED)
    with running(service, contexts) as (address, server):
        peer = come(address)
        peer.send(HEADER)
        peer.start_tls(context)
        greeted(peer)
        assert [(visit.address, visit.session.secure) for visit in server.visits()] == [("192.0.2.9", True)]


HEADER_TLS = HEADER2[:14] + b"\x00\x14" + HEADER2[16:] + b"\x20\x00\x05\x01\x00\x00\x00\x00"


def capabilities(peer):
    lines = iter(peer.line, b"OK\r\n")
    return {line.split(b" ")[0].strip(b'"\r\n'): line for line in lines}


@pytest.mark.parametrize(
    ("believed", "header", "plain", "starttls"),
    [("yes", HEADER_TLS, True, False), ("no", HEADER_TLS, False, True), ("yes", HEADER2, False, True)],
)
def test_tls_that_ended_at_a_proxy_counts_where_it_is_believed(secure, come, believed, header, plain, starttls):
    service, contexts = secure(PROXIED, f"haproxy_tls={believed}")
    with running(service, contexts) as (address, _):
        peer = come(address)
        peer.send(header)
        told = capabilities(peer)
        assert (b"PLAIN" in told[b"SASL"].split(b'"')[3].split(), b"STARTTLS" in told) == (plain, starttls)
        peer.send(b"STARTTLS\r\n")
        assert peer.line().startswith(b"OK" if starttls else b"NO")


def test_a_stranger_cannot_say_that_he_has_come_with_tls(secure, come):
    service, contexts = secure(PROXIED, "haproxy_tls=yes")
    with running(service, contexts) as (address, _):
        peer = come(address, "127.0.0.9")
        peer.send(HEADER_TLS)
        assert b"PLAIN" not in capabilities(peer)[b"SASL"]
