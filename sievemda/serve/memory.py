"""What a process gives back to the system of the memory that it has had.

Why: the allocator of glibc learns from the first large block that is freed (a password hash takes 12 MiB) that such
blocks come again, and from then on keeps them, in every worker.
"""

from __future__ import annotations

import contextlib
import ctypes

_MMAP_THRESHOLD = -3  # mallopt(3): M_MMAP_THRESHOLD
_LARGE = 4 << 20  # octets of a block that is never kept


def give_back_large_blocks() -> None:
    """In this process and those that are forked from it; other allocators do as they do."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)
