"""What a worker has had of memory goes back to the system once it is not used."""

import asyncio
import subprocess
import sys

import pytest

from sievemda.serve import memory

HOLED = """
import threading
from pathlib import Path
from sievemda.serve.memory import be_frugal, give_back

be_frugal()
resident = lambda: 4 * int(Path("/proc/self/statm").read_text().split()[1])
kept = []

def use():
    blocks = [bytearray(20_000) for _ in range(2000)]
    kept.append(blocks[-1])

for _ in range(4):
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
give_back()
print(resident())
"""


def test_holes_below_what_is_in_use_are_given_back_whatever_thread_has_made_them():
    """Each thread has used 40 MB and kept its last block."""
    done = subprocess.run([sys.executable, "-c", HOLED], capture_output=True, check=True, timeout=60)
    assert int(done.stdout) < 36 << 10  # KiB; the program alone has some 14 MiB


def test_memory_is_given_back_when_something_has_been_seen(monkeypatch):
    """`seen` ends it at last."""
    monkeypatch.setattr(memory, "_EVERY", 0.001)
    seen, given = iter([1, 1, 1, 2, 2, 2, 3]), []
    monkeypatch.setattr(memory, "give_back", lambda: given.append(1))
    with pytest.raises(RuntimeError):
        asyncio.run(memory.give_back_after(lambda: next(seen)))
    assert len(given) == 2
