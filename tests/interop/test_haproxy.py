"""HAProxy in front, by the configuration that is shipped: the address that counts is the client's."""

from __future__ import annotations

import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.certificate import make_certificate
from tests.interop.processes import Program, answers, fill, free_port, need
from tests.interop.site import Site


@dataclass(frozen=True)
class Proxied:
    site: Site
    managesieve: int
    lmtp: int


@pytest.fixture(scope="module", params=[1, 2], ids=["send-proxy", "send-proxy-v2"])
def proxied(
    request: pytest.FixtureRequest, make_directory: Callable[[], Path], logs: dict[str, Path]
) -> Iterator[Proxied]:
    need("haproxy")
    directory = make_directory()
    certificate, key = make_certificate(directory)
    settings = {
        "tls_server_cert": str(certificate),
        "tls_server_key": str(key),
        "haproxy_trusted_networks": "127.0.0.1",
        "lmtp_trusted_networks": "127.0.0.7",
        "allowplaintext": "yes",
        "lockout_failures": "3",
        "failedloginpause": "0",
    }
    site = Site(directory / "site", settings, workers=1)
    logs["sievemda behind HAProxy"] = site.log
    site.start()
    site.user("alice", password="secret")
    ports = free_port(), free_port()
    text = fill(
        "haproxy/sievemda.cfg",
        {
            "bind :4190": f"bind 127.0.0.1:{ports[0]}",
            "bind :24": f"bind 127.0.0.1:{ports[1]}",
            "127.0.0.1:14190": f"127.0.0.1:{site.managesieve_port}",
            "127.0.0.1:10024": f"127.0.0.1:{site.port}",
        },
    )
    text = (
        text.replace("send-proxy-v2", "send-proxy")
        if request.param == 1
        else text.replace("send-proxy ", "send-proxy-v2 ")
    )
    (directory / "haproxy.cfg").write_text(text)
    proxy = Program(["haproxy", "-db", "-f", str(directory / "haproxy.cfg")], directory / "haproxy.log")
    logs["HAProxy"] = proxy.log
    proxy.start(lambda: all(answers(("127.0.0.1", port)) for port in ports))
    yield Proxied(site, *ports)
    proxy.stop()
    site.stop()


@pytest.fixture(scope="module", params=["", "proxy-v2-options crc32c"], ids=["plain", "crc32c"])
def ending(
    request: pytest.FixtureRequest, make_directory: Callable[[], Path], logs: dict[str, Path]
) -> Iterator[tuple[int, int, Path]]:
    """Ports of one that ends TLS and of one that does not, and the authority of its certificate."""
    need("haproxy")
    directory = make_directory()
    certificate, key = make_certificate(directory)
    (directory / "both.pem").write_bytes(certificate.read_bytes() + key.read_bytes())
    settings = {"haproxy_trusted_networks": "127.0.0.1", "haproxy_tls": "yes", "allowplaintext": "no"}
    site = Site(directory / "site", settings, workers=1)
    logs["sievemda behind TLS"] = site.log
    site.start()
    site.user("alice", password="secret")
    ports = free_port(), free_port()
    text = fill(
        "haproxy/sievemda.cfg",
        {
            "bind :4190": f"bind 127.0.0.1:{ports[0]} ssl crt {directory / 'both.pem'}\n    bind 127.0.0.1:{ports[1]}",
            "bind :24": f"bind 127.0.0.1:{free_port()}",
            "127.0.0.1:14190": f"127.0.0.1:{site.managesieve_port}",
            "127.0.0.1:10024": f"127.0.0.1:{site.port}",
            "send-proxy-v2 ": f"send-proxy-v2-ssl {request.param} ",
        },
    )
    (directory / "haproxy.cfg").write_text(text)
    proxy = Program(["haproxy", "-db", "-f", str(directory / "haproxy.cfg")], directory / "haproxy.log")
    logs["HAProxy that ends TLS"] = proxy.log
    proxy.start(lambda: all(answers(("127.0.0.1", port)) for port in ports))
    yield *ports, certificate
    proxy.stop()
    site.stop()


def test_tls_that_ends_at_the_proxy_is_as_good(ending: tuple[int, int, Path]) -> None:
    context = ssl.create_default_context(cafile=ending[2])
    with (
        connected(ending[0], "127.0.0.5") as sock,
        context.wrap_socket(sock, server_hostname="localhost") as secured,
    ):
        assert login(secured, "secret") == b"OK\r\n"


def test_where_no_tls_ends_at_the_proxy_there_is_none(ending: tuple[int, int, Path]) -> None:
    with connected(ending[1], "127.0.0.5") as sock:
        assert login(sock, "secret").startswith(b"NO (ENCRYPT-NEEDED)")


def connected(port: int, source: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 60, (source, 0))


def login(sock: socket.socket, password: str) -> bytes:
    """The answer; the greeting is read."""
    with sock.makefile("rb") as lines:
        while not lines.readline().startswith((b"OK", b"BYE")):
            pass
        sock.sendall(b'AUTHENTICATE "PLAIN" "%s"\r\n' % b64encode(f"\0alice\0{password}".encode()))
        return lines.readline()


def test_the_log_and_the_lock_out_are_the_clients(proxied: Proxied) -> None:
    for number in range(3):
        with connected(proxied.managesieve, "127.0.0.3") as sock:
            assert login(sock, f"wrong{number}").startswith(b'NO "')
    with connected(proxied.managesieve, "127.0.0.3") as sock:
        assert login(sock, "secret").startswith(b"NO (TRYLATER)")
    with connected(proxied.managesieve, "127.0.0.4") as sock:
        assert login(sock, "secret") == b"OK\r\n"

    assert "login failed: user=alice mech=PLAIN rhost=127.0.0.3 reason=credentials" in proxied.site.log.read_text()
    assert "127.0.0.3" in proxied.site.cli("account", "locks")


def test_tls_on_connect_goes_through(proxied: Proxied) -> None:
    context = ssl.create_default_context(cafile=proxied.site.directory.parent / "cert.pem")
    with (
        connected(proxied.managesieve, "127.0.0.5") as sock,
        context.wrap_socket(sock, server_hostname="localhost") as secured,
    ):
        assert login(secured, "secret") == b"OK\r\n"


def test_an_mta_in_a_trusted_network_is_known_behind_it(proxied: Proxied) -> None:
    for source, code in (("127.0.0.7", b"250"), ("127.0.0.8", b"430")):
        with connected(proxied.lmtp, source) as sock, sock.makefile("rb") as lines:
            sock.sendall(b"NOOP\r\nMAIL FROM:<a@x>\r\nQUIT\r\n")
            assert [line[:3] for line in lines] == [b"220", b"250", code, b"221"]


def test_the_checks_of_the_proxy_are_no_connections_refused(proxied: Proxied) -> None:
    assert "there is no header" not in proxied.site.log.read_text()


def test_past_the_proxy_there_is_no_way_in(proxied: Proxied) -> None:
    with connected(proxied.site.managesieve_port, "127.0.0.1") as sock:
        sock.sendall(b"NOOP\r\n")
        try:
            assert sock.recv(1) == b""
        except ConnectionResetError:
            return
