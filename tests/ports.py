"""Ports for servers that are told theirs beforehand.

Why not one that the kernel has just given out: until the server takes it, and each time that it starts again, the
kernel may give it to somebody else, of whom there are thousands while tests run. Those from here lie below what it
gives out, and each process of the tests has its own, of which it takes each once.
"""

import itertools
import os
import socket
from pathlib import Path

_LOWEST = 10_000
_SHARE = 1000  # of a process
_FIRST_GIVEN_OUT = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])


def _ports():
    """Of this process: runs of the tests at the same time seldom begin at the same place, and look before they take."""
    shares = (_FIRST_GIVEN_OUT - _LOWEST) // _SHARE
    if shares < 1:
        return itertools.repeat(0)  # a kernel that gives all of them out
    first = _LOWEST + os.getpid() % shares * _SHARE
    return itertools.cycle(range(first, first + _SHARE))


_MINE = _ports()


def free_port() -> int:
    for port in _MINE:
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise AssertionError("there is always a next one")
