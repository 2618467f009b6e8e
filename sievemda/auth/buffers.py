"""What the kernel keeps for a client over TCP: little until he has logged in.

By itself it lets a connection have megabytes each way, of what we have not read and of what he does not read. Of
hundreds of strangers that would be more than the memory that the service itself may take for them.
"""

from __future__ import annotations

import contextlib
import socket

_LITTLE = 16 << 10  # octets each way; the kernel takes twice as many, half of them for its own records (socket(7))
_MUCH = 1 << 20  # no more than net.core.rmem_max and wmem_max allow


def narrow(sock: socket.socket) -> None:
    _set(sock, _LITTLE)


def widen(sock: socket.socket) -> None:
    """He is known. What the kernel would choose by itself there is no way back to."""
    _set(sock, _MUCH)


def _set(sock: socket.socket, size: int) -> None:
    if sock.family == socket.AF_UNIX:
        return  # somebody of this machine, whose own memory it comes from
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
