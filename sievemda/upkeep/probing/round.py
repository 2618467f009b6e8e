"""One probe: every hop in its order, timed; the first that fails is the last."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from sievemda.errors import DataError, SievemdaError, StoreTrouble, TemporaryTrouble
from sievemda.upkeep.probing import doors
from sievemda.upkeep.probing.finding import Found, find, take_out
from sievemda.upkeep.probing.letter import Letter, letter

if TYPE_CHECKING:
    from pathlib import Path

    from sievemda.mail.address import Address
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.probing.doors import Place

_PAUSE = 0.05  # seconds between two looks into the store
_PAUSE_IMAP = 0.5


@dataclass(frozen=True, slots=True)
class Imap:
    where: Place
    user: str
    password: str
    tls: bool


@dataclass(frozen=True, slots=True)
class Way:
    """What a probe goes through. `patience` is how many seconds each hop may take."""

    recipient: Address
    userid: str
    lmtp: Path | Place
    smtp: Place | None = None
    managesieve: Place | None = None
    imap: Imap | None = None
    size: int = 2048  # octets
    patience: float = 30.0
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Hop:
    name: str
    seconds: float
    said: str


@dataclass(slots=True)
class Report:
    hops: list[Hop] = field(default_factory=list)
    failed: str = ""  # the hop
    error: SievemdaError | None = None

    @property
    def seconds(self) -> float:
        return sum(hop.seconds for hop in self.hops)


def probe(store: MailStore, way: Way) -> Report:
    """Send a message the whole way, and remove it. What goes wrong stands in the report."""
    sent = letter(str(way.recipient), way.size)
    report = Report()
    found: list[Found] = []
    since = time.time()

    def look() -> str:
        found.append(_waited(lambda: find(store, way.userid, sent, since), way, sent))
        if not found[0].whole:
            raise DataError(f"{found[0].file} is not what was sent")
        return f"{store.namespace.format_admin(found[0].mailbox.name)}"

    steps: list[tuple[str, Callable[[], str]]] = []
    try:
        find(store, way.userid, sent, since)
    except (SievemdaError, OSError) as error:  # what could neither be found nor removed is not sent
        _take(report, "maildir", partial(_raise, error))
        return report
    if way.managesieve is not None:
        steps.append(("managesieve", partial(doors.managesieve, way.managesieve, way.patience)))
    if way.smtp is not None:
        steps.append(("smtp", partial(doors.by_smtp, way.smtp, way.recipient, sent, way.patience)))
    else:
        steps.append(("lmtp", partial(doors.by_lmtp, way.lmtp, way.recipient, sent, way.patience)))
    steps.append(("maildir", look))
    if way.imap is not None:
        steps.append(("imap", partial(_seen, way.imap, sent, way.patience)))
    try:
        for name, step in steps:
            _take(report, name, step)
            if report.error is not None:
                break
    finally:
        _clear(report, found, way)
    return report


def _raise(error: Exception) -> str:
    raise error


def _take(report: Report, name: str, step: Callable[[], str]) -> None:
    began = time.monotonic()
    said = ""
    try:
        said = step()
    except SievemdaError as error:
        report.failed, report.error = name, error
    except OSError as error:
        report.failed = name
        report.error = StoreTrouble(f"{error.filename or name}: {error.strerror or error}")
    report.hops.append(Hop(name, time.monotonic() - began, said or str(report.error)))


def _waited(look: Callable[[], Found | None], way: Way, sent: Letter) -> Found:
    until = time.monotonic() + way.patience
    while (found := look()) is None:
        if time.monotonic() >= until:
            raise TemporaryTrouble(
                f"the message was accepted and is in no folder of {way.userid}, nor in a shared one, "
                f"after {way.patience:g} s; `sievemda why {sent.message_id}` tells what became of it"
            )
        time.sleep(_PAUSE)
    return found


def _seen(imap: Imap, sent: Letter, patience: float) -> str:
    until = time.monotonic() + patience
    while True:
        try:
            return doors.imap(imap.where, imap.user, imap.password, sent, patience, tls=imap.tls)
        except TemporaryTrouble:
            if time.monotonic() >= until:
                raise
        time.sleep(_PAUSE_IMAP)


def _clear(report: Report, found: list[Found], way: Way) -> None:
    """What was sent is removed, whatever came after; that it cannot be is a failure of its own."""
    if way.keep:
        return
    try:
        for one in found:
            take_out(one)
    except (OSError, SievemdaError) as error:
        if report.error is None:
            report.failed = "maildir"
            report.error = StoreTrouble(f"the message cannot be removed: {error}")
