"""Listening sockets: what `unix:PATH` and `inet:HOST:PORT` mean, and how they are bound.

A UNIX socket is bound under a temporary name in its directory, given its mode and group, made to listen, and then
renamed into place: there is no moment in which a client finds nothing, or finds it before it may connect. What a dead
server has left is replaced; a living one is not pushed aside.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import grp
import os
import re
import socket
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sievemda.config import Lmtp
from sievemda.errors import AlreadyExists, ConfigurationError, NotPermitted, StoreTrouble
from sievemda.lmtp.client import connect, near

Protocol = Literal["lmtp", "managesieve"]

BACKLOG = 1024
PATIENCE = 5.0  # seconds for a server that is going away to let go of its sockets
GREETING_TIME = 2.0  # seconds after which one that says nothing counts as living

_INET = re.compile(r"inet:(?:\[([0-9A-Fa-f:.%]+)\]|([^\[\]:]*)):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen: a path, or a host (empty or `*`: everywhere) and a port."""

    protocol: Protocol
    path: Path | None = None
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        where = f"unix:{self.path}" if self.path else f"inet:{self.host or '*'}:{self.port}"
        return f"{self.protocol} {where}"


@dataclass(frozen=True, slots=True)
class Bound:
    """Sockets that listen at a place. `identity` is the socket file's, so that only ours is removed."""

    place: Place
    sockets: tuple[socket.socket, ...]
    identity: tuple[int, int] = (0, 0)

    def close(self) -> None:
        """Give the place up, with its file."""
        if self.place.path is not None and _identity(self.place.path) == self.identity:
            self.place.path.unlink(missing_ok=True)
        for each in self.sockets:
            each.close()


def parse_place(protocol: Protocol, text: str) -> Place:
    """Raises ConfigurationError."""
    if text.startswith("unix:") and len(text) > len("unix:"):
        return Place(protocol, path=Path(text.removeprefix("unix:")).absolute())
    match = _INET.fullmatch(text)
    if not match or not 0 < int(match[3]) < 65536:
        raise ConfigurationError(f"{protocol}: cannot listen at {text!r}; write unix:PATH or inet:HOST:PORT")
    if protocol == "lmtp" and int(match[3]) == 25:
        raise ConfigurationError("lmtp: port 25 is SMTP's and must not be LMTP's")  # RFC 2033 §5
    host = match[1] or match[2]
    return Place(protocol, host="" if host == "*" else host, port=int(match[3]))


def bind(place: Place, settings: Lmtp, beside: Sequence[socket.socket] = ()) -> Bound:
    """Raises AlreadyExists when somebody else listens there, NotPermitted, ConfigurationError or StoreTrouble.

    Our own sockets in `beside`, which are about to go, are nobody else's.
    """
    try:
        if place.path:
            return _bind_unix(place, place.path, settings)
        with _sharing(beside):
            return _bind_inet(place, shared=bool(beside))
    except PermissionError as e:
        raise NotPermitted(f"{place}: {e.strerror}") from e
    except OSError as e:
        if e.errno == errno.EADDRINUSE:
            raise AlreadyExists(f"{place}: somebody else listens there") from e
        raise StoreTrouble(f"{place}: {e.strerror or e}") from e


@contextlib.contextmanager
def _sharing(sockets: Sequence[socket.socket]) -> Iterator[None]:
    """While another socket of this user may be bound to a port of theirs, as to all addresses instead of one."""
    for sock in sockets:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        yield
    finally:
        for sock in sockets:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)


def bind_all(places: Sequence[Place], settings: Lmtp, going: Sequence[Bound] = ()) -> list[Bound]:
    """All or none. `going` are ours and will be closed: the same port of other addresses is no hindrance."""
    beside = [sock for bound in going if bound.place.path is None for sock in bound.sockets]
    done: list[Bound] = []
    try:
        for place in dict.fromkeys(places):
            done.append(_bind_beside(place, settings, beside, done))
    except BaseException:
        for bound in done:
            bound.close()
        raise
    return done


def _bind_unix(place: Place, path: Path, settings: Lmtp) -> Bound:
    path.parent.mkdir(parents=True, exist_ok=True)
    sock = socket.socket(socket.AF_UNIX)
    try:
        with _locked(path.parent) as directory:
            _make_way(directory, path)
            name = f".{path.name}.{os.getpid()}"
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=directory)
            sock.bind(near(directory, name))
            os.chmod(name, settings.lmtp_socket_mode, dir_fd=directory)
            if settings.lmtp_socket_group:
                os.chown(name, -1, _group(settings.lmtp_socket_group), dir_fd=directory)
            sock.listen(BACKLOG)
            os.rename(name, path.name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        sock.close()
        raise
    return Bound(place, (sock,), _identity(path))


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[int]:
    """Its descriptor, while no other server of ours looks for a place in it."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _make_way(directory: int, path: Path) -> None:
    """Return when the name is free, or a socket that nobody listens to."""
    try:
        found = os.stat(path.name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise AlreadyExists(f"{path} is there and is not a socket")
    until = time.monotonic() + PATIENCE
    while _listens(path):
        if time.monotonic() > until:
            raise AlreadyExists(f"{path}: a server listens there already")
        time.sleep(0.05)


def _listens(path: Path) -> bool:
    """False when nobody does. One that accepts and greets raises: it is there to stay."""
    try:
        with connect(path, GREETING_TIME) as probe:
            if not probe.recv(1):
                return True  # perhaps on its way out
    except (ConnectionRefusedError, FileNotFoundError):
        return False
    except ConnectionError:
        return True
    except (TimeoutError, BlockingIOError):
        pass
    raise AlreadyExists(f"{path}: a server listens there already")


def _group(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ConfigurationError(f"lmtp_socket_group: there is no group {name}") from None


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.lstat()
    except OSError:
        return (0, 0)
    return found.st_dev, found.st_ino


def _bind_inet(place: Place, *, shared: bool) -> Bound:
    """At every address of the host; a family that the machine lacks is left out unless it is the only one."""
    try:
        found = socket.getaddrinfo(place.host or None, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as e:
        raise ConfigurationError(f"{place}: {e.strerror}") from e
    sockets: list[socket.socket] = []
    lacking: OSError | None = None
    try:
        for family, kind, number, _, address in dict.fromkeys(found):
            try:
                sockets.append(_bind_address(family, kind, number, address, shared=shared))
            except OSError as e:
                if e.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                    raise
                lacking = e
        if lacking and not sockets:
            raise lacking
    except BaseException:
        for each in sockets:
            each.close()
        raise
    return Bound(place, tuple(sockets))


def _bind_address(family: int, kind: int, number: int, address: object, *, shared: bool) -> socket.socket:
    """Waits for a server that is going away."""
    until = time.monotonic() + PATIENCE
    while True:
        sock = socket.socket(family, kind, number)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
            sock.bind(address)  # type: ignore[arg-type]
            sock.listen(BACKLOG)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
            return sock
        except OSError as e:
            sock.close()
            if e.errno != errno.EADDRINUSE or time.monotonic() > until:
                raise
        time.sleep(0.1)


def _bind_beside(place: Place, settings: Lmtp, beside: Sequence[socket.socket], done: Sequence[Bound]) -> Bound:
    """As `bind`; who stands in the way may be ourselves, by `*` and an address of the same port."""
    try:
        return bind(place, settings, beside)
    except AlreadyExists as e:
        ours = [bound.place for bound in done if bound.place.path is None and bound.place.port == place.port]
        if place.path is not None or not ours:
            raise
        raise AlreadyExists(f"{place}: that port is taken by {ours[0]}, which we are to listen at as well") from e
