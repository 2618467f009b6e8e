"""Start a program, wait until it is ready, end it: with its log at hand when a test fails."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ports import free_port as free_port

CONF = Path(__file__).parents[2] / "conf"


def need(*programs: str) -> None:
    """Skip the test, naming what is missing, where a program of the distribution is not installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def need_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("a private Postfix, Dovecot or sendmail changes users and so needs root")


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Poll until `condition()` is true; an AssertionError saying `what` did not come after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


def answers(address: tuple[str, int] | Path) -> bool:
    """Whether something accepts connections at a TCP address or UNIX socket."""
    with socket.socket(socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET) as probe:
        probe.settimeout(20)
        try:
            probe.connect(str(address) if isinstance(address, Path) else address)
        except OSError:
            return False
        return True


def fill(source: str, changes: dict[str, str]) -> str:
    """The text of a file below conf/ with paths and names of the test in place of the documented ones.

    Each documented value must occur: a test that fills in nothing would no longer run the file that is shipped.
    """
    text = (CONF / source).read_text()
    for documented, ours in changes.items():
        assert documented in text, f"conf/{source} does not contain {documented!r}"
        text = text.replace(documented, ours)
    return text


class Program:
    """A server in its own process group, its output in `log`."""

    def __init__(self, command: list[str], log: Path, **options: object) -> None:
        self.command, self.log, self.options = command, log, options
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool], seconds: float = 60.0) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **self.options
            )
        process = self.process
        wait_until(lambda: ready() or process.poll() is not None, f"{self.command[0]} ready", seconds)
        assert process.poll() is None, (
            f"{self.command} ended with {process.returncode}:\n{self.log.read_text()[-4000:]}"
        )

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def pids(self) -> list[int]:
        """Of the whole process group, the leader first."""
        assert self.process is not None
        group = self.process.pid
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if os.getpgid(int(entry.name)) == group:
                        found.append(int(entry.name))
                except ProcessLookupError:
                    continue
        return sorted(found, key=lambda pid: (pid != group, pid))

    def kill(self) -> None:
        """kill -9 of every process of the group, at once."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(60)
            self.process = None

    def stop(self) -> int:
        """SIGTERM to the leader and wait for the end of all; the exit status."""
        assert self.process is not None
        process = self.process
        if process.poll() is None:
            process.terminate()
        try:
            status = process.wait(60)
        finally:
            self.kill()
        return status
