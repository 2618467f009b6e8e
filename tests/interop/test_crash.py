"""The server is killed between any two steps of a delivery, and the MTA tries again.

strace kills for real: it sends SIGKILL when the server enters its N-th call of a kind (write, fsync, link, ...), for
every N until a delivery gets through without meeting it. No hook in the server is needed, and none of its steps is
left out because somebody forgot it here.
"""

from __future__ import annotations

import contextlib
import itertools
import signal
import smtplib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.postfix import Postfix
from tests.interop.processes import need, wait_until
from tests.interop.site import Site, message, message_id

_TRIES = 20  # to attach strace to processes of which one may end at that moment
PATIENCE = 120  # seconds for an MTA's further attempts, on a machine that has much else to do

# The calls that change something outside of the process.
CALLS = (
    "openat",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "link",
    "linkat",
    "rename",
    "renameat",
    "unlink",
    "sendto",
)
SCRIPT = (
    'require ["fileinto", "imap4flags", "mailbox", "vacation"];\n'
    'fileinto :create :flags ["\\\\Seen", "work"] "Filed";\nvacation "away";\nkeep;\n'
)


@pytest.fixture
def lone_site(make_directory: Callable[[], Path], logs: dict[str, Path]) -> Iterator[Site]:
    """A site to be killed, with one worker, so that every call is met in the order of the delivery."""
    # The mail that it sends finds nobody: that is tried later, and is no part of what is shown here.
    settings = {"threads": "1", "smtp_backend": "host", "smtp_host": "127.0.0.1:9"}
    site = Site(make_directory(), settings, workers=1)
    logs["sievemda to be killed"] = site.log
    site.start()
    yield site
    site.kill()


class Killer:
    """strace on all processes of a site, sending SIGKILL at the N-th call of a kind."""

    def __init__(self, site: Site, call: str, number: int) -> None:
        need("strace")
        self.output = site.directory / "strace"
        self._inject = ["-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}"]
        for _ in range(_TRIES):
            reason = self._attach(site)
            if reason is None:
                return
            site.kill()
            site.start()
        pytest.skip(f"strace may not trace here: {reason}")

    def _attach(self, site: Site) -> str | None:
        """What strace says when it could not: a process may end just then, or be struck before all are attached."""
        assert site.program is not None
        pids = site.program.pids()
        self.output.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["strace", "-f", "-q", "-o", str(self.output), *self._inject, *(f"--attach={pid}" for pid in pids)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        traced = [Path(f"/proc/{pid}/status") for pid in pids]
        wait_until(lambda: self.process.poll() is not None or self._attached(traced), "strace attached")
        if self.process.poll() is None:
            return None
        return self.process.communicate()[1].strip()[-200:]

    def _attached(self, traced: list[Path]) -> bool:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            return all("TracerPid:\t0\n" not in path.read_text() for path in traced)
        return True

    @property
    def struck(self) -> bool:
        return self.output.exists() and "killed by SIGKILL" in self.output.read_text()

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)


def deliver_like_an_mta(site: Site, content: bytes, *recipients: str) -> list[str]:
    """One attempt; the recipients to be tried again, as a queue would keep them."""
    try:
        replies = site.lmtp(content, *recipients)
    except (OSError, smtplib.SMTPException, AssertionError):
        return list(recipients)
    assert all(code < 500 for code, _ in replies), replies
    return [recipient for recipient, (code, _) in zip(recipients, replies, strict=True) if code != 250]


def whole_copies(site: Site, user: str, folder: str, content: bytes) -> int:
    """How many files of a folder hold the message; each must be whole, whatever happened."""
    body = content.partition(b"\r\n\r\n")[2].replace(b"\r\n", b"\n")
    files = [file for file in site.files(user, folder) if message_id(content).encode() in file.read_bytes()]
    for file in site.files(user, folder):
        assert file.read_bytes().endswith(body), f"{file} is not whole"
    return len(files)


@pytest.mark.parametrize("call", CALLS)
def test_a_kill_at_any_step_loses_nothing_and_leaves_nothing_half_written(lone_site: Site, call: str) -> None:
    site = lone_site
    site.user("alice")
    site.user("bob")
    site.script("alice", SCRIPT)

    for number in itertools.count(1):
        content = message("x" * 5000, to="alice@example.org")
        killer = Killer(site, call, number)
        try:
            waiting = deliver_like_an_mta(site, content, "alice@example.org", "bob@example.org")
        finally:
            time.sleep(0.05)  # what the server does after its reply may be struck, too
            killer.end()
        struck = killer.struck
        site.kill()
        site.start()
        until = time.monotonic() + PATIENCE
        while waiting:
            assert time.monotonic() < until, f"still refused after a kill at {call} {number}: {site.log_end()}"
            waiting = deliver_like_an_mta(site, content, *waiting)

        copies = [whole_copies(site, *place, content) for place in (("alice", ""), ("alice", "Filed"), ("bob", ""))]
        assert min(copies) >= 1, f"lost when killed at {call} {number}: {copies}"
        assert max(copies) <= 2, f"more than one copy too many when killed at {call} {number}: {copies}"
        if not struck:
            break


def test_postfix_delivers_everything_once_to_a_server_that_is_killed_again_and_again(
    site: Site, virtual_postfix: Postfix, user: str
) -> None:
    sent = [message(f"number {number}") for number in range(60)]

    def kill_and_restart() -> None:
        for _ in range(4):
            time.sleep(0.4)
            site.kill()
            site.start()

    killing = threading.Thread(target=kill_and_restart)
    killing.start()
    with virtual_postfix.smtp(virtual_postfix.outgoing_port) as client:
        for content in sent:
            client.sendmail("bob@example.net", [f"{user}@example.org"], content)
            time.sleep(0.03)
    killing.join()
    virtual_postfix.wait_empty(120)

    copies = [whole_copies_of_any(site, user, content) for content in sent]
    assert min(copies) == 1
    assert sum(copies) - len(copies) <= 4, "more than the one under way at each of four kills"


def whole_copies_of_any(site: Site, user: str, content: bytes) -> int:
    wanted = message_id(content).encode()
    return sum(wanted in file.read_bytes() for file in site.files(user))
