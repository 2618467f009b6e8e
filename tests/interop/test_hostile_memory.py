"""What the whole service grows by while as many hostile sessions as it takes are open, none of which logs in.

Each from an address of its own, as far as the network 127.0.0.0/8 goes.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
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
KINDS = ("deaf by TLS", "records", "hellos", "handshakes", "literals", "deaf", "LMTP", "passwords")
HALF_HELLO = b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03" + b"x" * 16_000
LONG_HELLO = b"\x16\x03\x01\x40\x00\x01\x01\xff\x00\x03\x03" + b"x" * 16_000
FORGETFUL = 4096  # octets of the receiving buffer of who does not read
PASSWORD = b'AUTHENTICATE "PLAIN" "%s"\r\n'

_numbers = itertools.count(1)


@pytest.fixture(params=[2, 6], ids=["two workers", "six workers"])
def besieged(
    make_directory: Callable[[], Path], logs: dict[str, Path], request: pytest.FixtureRequest
) -> Iterator[Site]:
    directory = make_directory()
    certificate, key = make_certificate(directory)
    settings = {
        "tls_server_cert": str(certificate),
        "tls_server_key": str(key),
        "allowplaintext": "yes",
        "lmtp_trusted_networks": "",
    }
    site = Site(directory / "site", settings, workers=request.param)
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


def connected(port: int) -> socket.socket:
    number = next(_numbers)
    source = f"127.{number >> 14 & 63}.{number >> 7 & 127}.{1 + (number & 127)}"
    return socket.create_connection(("127.0.0.1", port), 60, source_address=(source, 0))


@functools.cache
def tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def hello() -> bytes:
    """A good one, behind which nothing comes."""
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        tls_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


def secured(port: int) -> ssl.SSLSocket:
    with connected(port) as sock:
        return tls_context().wrap_socket(sock, server_hostname="localhost")


def half_a_record(port: int) -> socket.socket:
    """Behind TLS a command without end, and of a record of TLS the most without its end."""
    with secured(port) as tls:
        tls.sendall(b'NOOP "' + b"x" * 15_300)
        plain = socket.socket(fileno=tls.detach())
    return pushed(plain, b"\x17\x03\x03\x40\x10" + b"z" * 16_000)


def pushed(sock: socket.socket, octets: bytes) -> socket.socket:
    """As many of them as are taken."""
    sock.setblocking(False)
    with contextlib.suppress(OSError):
        while octets:
            octets = octets[sock.send(octets) :]
    return sock


def deaf(sock: socket.socket) -> socket.socket:
    """Who asks and never reads."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, FORGETFUL)
    return pushed(sock, b"CAPABILITY\r\n" * 3000)


def siege(site: Site, kind: str, number: int) -> socket.socket:
    port = site.managesieve_port
    match kind:
        case "records":
            return half_a_record(port)
        case "handshakes":
            return pushed(connected(port), hello())
        case "hellos":
            return pushed(connected(port), (HALF_HELLO, LONG_HELLO)[number % 2])
        case "passwords":
            return pushed(connected(port), wrong_password(number))
        case "deaf":
            return deaf(connected(port))
        case "deaf by TLS":
            return deaf(secured(port))
        case "literals":
            return pushed(connected(port), b'PUTSCRIPT "a" {15900+}\r\n' + b"x" * 15_800)
        case _:
            return pushed(connected(site.port), b"x" * 200_000)


def gets_in(port: int) -> bool:
    """Whether alice is greeted, logs in and out."""
    with socket.create_connection(("127.0.0.1", port), 60) as sock, sock.makefile("rb") as lines:
        sock.sendall(PASSWORD % b64encode(b"\0alice\0secret") + b"LOGOUT\r\n")
        return [line for line in lines if line.startswith((b"OK", b"NO", b"BYE"))] == [b"OK\r\n"] * 3


def test_strangers_cost_less_than_64_mib_whatever_they_do_and_one_after_the_other(besieged: Site) -> None:
    before, most = resident(besieged), 0
    for kind in KINDS:
        with contextlib.ExitStack() as sockets:
            for number in range(SESSIONS):
                with contextlib.suppress(OSError):
                    sockets.enter_context(siege(besieged, kind, number))
                if number % 50 == 0:
                    most = max(most, resident(besieged))
            most = max(most, resident(besieged))
            assert most - before < BUDGET, kind

    besieged.user("alice", password="secret")
    wait_until(lambda: gets_in(besieged.managesieve_port), "a user in after the siege")
