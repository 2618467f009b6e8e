"""What the whole service grows by while as many hostile sessions as it takes are open, none of which logs in."""

from __future__ import annotations

import contextlib
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.certificate import make_certificate
from tests.interop.processes import wait_until
from tests.interop.site import Site

SESSIONS = 600  # more than the 500 that are let in
BUDGET = 64 << 10  # KiB
HALF_HELLO = b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03" + b"x" * 16_000
LONG_HELLO = b"\x16\x03\x01\x40\x00\x01\x01\xff\x00\x03\x03" + b"x" * 16_000
PASSWORD = b'AUTHENTICATE "PLAIN" "%s"\r\n'


@pytest.fixture
def besieged(make_directory: Callable[[], Path], logs: dict[str, Path]) -> Iterator[Site]:
    directory = make_directory()
    certificate, key = make_certificate(directory)
    settings = {
        "tls_server_cert": str(certificate),
        "tls_server_key": str(key),
        "allowplaintext": "yes",
        "lmtp_trusted_networks": "",
    }
    site = Site(directory / "site", settings)
    logs["sievemda besieged"] = site.log
    site.start()
    wait_until(lambda: "serving workers" in site.log.read_text(), "every worker at work")
    yield site
    site.stop()


def resident(site: Site) -> int:
    """KiB of all its processes; what several share counts once, and one that has just ended has none."""
    assert site.program is not None
    total = 0
    for pid in site.program.pids():
        with contextlib.suppress(OSError):
            total += int(Path(f"/proc/{pid}/smaps_rollup").read_text().partition("\nPss:")[2].split()[0])
    return total


def wrong_password(number: int) -> bytes:
    return PASSWORD % b64encode(b"\0nobody%d\0" % number + b"p" * 1000)


def secured(port: int) -> socket.socket:
    """Behind TLS a command without end, and of a record of TLS the most without its end."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), 60) as sock:
        tls = context.wrap_socket(sock, server_hostname="localhost")
        tls.sendall(b'NOOP "' + b"x" * 15_300)
        plain = socket.socket(fileno=tls.detach())
    plain.setblocking(False)
    plain.send(b"\x17\x03\x03\x40\x10" + b"z" * 16_000)
    return plain


def clear(port: int, octets: bytes) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), 60)
    sock.setblocking(False)
    with contextlib.suppress(OSError):
        sock.send(octets)
    return sock


def siege(site: Site, kind: str, number: int) -> socket.socket:
    match kind:
        case "secured":
            return secured(site.managesieve_port)
        case "hellos":
            return clear(site.managesieve_port, (HALF_HELLO, LONG_HELLO)[number % 2])
        case "passwords":
            return clear(site.managesieve_port, wrong_password(number))
        case "deaf":
            return clear(site.managesieve_port, b"CAPABILITY\r\n" * 3000)
        case "literals":
            return clear(site.managesieve_port, b'PUTSCRIPT "a" {15900+}\r\n' + b"x" * 15_800)
        case _:
            return clear(site.port, b"x" * 200_000)


def gets_in(port: int) -> bool:
    """Whether alice is greeted, logs in and out."""
    with socket.create_connection(("127.0.0.1", port), 60) as sock, sock.makefile("rb") as lines:
        sock.sendall(PASSWORD % b64encode(b"\0alice\0secret") + b"LOGOUT\r\n")
        return [line for line in lines if line.startswith((b"OK", b"NO", b"BYE"))] == [b"OK\r\n"] * 3


@pytest.mark.parametrize(
    "kinds", [["secured"], ["hellos", "passwords", "deaf", "literals", "lmtp"]], ids=["tls", "all"]
)
def test_strangers_cost_less_than_64_mib(besieged: Site, kinds: list[str]) -> None:
    for number, kind in enumerate(kinds * 4):  # what is loaded at the first of a kind is not their doing
        siege(besieged, kind, number).close()
    before, most = resident(besieged), 0
    with contextlib.ExitStack() as sockets:
        for number in range(SESSIONS):
            with contextlib.suppress(OSError):
                sockets.enter_context(siege(besieged, kinds[number % len(kinds)], number))
            if number % 50 == 0:
                most = max(most, resident(besieged))
        most = max(most, resident(besieged))
        assert most - before < BUDGET

    besieged.user("alice", password="secret")
    wait_until(lambda: gets_in(besieged.managesieve_port), "a user in after the siege")
