"""Who has come, as far as the connection itself tells, or a trusted proxy at its beginning."""

from __future__ import annotations

import asyncio
import pwd
import socket
import struct
from collections.abc import Sequence

from sievemda.auth.client import Client
from sievemda.auth.origin import Header, Network, NotProxied, Origin, address_of, is_within
from sievemda.managesieve.connection import Connection

_CREDENTIALS = struct.Struct("3i")  # struct ucred: process, user, group


async def client_of(
    connection: Connection, proxies: Sequence[Network], patience: float, *, believed: bool = False
) -> Client:
    """Over TCP the address; over a UNIX socket the login name of the user whose process is at the other end.

    What comes from `proxies` tells another address within `patience` seconds, or raises NotProxied; and whether TLS has
    ended there, which may be `believed`.
    """
    sock = connection.sock
    if sock.family == socket.AF_UNIX:
        return Client("", socket_user=_user_at(sock))
    address = str(address_of(sock.getpeername()[0]))
    told = await _told(connection, patience) if is_within(address, proxies) else Origin(address)
    return Client(told.address or address, secure=believed and told.secure, port=int(sock.getsockname()[1]))


async def _told(connection: Connection, patience: float) -> Origin:
    header = Header()
    try:
        async with asyncio.timeout(patience):
            while (found := header.take(connection.sock)) is None:
                await connection.readable()
    except TimeoutError as e:
        raise NotProxied("no header came in time") from e
    return found


def _user_at(sock: socket.socket) -> str:
    """`unix(7)`: SO_PEERCRED. A user without a name is called by his number, which nobody's name is."""
    _, uid, _ = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"/{uid}"
