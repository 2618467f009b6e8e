"""What clients make the server hold before they log in: bounded, and at the cost of those who hold it."""

import asyncio
import gc
import os
import socket
import ssl
import weakref
from base64 import b64encode

import pytest

from sievemda.auth.seats import Seats
from sievemda.managesieve.room import Room
from sievemda.managesieve.server import Server
from sievemda.managesieve.visit import ALPN, FULL
from sievemda.tls.contexts import contexts
from tests.managesieve.authorities import Authority
from tests.managesieve.site import service_of

MOST = 200_000
LOGIN = b'AUTHENTICATE "PLAIN" "%s"\r\n' % b64encode(b"\0alice\0secret")
PATIENCE = 60  # seconds


@pytest.fixture
def room():
    return Room(10_000)


@pytest.fixture
def gone():
    """Names of those who were pushed out."""
    return []


class Guest:
    def __init__(self, name, room, gone):
        self.name, self._room, self._gone = name, room, gone

    def hold(self, octets):
        self._room.hold(self, octets)

    def push_out(self):
        self._gone.append(self.name)


@pytest.fixture
def come(room, gone):
    return lambda name: Guest(name, room, gone)


def test_who_has_held_something_for_the_longest_has_to_go(come, gone):
    first, second, third = come("first"), come("second"), come("third")
    second.hold(4000)
    first.hold(3000)
    second.hold(5000)
    third.hold(3000)
    assert gone == ["second"]


def test_as_many_as_it_takes(come, gone):
    for name in range(3):
        come(name).hold(3000)
    come("large").hold(9000)
    assert gone == [0, 1, 2]


def test_who_wants_too_much_alone_goes_himself(come, gone):
    come("greedy").hold(10_001)
    assert gone == ["greedy"]


def test_what_was_let_go_is_there_again_and_he_is_the_last_then(come, gone):
    first, second = come("first"), come("second")
    first.hold(4000)
    second.hold(4000)
    first.hold(0)
    first.hold(4000)
    come("third").hold(4000)
    assert gone == ["second"]


def test_a_little_is_nothing(come, gone):
    for name in range(100):
        come(name).hold(2000)
    come("honest").hold(9000)
    assert gone == []


# --- at the server -----------------------------------------------------------------------------------------------


@pytest.fixture
def serve(tmp_path, accounts):
    """Run a dialogue, given a function that connects, against a server with little room."""
    authority = Authority()
    certificate, key = authority.issue(tmp_path, "server")
    authority.write(tmp_path / "ca.pem")
    sets = (f"tls_server_cert={certificate}", f"tls_server_key={key}", "allowplaintext=yes")

    def serve(dialogue):
        async def main():
            with Seats() as seats:
                service = service_of(tmp_path, accounts, *sets, tls=True)
                server = Server(service, contexts(service.settings.lmtp, ALPN), seats, Room(MOST))
                sock = socket.create_server(("127.0.0.1", 0))
                server.start([sock])
                serve.server = server
                opened = []

                async def come(**options):
                    peer = await asyncio.open_connection(*sock.getsockname()[:2], **options)
                    opened.append(peer[1])
                    await until(peer, b"OK\r\n")
                    return peer

                try:
                    async with asyncio.timeout(PATIENCE):
                        await dialogue(come)
                finally:
                    for writer in opened:
                        writer.close()
                    await server.stop(0)
                    sock.close()

        asyncio.run(main())

    serve.tls = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    serve.tls.check_hostname = False
    return serve


async def until(peer, wanted):
    while (line := await peer[0].readline()) != wanted:
        assert line


async def say(peer, text):
    peer[1].write(text)
    await peer[1].drain()


async def told(peer):
    """What a client reads until the server has closed."""
    try:
        return await peer[0].read()
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    "text",
    [b'NOOP "' + b"x" * 15_000, b'PUTSCRIPT "a" {15900+}\r\n' + b"x" * 15_000, b'NOOP "a" "' + b"x" * 15_000],
    ids=["line", "literal", "arguments"],
)
def test_a_crowd_of_unfinished_commands_goes_and_who_logs_in_does_not(serve, text):
    async def dialogue(come):
        crowd = [await come() for _ in range(20)]
        honest = await come()
        for peer in crowd:
            await say(peer, text)
            await asyncio.sleep(0.01)
        assert (await told(crowd[0])).endswith(bytes(FULL))
        await say(honest, LOGIN + b"LISTSCRIPTS\r\n")
        await until(honest, b"OK\r\n")
        await until(honest, b"OK\r\n")

    serve(dialogue)


def test_users_may_hold_more(serve):
    async def dialogue(come):
        users = [await come() for _ in range(3)]
        for peer in users:
            await say(peer, LOGIN)
            await until(peer, b"OK\r\n")
            await say(peer, b'PUTSCRIPT "a" {150000+}\r\n' + b"#" * 149_000)
        for peer in users:
            await say(peer, b"#" * 998 + b"\r\n" + b"\r\n")
            await until(peer, b"OK\r\n")

    serve(dialogue)


def test_handshakes_and_records_that_do_not_end_are_counted(serve):
    async def dialogue(come):
        secured = [await come(ssl=serve.tls) for _ in range(15)]
        for _, writer in secured:
            os.write(writer.get_extra_info("socket").fileno(), b"\x17\x03\x03\x40\x10" + b"z" * 1000)
            await asyncio.sleep(0.01)
        assert (await told(secured[0])).endswith(bytes(FULL))
        honest = await come(ssl=serve.tls)
        await say(honest, LOGIN)
        await until(honest, b"OK\r\n")

    serve(dialogue)


def test_nothing_stays_of_who_has_left(serve):
    """Without the collector's help: with hundreds of them it comes too late."""

    async def dialogue(come):
        for options in ({}, {"ssl": serve.tls}):
            peer = await come(**options)
            trace = weakref.ref(next(iter(serve.server.visits())))
            await say(peer, b'NOOP "' + b"x" * 5000)
            peer[1].close()
            while list(serve.server.visits()):  # noqa: ASYNC110 - it is told by nothing
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.01)
            assert trace() is None, options

    gc.collect()
    gc.disable()
    try:
        serve(dialogue)
    finally:
        gc.enable()
