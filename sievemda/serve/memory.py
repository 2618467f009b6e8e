"""What a process gives back to the system of the memory that it has had.

What hostile clients may cost is promised for the service (README), however many workers there are and whatever came
before; so what one wave of them has used must be gone before the next one comes to another worker.

Why so few ways to keep it: the allocator of glibc learns from the first large block that is freed (a password hash
takes 12 MiB) that such blocks come again, and from then on keeps them. It makes every thread a heap of its own, of
which each keeps what its busiest moment has left. And a heap only becomes smaller at its end, above which the one
session that goes on has some octets. Threads that share one heap wait for each other no longer than they do anyway,
since one at a time runs Python.

Why what is loaded before the fork is frozen: the collector would write to each object that it looks at, and a page that
is written to is no longer shared.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
from collections.abc import Callable

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # mallopt(3): M_MMAP_THRESHOLD, M_ARENA_MAX
_LARGE = 4 << 20  # octets of a block that is never kept
_EVERY = 2.0  # seconds


def be_frugal() -> None:
    """In this process and those that are forked from it; other allocators do as they do."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _LARGE)
        library.mallopt(_ARENA_MAX, 1)


def share_what_is_there() -> None:
    """Before the first fork: nothing that is there now is looked at by the collector of any process."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Everything that is not in use."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


async def give_back_after(seen: Callable[[], object]) -> None:
    """For ever: from time to time, when `seen` has become another value, which it does with clients."""
    before = seen()
    while True:
        await asyncio.sleep(_EVERY)
        if (now := seen()) != before:
            before = now
            await asyncio.to_thread(give_back)
