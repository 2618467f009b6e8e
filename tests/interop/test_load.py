"""Many messages: all present, the server's memory flat, its log clean.

`make load` runs it with 10,000 messages; the suite takes fewer.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.processes import need, wait_until
from tests.interop.site import Site

MESSAGES = int(os.environ.get("SIEVEMDA_MESSAGES", "2000"))
SLACK = 8 * 1024  # KiB by which memory may move without being a leak: caches, arenas of the allocator


@pytest.fixture(scope="module")
def loaded_site(make_directory: Callable[[], Path], logs: dict[str, Path]) -> Iterator[Site]:
    site = Site(make_directory())
    logs["sievemda under load"] = site.log
    site.start()
    wait_until(lambda: "prune done" in site.log.read_text(), "the child that clears away at the beginning has ended")
    yield site
    site.stop()


def smtp_source(site: Site, recipient: str, messages: int, sessions: int) -> None:
    """Messages of 4 KiB over `sessions` connections that stay open."""
    need("smtp-source")
    command = ["smtp-source", "-L", "-d", "-m", str(messages), "-s", str(sessions), "-l", "4096"]
    addresses = ["-f", "bob@example.net", "-t", recipient, f"unix:{site.socket}"]
    done = subprocess.run([*command, *addresses], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""


def memory(site: Site) -> int:
    """Resident KiB of all processes of the server; one that has just ended has none."""
    assert site.program is not None
    total = 0
    for pid in site.program.pids():
        status = Path(f"/proc/{pid}/status").read_text()
        total += int((status.partition("VmRSS:")[2].split() or ["0"])[0])
    return total


@pytest.mark.parametrize("sessions", [1, 16])
def test_all_messages_arrive_and_memory_stays_flat(loaded_site: Site, new_name, sessions: int) -> None:
    user = loaded_site.user(new_name("user"))
    warm_up = MESSAGES // 4
    smtp_source(loaded_site, f"{user}@example.org", warm_up, sessions)
    before = memory(loaded_site)

    smtp_source(loaded_site, f"{user}@example.org", MESSAGES - warm_up, sessions)

    files = loaded_site.files(user)
    assert len(files) == MESSAGES
    assert min(file.stat().st_size for file in files) > 4096 - 512
    assert memory(loaded_site) - before < SLACK
    assert [line for line in loaded_site.log.read_text().splitlines() if " ERROR " in line or "Traceback" in line] == []
