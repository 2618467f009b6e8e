"""What a worker tells of itself to whoever asks: its sessions, and what it has counted.

Each worker listens at a socket of its own, `DATA/run/stat/PID`, and answers a connection with one JSON object. A worker
that ends in good order adds a line with its counts to `DATA/run/stat/gone`, so that they are not lost with it; what one
that was killed had counted is.

Why a socket and not figures in shared memory: who is connected has no fixed size, and nothing is written while nobody
asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sievemda.config import Settings
from sievemda.lmtp.client import connect, near
from sievemda.lmtp.server import LmtpServer
from sievemda.managesieve.server import Server
from sievemda.serve.asking import GONE, directory

log = logging.getLogger(__name__)

_TIME = 5.0  # seconds for whoever asks to take the answer
_BACKLOG = 16


class Observation:
    """Runs from `start` to `stop`, in a running event loop. That it cannot run is no reason not to serve."""

    def __init__(self, settings: Settings, mail: LmtpServer, scripts: Server) -> None:
        self._directory = directory(settings)
        self._mail = mail
        self._scripts = scripts
        self._since = time.time()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        try:
            self._server = await asyncio.start_unix_server(self._answer, sock=self._bound())
        except OSError as e:
            log.warning("nobody can ask this worker for its figures: %s: %s", self._directory, e)

    def stop(self) -> None:
        """Nobody is answered any more; what was counted stays."""
        if self._server is None:
            return
        self._server.close()
        try:
            (self._directory / str(os.getpid())).unlink(missing_ok=True)
            _add_line(self._directory / GONE, json.dumps(self.counts()))
        except OSError as e:
            log.warning("what this worker has counted is lost: %s: %s", self._directory, e)

    def counts(self) -> dict[str, int]:
        found: Counter[str] = self._mail.counts + self._scripts.counts
        for guard in (self._mail.guard, self._scripts.guard):
            found.update(guard.counts)
        return {name: number for name, number in sorted(found.items()) if number}

    def sessions(self) -> list[dict[str, Any]]:
        """The open ones, the oldest first."""
        found: list[dict[str, Any]] = [
            {
                "protocol": "lmtp",
                "address": session.peer.address,
                "user": session.peer.authenticated,
                "since": session.since,
                "tls": session.peer.tls,
                "messages": session.messages,
            }
            for session in self._mail.sessions()
        ]
        found += [
            {
                "protocol": "managesieve",
                "address": visit.address,
                "user": visit.session.owner,
                "since": visit.since,
                "tls": visit.session.secure,
            }
            for visit in self._scripts.visits()
        ]
        return sorted(found, key=lambda one: float(one["since"]))

    def _bound(self) -> socket.socket:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        sock = socket.socket(socket.AF_UNIX)
        try:
            name = str(os.getpid())
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=descriptor)
            sock.bind(near(descriptor, name))
            os.chmod(name, 0o600, dir_fd=descriptor)
            sock.listen(_BACKLOG)
        except BaseException:
            sock.close()
            raise
        finally:
            os.close(descriptor)
        return sock

    async def _answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told = {"pid": os.getpid(), "since": self._since, "counts": self.counts(), "sessions": self.sessions()}
        try:
            async with asyncio.timeout(_TIME):
                writer.write(json.dumps(told).encode())
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError):
            writer.transport.abort()


def _add_line(path: Path, line: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line.encode() + b"\n")
    finally:
        os.close(descriptor)


def clear(settings: Settings) -> None:
    """What servers that have gone left, before the first worker of a new one begins; one that lives keeps its own."""
    place = directory(settings)
    with contextlib.suppress(OSError):
        sockets = [path for path in place.iterdir() if path.name.isdigit()]
        dead = [path for path in sockets if not _lives(path)]
        for path in dead:
            path.unlink(missing_ok=True)
        if len(dead) == len(sockets):
            (place / GONE).unlink(missing_ok=True)


def _lives(path: Path) -> bool:
    """Whether anybody listens there: its number may be somebody else's by now, or that of one who is dead already."""
    try:
        connect(path, _TIME).close()
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    except OSError:
        return True
    return True
