"""Conversations as text, held with a session itself or with a server over a socket.

@ set KEY=VALUE     a setting of the server       @ login   log in as alice first      # a remark
C: text             what the client sends, CRLF after it; `\\xNN` and the like are octets
c: text             the same without CRLF
S: text             the next line from the server, octet by octet
S~ pattern          the next line matches the regular expression
S... text           lines are skipped up to this one
S. (end)            the server has closed
"""

import asyncio
import contextlib
import re
import socket
import threading
import time
from pathlib import Path

import uvloop

from sievemda.auth.client import Client
from sievemda.auth.seats import Seats
from sievemda.managesieve.server import Server
from sievemda.managesieve.session import Session
from sievemda.managesieve.wire import Reader

DIALOGUES = Path(__file__).parents[1] / "dialogues" / "managesieve"
PLAIN_ALICE = b"AGFsaWNlAHNlY3JldA=="  # \0alice\0secret
PATIENCE = 60  # seconds for what takes no time on a machine that has some
LOGIN = b'AUTHENTICATE "PLAIN" "%s"\r\n' % PLAIN_ALICE


class Direct:
    """A session without a socket."""

    def __init__(self, service, address="127.0.0.1"):
        self.session = Session(service, Client(address))
        self.reader = Reader(self.session.command_size, self.session.patience)
        self.output = bytearray(self.session.greeting())
        self.closed = False
        self.delay = 0.0

    def send(self, octets):
        self.reader.feed(octets)
        while not self.closed and (item := self.reader.next()) is not None:
            answer = self.session.handle(item)
            self.output += answer.data
            self.delay += answer.delay
            self.closed = answer.then == "close"
            self.reader.budget, self.reader.patience = self.session.command_size, self.session.patience

    def line(self):
        """The next line, or nothing when there is none."""
        line, end, rest = bytes(self.output).partition(b"\n")
        self.output[:] = rest
        return line + end

    def ended(self):
        return self.closed and not self.output

    def close(self):
        pass


class Wire:
    """A connection to a server."""

    def __init__(self, address, timeout=PATIENCE):
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, timeout)
        self.file = self.socket.makefile("rb")

    def send(self, octets):
        self.socket.sendall(octets)

    def line(self):
        return self.file.readline()

    def ended(self):
        return self.file.read() == b""

    def close(self):
        self.file.close()
        self.socket.close()

    def start_tls(self, context, name="localhost"):
        self.file.close()
        self.socket = context.wrap_socket(self.socket, server_hostname=name, suppress_ragged_eofs=False)
        self.file = self.socket.makefile("rb")


@contextlib.contextmanager
def running(service, tls=None, listener=None, make_loop=uvloop.new_event_loop):
    """A server in its own thread; gives its address and the server. `listener`: a socket of another kind.

    The loop is the one of the workers of `serve`, where a test does not want its own.
    """
    listener = listener or socket.create_server(("127.0.0.1", 0))
    ready, loops = threading.Event(), []
    seats = Seats()

    async def serve():
        server = Server(service, tls, seats)
        server.start([listener])
        end = asyncio.Event()
        loops.append((asyncio.get_running_loop(), end, server))
        ready.set()
        await end.wait()
        await server.stop(5)

    def run():
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(PATIENCE)
    loop, end, server = loops[0]
    try:
        yield listener.getsockname(), server
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(PATIENCE)
        listener.close()
        assert not thread.is_alive()
        seats.close()


def wait_for(condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


def login(peer):
    peer.send(LOGIN)
    assert peer.line() == b"OK\r\n"
    return peer


def settings_of(text):
    return [line.removeprefix("@ set ") for line in text.splitlines() if line.startswith("@ set ")]


def hold(text, peer):
    """Hold the conversation; fails at the line that was not kept to."""
    lines = text.splitlines()
    skip_to(peer, b"OK\r\n")
    if "@ login" in lines:
        peer.send(LOGIN)
        assert peer.line() == b"OK\r\n"
    for number, line in enumerate(lines, 1):
        kind, _, rest = line.partition(" ")
        where = f"line {number}: {line}"
        match kind:
            case "C:" | "c:":
                peer.send(octets(rest) + (b"\r\n" if kind == "C:" else b""))
            case "S:":
                assert peer.line() == octets(rest) + b"\r\n", where
            case "S~":
                got = peer.line()
                assert re.fullmatch(rest.encode() + rb"\r\n", got), f"{where}: {got!r}"
            case "S...":
                skip_to(peer, octets(rest) + b"\r\n")
            case "S.":
                assert peer.ended(), where
            case "" | "#" | "@":
                pass
            case _:
                raise AssertionError(where)


def octets(text):
    return (
        text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1")
        if "\\" in text
        else text.encode()
    )


def skip_to(peer, wanted):
    while (line := peer.line()) != wanted:
        assert line, f"{wanted!r} never came"
