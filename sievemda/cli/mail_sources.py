"""Where `sieve run` takes its messages from: message files, mboxes, Maildirs, directories of messages, standard input.

They are read one at a time, so that a mailbox may be larger than memory; what cannot be read is counted and passed
over.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

from sievemda.cli.sieve_input import Unreadable
from sievemda.mail.mbox import Letter, is_mbox, letters

if TYPE_CHECKING:
    from sievemda.mail.address import Address
    from sievemda.mail.message import Message

MOST = 128 << 20  # octets of one message
_BEGINNING = 4096  # octets by which an mbox is known


@dataclass(frozen=True, slots=True)
class Mail:
    """One message: `where` it was found, and its octets, or what is wrong with it.

    `sender` is the address of an mbox's `From ` line. `done` is how much of all the input is behind it.
    """

    where: str
    data: bytes
    sender: str = ""
    problem: str = ""
    done: int = 0

    @property
    def message(self) -> Message:
        from sievemda.sieve.rehearsal import message_of

        return message_of(self.data)

    @property
    def reverse_path(self) -> str | None:
        """What an mbox says of the sender: `<>` for the null one, `None` when it says nothing."""
        if self.sender.upper() == "MAILER-DAEMON":
            return "<>"
        from sievemda.mail.address import parse_address

        return self.sender if "@" in self.sender and parse_address(self.sender) else None


class Sources:
    """The messages of the files named on the command line; a context, which closes what it has opened.

    `kind` is auto, message or mbox: how a file is read. Raises `Unreadable` for a file that is not there.
    """

    def __init__(self, names: Sequence[str], kind: str = "auto") -> None:
        self._stack = ExitStack()
        self._kind = kind
        self._files = [(name, self._paths(name)) for name in names]
        self.length = sum(_size(path) for _, paths in self._files for path in paths)  # octets, or so
        self._first: list[Mail] = []
        self._rest = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def are_many(self) -> bool:
        """Whether there is more than one message, or what was named is a place for many."""
        if len(self._files) != 1 or any(Path(name).is_dir() for name, _ in self._files if name != "-"):
            return True
        self._first += islice(self._rest, 2 - len(self._first))
        return len(self._first) > 1

    def __iter__(self) -> Iterator[Mail]:
        return chain(self._first, self._rest)

    def _paths(self, name: str) -> Sequence[Path]:
        path = Path(name)
        if name == "-":
            return ()
        try:
            path.stat()
            return messages_of(path) if path.is_dir() else (path,)
        except OSError as e:
            raise Unreadable(f"cannot read {name}: {e.strerror or e}") from e

    def _read(self) -> Iterator[Mail]:
        done = 0
        for name, paths in self._files:
            several = len(paths) != 1 or str(paths[0]) != name
            if name == "-":
                yield from self._file("standard input", self._spooled(sys.stdin.buffer), done, whole=False)
            for path in paths:
                try:
                    file: BinaryIO = path.open("rb")
                except OSError as e:
                    if not several:
                        raise Unreadable(f"cannot read {name}: {e.strerror or e}") from e
                    yield Mail(str(path), b"", problem=e.strerror or str(e), done=done)
                    continue
                with file:
                    whole = file if file.seekable() else self._spooled(file)
                    yield from self._file(str(path), whole, done, whole=several)
                done += _size(path)

    def _file(self, name: str, file: BinaryIO, done: int, *, whole: bool) -> Iterator[Mail]:
        """The messages of one file. `whole`: it is one message, since it lies in a directory of such."""
        try:
            beginning = file.read(_BEGINNING)
            file.seek(0)
            if self._kind == "mbox" or (self._kind == "auto" and not whole and is_mbox(beginning)):
                yield from _mbox(name, file, done)
                return
            data = file.read(MOST + 1)
        except OSError as e:
            if not whole:
                raise Unreadable(f"cannot read {name}: {e.strerror or e}") from e
            yield Mail(name, b"", problem=e.strerror or str(e), done=done)
            return
        problem = f"larger than {MOST >> 20} MiB" if len(data) > MOST else ""
        yield Mail(name, data, problem=problem, done=done + len(data))

    def _spooled(self, source: BinaryIO) -> BinaryIO:
        """A file that can be sought in, with what comes from one that cannot."""
        spool = self._stack.enter_context(tempfile.SpooledTemporaryFile(MOST))  # noqa: SIM115
        shutil.copyfileobj(source, spool)
        spool.seek(0)
        return spool  # type: ignore[return-value]


def _mbox(name: str, file: BinaryIO, done: int) -> Iterator[Mail]:
    found: list[Letter] = []
    reader = letters(file, MOST)
    found += islice(reader, 2)
    if len(found) == 1 and found[0].complete:  # a message with a line of an mbox: its end is that of the file
        file.seek(0)
        yield Mail(name, file.read(MOST), found[0].sender, done=done + found[0].end)
        return
    for number, letter in enumerate(chain(found, reader), 1):
        problem = "" if letter.complete else f"larger than {MOST >> 20} MiB"
        yield Mail(f"{name} {number}", letter.data, letter.sender, problem, done + letter.end)


def messages_of(directory: Path) -> list[Path]:
    """The messages of a Maildir, in the order of their names; of any other directory its files, but for hidden ones."""
    folders = [directory / name for name in ("new", "cur") if (directory / name).is_dir()]
    found = [path for folder in folders or [directory] for path in folder.iterdir() if not path.name.startswith(".")]
    return sorted((path for path in found if path.is_file()), key=lambda path: path.name)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def only_wanted(mails: Iterator[Mail], wanted: str) -> Iterator[Mail]:
    """The message of that number, from 1, or those with that Message-ID."""
    for number, mail in enumerate(mails, 1):
        if wanted.isdecimal() and len(wanted) < 16:
            if number == int(wanted):
                yield mail
                return
        elif not mail.problem and any(wanted in {v, v.strip("<> ")} for v in mail.message.values("Message-ID")):
            yield mail


def sender_said_by(mail: Mail, message: Message, given: str | None) -> str | None:
    """The sender as the options say, else as the mbox does where no Return-Path does."""
    if given is not None or message.raw_values("Return-Path"):
        return given
    return mail.reverse_path


def delivered_to(message: Message) -> Address | None:
    """Whom a Delivered-To names, when no Envelope-To does."""
    if message.raw_values("Envelope-To"):
        return None
    for addresses in message.addresses("Delivered-To"):
        if addresses and not isinstance(addresses, str):
            return addresses[0]
    return None
