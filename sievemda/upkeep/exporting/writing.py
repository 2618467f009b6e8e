"""Exporting mailboxes in one format or another, mailbox by mailbox, and telling what became of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from sievemda.errors import SievemdaError, StoreTrouble
from sievemda.store.names import INBOX
from sievemda.upkeep.exporting.mbox import write_mbox
from sievemda.upkeep.exporting.numbers import Numbers
from sievemda.upkeep.exporting.snapshot import snapshot
from sievemda.upkeep.exporting.target import check_vacant, written
from sievemda.upkeep.importing.file_names import encoded

if TYPE_CHECKING:
    from sievemda.upkeep.exporting.choice import Choice, Chosen

Tick = Callable[[int], None]  # told the octets of each message


@dataclass(slots=True)
class Exported:
    """What became of one mailbox."""

    mailbox: str
    target: str
    renamed: bool = False  # it is called otherwise there, since a file cannot have its name
    messages: int = 0
    gone: int = 0  # removed by a reader before it was their turn
    error: SievemdaError | OSError | None = None


class Format(Protocol):
    def place(self, chosen: Chosen, *, single: bool) -> tuple[Path, bool]:
        """Where a mailbox goes, and whether it has another name there."""

    def check(self, chosen: Chosen, place: Path) -> None:
        """SievemdaError when what is there is in the way."""

    def write(self, chosen: Chosen, place: Path, tick: Tick) -> tuple[int, int]:
        """Messages written and gone. SievemdaError, OSError: nothing is under the name then that is not whole."""


def export(choice: Choice, form: Format, tick: Tick = lambda _: None, *, dry_run: bool = False) -> Iterator[Exported]:
    """Write one mailbox after the other. After StoreTrouble, as with a full disk, none follows.

    A `dry_run` looks at what is there and writes nothing.
    """
    for chosen in choice.chosen:
        place, renamed = form.place(chosen, single=choice.single)
        result = Exported(chosen.shown, str(place), renamed)
        try:
            if dry_run:
                form.check(chosen, place)
                result.messages = len(snapshot(chosen.mailbox).rows)
            else:
                result.messages, result.gone = form.write(chosen, place, tick)
        except OSError as error:
            result.error = StoreTrouble(f"{error.filename or place}: {error.strerror or error}")
        except SievemdaError as error:
            result.error = error
        yield result
        if isinstance(result.error, StoreTrouble):
            return


@dataclass(frozen=True, slots=True)
class AsMbox:
    """One file for each mailbox; below `X` lies `X.sbd/`."""

    target: Path
    form: str = "mboxrd"
    force: bool = False
    append: bool = False

    def place(self, chosen: Chosen, *, single: bool) -> tuple[Path, bool]:
        if single and not self.target.is_dir():
            return self.target, False
        folder = chosen.folder or chosen.mailbox.name.path[-1:] if single else chosen.folder
        parts = [encoded(part) for part in folder or (INBOX,)]
        base = [encoded(part) for part in chosen.base]
        path = self.target.joinpath(*base, *(f"{part}.sbd" for part in parts[:-1]), parts[-1])
        return path, parts != list(folder or (INBOX,))

    def check(self, chosen: Chosen, place: Path) -> None:  # noqa: ARG002
        if place == self.target or os.path.lexists(place):  # else its directory is made
            check_vacant(place, replace=self.force or self.append)

    def write(self, chosen: Chosen, place: Path, tick: Tick) -> tuple[int, int]:
        if place != self.target:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with written(place, force=self.force, append=self.append) as file:
            numbers = Numbers()
            if file.tell():
                _end_last(file)
                numbers = Numbers.of(file)
            told = write_mbox(chosen.mailbox, file.write, self.form, numbers=numbers, done=tick)
            numbers.put_right(file)
            return told


@dataclass(frozen=True, slots=True)
class AsStream:
    """All mailboxes, one after the other, as one mbox to a stream."""

    write_to: Callable[[bytes], object]
    form: str = "mboxrd"
    numbers: Numbers = field(default_factory=Numbers)

    def place(self, chosen: Chosen, *, single: bool) -> tuple[Path, bool]:  # noqa: ARG002
        return Path("-"), False

    def check(self, chosen: Chosen, place: Path) -> None:
        """Nothing can be in the way."""

    def write(self, chosen: Chosen, place: Path, tick: Tick) -> tuple[int, int]:  # noqa: ARG002
        return write_mbox(chosen.mailbox, self.write_to, self.form, numbers=self.numbers, done=tick)


def _end_last(file: BinaryIO) -> None:
    """An empty line behind the last message of a file that has none there."""
    size = file.tell()
    file.seek(max(size - 4, 0))
    tail = file.read().replace(b"\r\n", b"\n")
    file.seek(size)
    if not tail.endswith(b"\n\n"):
        file.write(b"\n" if tail.endswith(b"\n") else b"\n\n")
