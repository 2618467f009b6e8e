"""Before a script goes live: what would it do differently with the user's last messages?

Two ways to ask. XTRYSCRIPT, which the capability XSIEVEMDA-TRY announces with the most messages that it takes:

    XTRYSCRIPT name number          a script that is stored; the empty name stands for none
    XTRYSCRIPT name number text     that text, as if it were stored under the name

It answers with lines of data and OK:

    "MESSAGE" json      one that would be treated differently, or could not be looked at
    "PROGRESS" "20"     so many were looked at
    "SUMMARY" json      at last; `complete` is false when time was up

And, where `managesieve_try_last` says so, SETACTIVE answers OK (WARNINGS) with what will be different.

Bounds: so many messages, so many seconds in all, one trial of a user and a few of the process at a time; every look at
a message is a turn of its own on a thread that trials share, so that they keep nobody else waiting, and each other no
longer than a turn. Lines of progress are also how the server notices that the client has gone.

Why SETACTIVE activates first, and looks at messages then: what is asked for must not wait for what was not, nor fail
with it.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from sievemda.errors import DataError, NotFound, SievemdaError
from sievemda.managesieve.reply import OK, Reply, line, literal, string

_log = logging.getLogger("sievemda.managesieve")

CAPABILITY = "XSIEVEMDA-TRY"
_SECONDS = 30.0  # for a whole command
_WARNING_SECONDS = 2.0  # for the warnings of SETACTIVE
_TOGETHER = 4  # trials of one process
_TURN = 0.05  # seconds of one turn, or as long as one message takes
_PROGRESS = 1.0  # seconds between two lines
_TOLD = 3  # messages that a warning names
_SHOWN = 60  # characters of a subject or a sender in it


class Compared(Protocol):
    """One message that was looked at."""

    @property
    def mailbox(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def problem(self) -> str: ...
    @property
    def differs(self) -> bool: ...
    @property
    def moves(self) -> bool: ...
    @property
    def told(self) -> tuple[str, str]: ...
    def as_json(self) -> dict[str, Any]: ...


class Trial(Protocol):
    def last(self, most: int, go_on: Callable[[], bool]) -> Iterator[Compared]: ...


class Tryout(Protocol):
    def begin(self, owner: str, name: str, text: bytes | None) -> Trial:
        """Raises NotFound when there is no such user."""
        ...


@dataclass(slots=True)
class _Count:
    looked_at: int = 0
    differ: int = 0
    unread: int = 0

    def add(self, one: Compared) -> None:
        self.unread += bool(one.problem)
        self.looked_at += not one.problem
        self.differ += not one.problem and one.differs


@dataclass(slots=True)
class _Found:
    """What SETACTIVE warns of."""

    count: _Count = field(default_factory=_Count)
    moved: int = 0
    first: list[Compared] = field(default_factory=list)

    def add(self, one: Compared) -> None:
        self.count.add(one)
        if not one.problem and one.differs:
            self.moved += one.moves
            self.first = [*self.first, one][:_TOLD]

    @property
    def warning(self) -> str:
        differ = self.count.differ
        fate = "gone elsewhere" if self.moved == differ else "been treated differently"
        told = "; ".join(map(_sentence, self.first)) + ("; ..." if differ > len(self.first) else "")
        return f"{differ} of your last {self.count.looked_at} messages would have {fate}: {told}"


@dataclass(slots=True)
class Trying:
    """For all sessions of a process. `most` messages of a command, `warned` of SETACTIVE; 0 is not at all."""

    tryout: Tryout
    most: int
    warned: int
    _busy: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, owner: str, name: str, text: bytes | None, most: int) -> Generator[bytes, None, None]:
        """The whole answer, piece by piece; a piece may be empty. Each `next` is one turn; `close` ends it."""
        with self._lock:
            if owner in self._busy or len(self._busy) >= _TOGETHER:
                refused = True
            else:
                refused = False
                self._busy.add(owner)
        if refused:
            yield bytes(Reply("NO", "scripts are being tried already; try again later", "TRYLATER"))
            return
        try:
            yield from _pieces(self.tryout.begin(owner, name, text), most)
        finally:
            with self._lock:
                self._busy.discard(owner)

    def before(self, owner: str, name: str, read: Callable[[], bytes | None]) -> Trial | None:
        """To be begun before a script is activated, for `after`; None where there is nothing to tell. Never raises."""
        if not self.warned:
            return None
        try:
            return self.tryout.begin(owner, name, read())
        except (DataError, NotFound):  # which SETACTIVE will say itself
            return None
        except Exception:  # noqa: BLE001 - it is only a warning
            _log.exception("managesieve: a script cannot be tried")
            return None

    def after(self, trial: Trial) -> Generator[bytes, None, None]:
        """The answer to SETACTIVE, which is done: OK, and what is different. As `answer`, but it never raises."""
        found = _Found()
        try:
            yield from self._found(trial, found)
        except (SievemdaError, OSError) as e:
            _log.warning("managesieve: a script cannot be tried: %s", e)
        except Exception:  # noqa: BLE001 - it is only a warning
            _log.exception("managesieve: a script cannot be tried")
        yield bytes(Reply("OK", found.warning, "WARNINGS") if found.count.differ else OK)

    def _found(self, trial: Trial, found: _Found) -> Iterator[bytes]:
        """Fills `found`; gives nothing at the end of each turn."""
        turn = time.monotonic()
        until = turn + _WARNING_SECONDS
        for one in trial.last(self.warned, lambda: time.monotonic() < until):
            found.add(one)
            if time.monotonic() - turn >= _TURN:
                yield b""
                turn = time.monotonic()


def _pieces(trial: Trial, most: int) -> Iterator[bytes]:
    until = time.monotonic() + _SECONDS
    count, cut_short = _Count(), False

    def go_on() -> bool:
        nonlocal cut_short
        cut_short = cut_short or time.monotonic() >= until
        return not cut_short

    turn = said = time.monotonic()
    for one in trial.last(most, go_on):
        count.add(one)
        now = time.monotonic()
        if one.problem or one.differs:
            yield line(string("MESSAGE"), _json(one.as_json()))
            turn = said = time.monotonic()
        elif now - said >= _PROGRESS:
            yield line(string("PROGRESS"), string(str(count.looked_at)))
            turn = said = time.monotonic()
        elif now - turn >= _TURN:
            yield b""
            turn = time.monotonic()
    summary = {"looked_at": count.looked_at, "differ": count.differ, "unread": count.unread}
    yield line(string("SUMMARY"), _json(summary | {"complete": not cut_short})) + bytes(OK)


def _sentence(one: Compared) -> str:
    """In one line, short, and without quotes, which not every client can show."""
    old, new = one.told
    about = f"{_short(one.sender or 'somebody')}, {_short(one.subject or 'no subject')}"
    return f"{about}: {_short(new, 2 * _SHOWN)}, not {_short(old, 2 * _SHOWN)}"


def _short(text: str, most: int = _SHOWN) -> str:
    text = "".join(c if c.isprintable() and c not in '"\\' else " " for c in text)
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[:most]}..."


def _json(value: dict[str, Any]) -> bytes:
    return literal(json.dumps(value).encode())
