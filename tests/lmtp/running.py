"""An LMTP server in a thread of its own, and a client that reads replies one by one."""

import asyncio
import contextlib
import socket
import threading

import uvloop

from sievemda.auth.seats import Seats
from sievemda.config import Settings
from sievemda.lmtp.server import LmtpServer

PATIENCE = 60  # seconds for what takes no time on a machine that has some


def settings(**changes):
    """Settings whose sections `lmtp`, `site`, `delivery`, `managesieve`, `guard` and `sasl` take `changes` by their own key."""

    tree = Settings()
    for key, value in {"servername": "mx.test", **changes}.items():
        for section in ("site", "lmtp", "delivery", "managesieve", "guard", "sasl"):
            part = getattr(tree, section)
            if hasattr(part, key):
                tree = tree.with_changes(**{section: part.with_changes(**{key: value})})
                break
        else:
            raise KeyError(key)
    return tree


class Running:
    """The server listens at `path` (UNIX) and `port` (loopback). `call` runs a coroutine on its loop."""

    def __init__(self, directory, deliverer, tree, *, loop=uvloop.new_event_loop, **options):
        self.path = str(directory / "lmtp")
        self.deliverer = deliverer
        self._ready = threading.Event()
        self._tree, self._options = tree, options
        self.loop = loop()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        assert self._ready.wait(PATIENCE)

    def _run(self):
        asyncio.set_event_loop(self.loop)
        with Seats() as self._seats:
            self.loop.run_until_complete(self._main())
            self.loop.close()

    async def _main(self):
        self.server = LmtpServer(self._tree, self.deliverer, self._seats, **self._options)
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(self.path)
        inet = socket.socket()
        inet.bind(("127.0.0.1", 0))
        self.port = inet.getsockname()[1]
        for listener in (unix, inet):
            listener.listen(100)
        self.server.listen([unix, inet])
        self._over = asyncio.Event()
        self._ready.set()
        await self._over.wait()
        await self.server.stop(0.5)
        await asyncio.sleep(0.02)

    def call(self, coroutine, timeout=PATIENCE):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def close(self):
        self.loop.call_soon_threadsafe(self._over.set)
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()

    def client(self, *, inet=False, **options):
        return Client(("127.0.0.1", self.port) if inet else self.path, **options)


class Client:
    def __init__(self, address, *, greeting=True, timeout=PATIENCE):
        family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
        self.socket = socket.socket(family)
        self.socket.settimeout(timeout)
        self.file = self.socket.makefile("rb")
        try:
            self.socket.connect(address)
            if greeting:
                self.greeting = self.reply()
        except BaseException:
            self.close()
            raise

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def reply(self):
        """One whole reply, its lines joined by LF; empty when the connection is closed."""
        lines = []
        while line := self.file.readline():
            lines.append(line.rstrip(b"\r\n").decode())
            if line[3:4] == b" ":
                break
        return "\n".join(lines)

    def replies(self, number):
        return [self.reply() for _ in range(number)]

    def do(self, command):
        self.send(command + "\r\n")
        return self.reply()

    def at_end(self):
        return self.file.read(1) == b""

    def message(self, text, recipients, sender="a@b.c"):
        """One whole transaction; the replies after DATA."""
        assert self.do(f"MAIL FROM:<{sender}>").startswith("250")
        for recipient in recipients:
            assert self.do(f"RCPT TO:<{recipient}>").startswith("250")
        assert self.do("DATA").startswith("354")
        self.send(text)
        return self.replies(len(recipients))

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@contextlib.contextmanager
def running(directory, deliverer, **options):
    names = ("users", "guard", "tls", "loop")
    given = {name: options.pop(name) for name in names if name in options}
    server = Running(directory, deliverer, settings(**options), **given)
    try:
        yield server
    finally:
        server.close()
