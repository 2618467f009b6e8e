"""The outbox: a durable spool of outgoing mail, so that no delivery ever waits for another host.

One file per message in `new/`, named `DUE.ATTEMPTS.UNIQUE` so that a sorted listing is the queue. Its first line is
the envelope as JSON, the rest the message with LF line ends. `put` is Maildir's discipline: written and fsynced in
`tmp/`, renamed, the folder fsynced; after it returns, a crash loses nothing.

`run_due` hands on what is due. A message is tried by one process at a time (a lock on its file, which a dying holder
gives back), again after a pause that doubles, and given up at its age limit or when it is refused for good. Then the
sender of a redirected message gets a bounce; everything else was sent from nobody, and nobody is told but the log.

Why a failure to reach the submission ends the round: the next message would wait for the same time-out. A message can
be handed on twice if the machine dies between the hand-over and the unlink; never not at all.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from sievemda.config import Settings
from sievemda.delivery.notices import MAX_RETURNED, Failure, Unfinished, bounce, not_yet
from sievemda.delivery.outgoing import DsnOptions, Outgoing
from sievemda.delivery.srs import rewritten
from sievemda.delivery.submission import Answer, Delay, Refusal, Relayed, submit
from sievemda.logs import words
from sievemda.mail.message import Message
from sievemda.store.files import sync_directory, unique_name

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 6 * 3600  # seconds
_ROUND = 100  # messages of one run at most
_FORGOTTEN = 3600  # seconds after which a file in tmp/ belongs to nobody
_MAX_ENVELOPE = 1 << 16
_EXPIRED = "5.4.7"  # RFC 3463 §3.5
_HOOK = ".hook"  # ends the name of a webhook
_HOOKS = 30  # seconds of one run at most that webhooks may take


@dataclass(frozen=True, slots=True)
class _Item:
    """One message that we alone are handling; `file` stands at the beginning of the message."""

    path: Path
    file: BinaryIO
    kind: str
    sender: str
    recipient: str
    created: int
    attempts: int
    dsn: DsnOptions


class Outbox:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._root = settings.outbox_path
        self._new = self._root / "new"
        self._tmp = self._root / "tmp"
        self._swept = 0.0

    # --- in ------------------------------------------------------------------------------------------------------

    def put(self, outgoing: Outgoing) -> None:
        """Take a message, durably; raises OSError when it cannot."""
        now = int(time.time())
        unique = unique_name() + (_HOOK if outgoing.kind == "webhook" else "")
        envelope = {"kind": outgoing.kind, "from": outgoing.sender, "to": outgoing.recipient, "created": now}
        if outgoing.sender or outgoing.dsn != DsnOptions():  # a time limit holds for what came from nobody, too
            envelope["dsn"] = asdict(outgoing.dsn)
        temporary = self._tmp / unique
        try:
            with self._create(temporary) as file:
                file.write(json.dumps(envelope).encode() + b"\n")
                for block in outgoing.blocks():
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(self._new / _file_name(now, 0, unique))
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_directory(self._new)

    def _create(self, path: Path) -> BinaryIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            return os.fdopen(os.open(path, flags, 0o600), "wb")
        except FileNotFoundError:
            for folder in (self._new, self._tmp):  # in this order: when there is a tmp there is a new
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_directory(self._root)
            return os.fdopen(os.open(path, flags, 0o600), "wb")

    # --- out -----------------------------------------------------------------------------------------------------

    def run_due(self, now: float) -> int:
        """Hand on what is due; returns how many messages left the outbox. Raises nothing that a message causes."""
        self._sweep(now)
        left, patience = 0, time.monotonic() + _HOOKS
        for name in self._due(now)[:_ROUND]:
            if name.endswith(_HOOK) and time.monotonic() > patience:
                break
            with self._claim(self._new / name) as item:
                if item is None:
                    continue
                answer = self._try(item)
                left += self._settle(item, answer, now)
            if isinstance(answer, Delay) and answer.nobody_there:
                break
        return left

    def waiting(self) -> tuple[int, int]:
        """How many messages there are, and how many of them have been tried in vain. OSError."""
        try:
            names = os.listdir(self._new)  # noqa: PTH208 - names alone are wanted
        except FileNotFoundError:
            return 0, 0
        attempts = [name.split(".", 2)[1] for name in names if name.count(".") > 1]
        return len(attempts), sum(number != "0" for number in attempts)

    def _due(self, now: float) -> list[str]:
        try:
            names = os.listdir(self._new)  # noqa: PTH208 - names alone are wanted
        except FileNotFoundError:
            return []
        due = [name for name in names if name.partition(".")[0].isdigit() and int(name.partition(".")[0]) <= now]
        return sorted(due, key=lambda name: (name.endswith(_HOOK), name))

    @contextmanager
    def _claim(self, path: Path) -> Iterator[_Item | None]:
        """The message if nobody else has it in hand."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            yield None
            return
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                ours = path.stat().st_ino == os.fstat(file.fileno()).st_ino
            except (BlockingIOError, FileNotFoundError):  # in other hands, or gone from them meanwhile
                ours = False
            yield self._read(path, file) if ours else None

    def _read(self, path: Path, file: BinaryIO) -> _Item | None:
        try:
            envelope = json.loads(file.readline(_MAX_ENVELOPE))
            attempts = int(path.name.split(".")[1])
            kind, sender, recipient = (str(envelope[key]) for key in ("kind", "from", "to"))
            dsn = DsnOptions(**envelope.get("dsn", {}))
            return _Item(path, file, kind, sender, recipient, int(envelope["created"]), attempts, dsn)
        except (ValueError, KeyError, TypeError, IndexError) as e:
            bad = self._root / "bad"
            bad.mkdir(mode=0o700, exist_ok=True)
            path.rename(bad / path.name)
            log.error("outgoing message cannot be read %s", words(file=bad / path.name, error=e))  # noqa: TRY400
            return None

    def _try(self, item: _Item) -> Answer:
        try:
            if item.kind == "webhook":
                from sievemda.delivery.webhook import post  # noqa: PLC0415 - HTTP is seldom wanted

                return post(self._settings, item.recipient, item.file.read())
            sender = item.sender
            if self._settings.outbox.srs_domain and item.kind == "redirect":
                sender = rewritten(self._settings.outbox, sender, time.time())
            return submit(self._settings, sender, item.recipient, item.file, item.dsn)
        except Exception as e:
            log.exception("outgoing message %s", words(file=item.path.name))
            return Delay(repr(e))

    def _settle(self, item: _Item, answer: Answer, now: float) -> bool:
        """Whether the message has left the outbox, one way or another."""
        what = words(kind=item.kind, sender=item.sender or "<>", to=item.recipient, file=item.path.name)
        options = self._settings.outbox
        if isinstance(answer, Delay) and now - item.created < options.outbox_expire:
            pause = self._pause(item.attempts)
            self._tell_of_delay(item, now)
            later = _file_name(int(now) + pause, item.attempts + 1, item.path.name.split(".", 2)[2])
            item.path.rename(self._new / later)
            log.warning("outgoing message delayed %s", f"{what} {words(pause=pause, reason=answer.text)}")
            return False
        if answer is None or isinstance(answer, Relayed):
            log.info("outgoing message handed on %s", what)
            if answer is not None:
                self._notice(item, "relayed", "It was handed to a host that cannot be told by when to deliver it.")
        else:
            log.warning("outgoing message given up %s", f"{what} {words(reason=answer.text)}")
            self._bounce(item, answer)
        item.path.unlink()
        return True

    def _pause(self, attempts: int) -> int:
        return min(self._settings.outbox.outbox_retry << min(attempts, 20), _LONGEST_PAUSE)

    def _tell_of_delay(self, item: _Item, now: float) -> None:
        """Once, at the first attempt that fails when the time is over. RFC 2852 §4: mode `N`."""
        due = int(item.path.name.partition(".")[0])
        before = due - self._pause(item.attempts - 1) if item.attempts else item.created
        if before < item.dsn.by_until <= now:
            self._notice(item, "delayed", "It could not be delivered within the time that was set; it is tried on.")

    def _notice(self, item: _Item, action: Unfinished, text: str) -> None:
        """To a sender who has set a time, and has not said that he wants to hear of nothing. RFC 2852 §4."""
        if item.sender and item.dsn.notify != "NEVER":
            message = self._whole(item)
            self.put(not_yet(self._settings, item.sender, item.recipient, message, item.dsn, action, text))

    def _whole(self, item: _Item) -> Message:
        with item.path.open("rb") as file:
            file.readline(_MAX_ENVELOPE)
            return Message(file.read(MAX_RETURNED + 1))

    def _bounce(self, item: _Item, answer: Refusal | Delay) -> None:
        """RFC 5321 §6.1: never about a message from nobody; RFC 1891 §6.2.6: nor to who wants to hear of no failure."""
        if not item.sender or not item.dsn.failure:
            return
        failure = Failure(answer.status if isinstance(answer, Refusal) else _EXPIRED, answer.text)
        self.put(bounce(self._settings, item.sender, item.recipient, self._whole(item), item.dsn, failure))

    def _sweep(self, now: float) -> None:
        """Remove what crashes have left in tmp/, now and then."""
        if now - self._swept < _FORGOTTEN:
            return
        self._swept = now
        with contextlib.suppress(FileNotFoundError), os.scandir(self._tmp) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    if now - entry.stat(follow_symlinks=False).st_mtime > _FORGOTTEN:
                        Path(entry.path).unlink()


def _file_name(due: int, attempts: int, unique: str) -> str:
    return f"{due:010d}.{attempts}.{unique}"
