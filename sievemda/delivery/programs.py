"""Runs the programs that an administrator has listed by putting them into a directory, one for each kind of use.

A program gets its arguments as they are (never through a shell), a clean environment that tells it about the delivery,
its input on standard input, no other open file, and a process group of its own. That group is ended when the program
is done, and when its time is up: what it left behind does not outlive it. It runs as the user who delivers.

Exit code 0 is success, all else is not, nor is more output than allowed. What it writes to standard error goes to the
log, a little of it.

Why the input is a file without a name and not a pipe: a program that does not read its input would otherwise stand in
the way of the one that writes to it, and the other way round. Why a time-out of 0 is an hour, where Pigeonhole waits
for ever: external programs §11, "MUST NOT be allowed to execute indefinitely".
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from sievemda.config import Settings
from sievemda.delivery.target import Target
from sievemda.logs import words
from sievemda.mail.envelope import Sender
from sievemda.sieve.facts import Executed
from sievemda.sieve.text import octets

log = logging.getLogger(__name__)

_HOUR = 3600.0
_BLOCK = 1 << 16
_COMPLAINTS = 2_000  # octets of standard error that are kept
_PATH = "/usr/local/bin:/usr/bin:/bin"


class Programs:
    """Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._options = settings.sieve
        self._host = settings.site.servername
        self._spool = settings.data / "spool"

    def find(self, kind: str, program: str) -> Path | None:
        """The file of a program that is listed for that use; `None` when it is not."""
        directory: Path | None = getattr(self._options, f"sieve_{kind}_bin_dir")
        if directory is None or "/" in program or "\0" in program or program in {"", ".", ".."}:
            return None
        path = directory / program
        try:
            regular = stat.S_ISREG(path.stat().st_mode)
        except (OSError, UnicodeEncodeError):
            return None
        return path if regular and os.access(path, os.X_OK) else None

    def run(
        self, kind: str, program: str, arguments: Sequence[str], data: bytes, about: Mapping[str, str]
    ) -> Executed | None:
        """Run it and wait; `about` goes into its environment. `None` when it is not listed."""
        path = self.find(kind, program)
        if path is None:
            return None
        seconds = float(getattr(self._options, f"sieve_{kind}_exec_timeout")) or _HOUR
        if getattr(self._options, f"sieve_{kind}_input_eol", "") == "crlf":  # what is converted is no text of lines
            data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        command = [os.fsencode(path), *map(octets, arguments)]
        try:
            with self._input(data) as source:
                return _Run(command, source, self._environment(about)).finish(seconds, self._most)
        except (OSError, ValueError) as e:
            log.error("program not run %s", words(program=path, error=e))  # noqa: TRY400 - where in the program says nothing
            return Executed(ok=False)

    @property
    def _most(self) -> int:
        return self._options.sieve_program_max_output

    def _environment(self, about: Mapping[str, str]) -> dict[str, str]:
        plain = {name: value.replace("\0", "") for name, value in about.items()}
        return {"PATH": _PATH, "LANG": "C.UTF-8", "HOST": self._host, **plain}

    @contextmanager
    def _input(self, data: bytes) -> Iterator[IO[bytes]]:
        self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self._spool) as file:
            file.write(data)
            file.flush()
            file.seek(0)
            yield file


class _Run:
    """One program that runs."""

    def __init__(self, command: Sequence[bytes], source: IO[bytes], environment: Mapping[str, str]) -> None:
        self._name = os.fsdecode(command[0])
        self._process = subprocess.Popen(
            command,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
        self._output = bytearray()
        self._complaints = bytearray()

    def finish(self, seconds: float, most: int) -> Executed:
        """Read what it writes until it ends or its time is up."""
        with self._process:
            try:
                why = self._read(time.monotonic() + seconds, most)
            finally:
                self._end_group()
        code = self._process.wait()
        if why or code or self._complaints:
            said = bytes(self._complaints).decode("utf-8", "replace").strip()
            log.log(
                logging.WARNING if why or code else logging.INFO,
                "program %s",
                words(program=self._name, ended=why or f"exit code {code}", said=said),
            )
        return Executed(ok=not why and code == 0, output=b"" if why or code else bytes(self._output))

    def _read(self, give_up: float, most: int) -> str:
        """Why it was cut short; empty when it was not."""
        assert self._process.stdout
        assert self._process.stderr
        end = os.pidfd_open(self._process.pid)
        try:
            with selectors.DefaultSelector() as ready:
                for file in (self._process.stdout.fileno(), self._process.stderr.fileno()):
                    os.set_blocking(file, False)
                    ready.register(file, selectors.EVENT_READ)
                ready.register(end, selectors.EVENT_READ)
                return self._follow(ready, end, give_up, most)
        finally:
            os.close(end)

    def _follow(self, ready: selectors.BaseSelector, end: int, give_up: float, most: int) -> str:
        """A child that it left behind may hold its output open: its own end is what counts."""
        while True:
            left = give_up - time.monotonic()
            if left <= 0:
                return "time is up"
            events = [int(key.fd) for key, _ in ready.select(left)]
            for file in events:
                if file != end and not self._take(file):
                    ready.unregister(file)
            if len(self._output) > most:
                return f"more than {most} octets of output"
            if events == [end]:  # and nothing is left to be read
                return ""

    def _take(self, file: int) -> bool:
        """Read what there is; false at the end."""
        assert self._process.stdout
        data = os.read(file, _BLOCK)
        if file == self._process.stdout.fileno():
            self._output += data
        else:
            self._complaints += data[: _COMPLAINTS - len(self._complaints)]
        return bool(data)

    def _end_group(self) -> None:
        """The program has not been waited for yet, so its number is still its own."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def about(sender: Sender, target: Target, home: Callable[[str], Path]) -> dict[str, str]:
    """What a program is told about the delivery, in its environment; the names are Pigeonhole's."""
    recipient = target.recipient
    told = {
        "SENDER": str(sender.reverse_path or ""),
        "RECIPIENT": str(recipient.address),
        "ORIG_RECIPIENT": recipient.orcpt or str(recipient.address),
    }
    if target.owner is not None:
        told |= {"USER": target.owner, "HOME": str(home(target.owner))}
    return told
