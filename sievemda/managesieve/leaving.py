"""Clients that leave while nobody reads from them, since they wait for their turn to log in.

A connection tells two things of its end. When it was reset, or at a UNIX socket the other end closed, what is sent goes
nowhere: the client is gone. That he says no more (TCP's FIN) may mean as much, for whoever closes when he has read
everything sends nothing else; but `nc -N`, and programs that pipe their commands, end their own direction alone and
wait for what comes. Such a client stays, and others go first.

Why not a read: the end stands behind what he has sent ahead, which is still to be carried out, and in TLS nothing but
that is there to be read. Why an epoll(7) of our own: readers of the event loop are told of octets as well, and those
that are left where they are would be told of for ever.
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_NO_MORE, _GONE = select.EPOLLRDHUP, select.EPOLLHUP | select.EPOLLERR  # the kernel tells of the latter unasked


class Leavers:
    """For one event loop, from the first who is watched to `close`."""

    def __init__(self) -> None:
        self._poll: select.epoll | None = None
        self._watched: dict[int, tuple[Callable[[], None], Callable[[], None]]] = {}

    @contextmanager
    def watch(self, sock: socket.socket, gone: Callable[[], None], silent: Callable[[], None]) -> Iterator[None]:
        """Meanwhile call `gone` when the client is that, `silent` once when he says no more."""
        number, poll = sock.fileno(), self._opened()
        self._watched[number] = gone, silent
        poll.register(number, _NO_MORE)
        try:
            yield
        finally:
            if self._watched.pop(number, None):
                poll.unregister(number)

    def close(self) -> None:
        if self._poll is not None:
            asyncio.get_running_loop().remove_reader(self._poll.fileno())
            self._poll.close()
            self._poll = None

    def _opened(self) -> select.epoll:
        if self._poll is None:
            self._poll = select.epoll()
            asyncio.get_running_loop().add_reader(self._poll.fileno(), self._look, self._poll)
        return self._poll

    def _look(self, poll: select.epoll) -> None:
        for number, events in poll.poll(0):
            gone, silent = self._watched[number]
            if events & _GONE:
                del self._watched[number]
                poll.unregister(number)
                gone()
            else:
                poll.modify(number, 0)
                silent()
