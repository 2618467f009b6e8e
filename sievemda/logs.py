"""The log: standard error, one line per event, `key=value` words behind a fixed event name.

Why standard error: systemd, containers and a terminal all know what to do with it, and nothing has to be configured,
rotated or reopened. Content of messages never goes into it.

A pipe whose reader has stopped reading must not stop the mail: then lines are lost, and how many is said as soon as
somebody reads again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import select
import stat
import threading
from collections.abc import Callable

_PLAIN = re.compile(r"[!#-<>-~]+")  # printable ASCII but for blank, `"` and `=`
_MAX_VALUE = 500
_PATIENCE = 1.0  # seconds for a reader that is only slow
_STDERR = 2


def setup(level: int = logging.INFO) -> None:
    """Send the log of the whole process to standard error. The engine's own chatter is left out."""
    handler = Output(_STDERR)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s [%(process)d] %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd's
    logging.logMultiprocessing = logging.logThreads = False  # nothing asks for them, and each record would look them up


class Output(logging.Handler):
    """Writes lines to a descriptor, and never waits long for it."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = _unblocked(descriptor)
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - a line that cannot be formatted is no reason to fail
            line = f"{record.levelname} {record.msg!r}"
        if self._lost:
            line = f"{line}\nlog lines lost before: {self._lost}"
        with contextlib.suppress(OSError):
            self._write(f"{line}\n".encode("utf-8", "backslashreplace"))

    def _write(self, data: bytes) -> None:
        try:
            os.write(self._descriptor, data)
        except BlockingIOError:
            if self._lost or not select.select([], [self._descriptor], [], _PATIENCE)[1]:
                self._lost += 1
                return
            os.write(self._descriptor, data)
        self._lost = 0


class Sparing:
    """For what anybody can cause as often as he likes: one line, and behind it how many more there were in a minute.

    Thread-safe. Why a timer: the number is to be told when a flood is over, and not with the next one.
    """

    def __init__(self, tell: Callable[..., None], seconds: float = 60.0) -> None:
        self._tell, self._seconds = tell, seconds
        self._lock = threading.Lock()
        self._quiet = False
        self._more = 0

    def __call__(self, text: str, *values: object) -> None:
        """As `tell`, which is a logger's."""
        with self._lock:
            if self._quiet:
                self._more += 1
                return
            self._quiet = True
        self._tell(text, *values)
        timer = threading.Timer(self._seconds, self._over, (text.partition(":")[0],))
        timer.daemon = True
        timer.start()

    def _over(self, whose: str) -> None:
        with self._lock:
            self._quiet, more, self._more = False, self._more, 0
        if more:
            self._tell("%s: ... and %d more in the last %g s", whose, more, self._seconds)


def _unblocked(descriptor: int) -> int:
    """For a pipe a descriptor of our own that does not block; other programs at the same pipe keep theirs as it is."""
    with contextlib.suppress(OSError):
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return descriptor


def words(**fields: object) -> str:
    """`a=b c="d e"`, without fields that are empty. No value can end its line or pose as another field."""
    return " ".join(f"{name}={_quoted(str(value))}" for name, value in fields.items() if value not in {"", None})


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text[:_MAX_VALUE]
    text = "".join(c if c.isprintable() else "?" for c in text[:_MAX_VALUE])
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
