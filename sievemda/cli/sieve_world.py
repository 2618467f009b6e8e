"""The world that a dry run is to take place in, from the options of `sievemda sieve run`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from datetime import datetime

    from sievemda.mail.address import Address
    from sievemda.mail.envelope import Envelope
    from sievemda.mail.message import Message
    from sievemda.sieve.node import Inclusion
    from sievemda.sieve.program import Program
    from sievemda.sieve.rehearsal import Imagined

_SUFFIXES = (".sieve", ".siv", ".script", "")
_FOLDERS = {"personal": ("included", ""), "global": ("included-global", "global", "")}


_MOST = 1_000  # files of a folder that are looked at for names


@dataclass(frozen=True, slots=True)
class Shelf:
    """Scripts that may be included, in directories: DIR/included/NAME.sieve (included-global), or DIR/NAME.sieve."""

    directories: tuple[Path, ...]
    strict: bool = False

    def has(self, inclusion: Inclusion) -> bool:
        return self.path(inclusion.location, inclusion.name) is not None

    def text(self, inclusion: Inclusion) -> bytes | None:
        path = self.path(inclusion.location, inclusion.name)
        return path.read_bytes() if path else None

    def path(self, location: str, name: str) -> Path | None:
        """The file of a script; a name cannot lead out of the directory, since it has no slash."""
        for directory in self.directories:
            for folder in _FOLDERS[location]:
                for suffix in _SUFFIXES:
                    path = directory / folder / f"{name}{suffix}"
                    if _is_file(path):
                        return path
        return None

    def names(self, location: str) -> tuple[str, ...]:
        """The scripts that can be found under their names alone, those with a suffix, sorted."""
        found = set()
        for directory in self.directories:
            for folder in _FOLDERS[location]:
                with suppress(OSError):
                    files = islice((directory / folder).iterdir(), _MOST)
                    found |= {file.stem for file in files if file.suffix in _SUFFIXES[:-1]}
        return tuple(sorted(found))

    def loader(
        self, compiled: Callable[[bytes], Program], read: Callable[[str, str, bytes], object] | None = None
    ) -> Callable[[str, str], Program | None]:
        """How a run gets at them; what `compiled` raises is passed on. `read` is told of each text."""

        def load(location: str, name: str) -> Program | None:
            path = self.path(location, name)
            if path is None:
                return None
            text = path.read_bytes()
            if read is not None:
                read(location, name, text)
            return compiled(text)

        return load


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # not ours to look at
        return False


@dataclass(frozen=True, slots=True)
class World:
    """The options as they were given."""

    now: str | None
    mailboxes: tuple[str, ...]
    ids: tuple[str, ...]
    own: tuple[str, ...]
    environment: tuple[str, ...]
    seen: tuple[str, ...]
    uses: tuple[str, ...]
    annotations: tuple[str, ...]
    lists: tuple[str, ...]

    def facts(self, scripts: Callable[[str, str], Program | None]) -> Imagined:
        """Raises click.UsageError for an option that says nothing."""
        from sievemda.mail.annotation import canonical
        from sievemda.sieve.rehearsal import Imagined

        uses = _pairs("--special-use", "MAILBOX=USE", self.uses)
        entries = _pairs("--metadata", "[MAILBOX]ENTRY=VALUE", self.annotations)
        lists = _pairs("--list", "NAME=MEMBER,MEMBER", self.lists)
        return Imagined(
            moment(self.now),
            frozenset({"INBOX", *self.mailboxes, *(mailbox for mailbox, _ in uses)}),
            frozenset(address.lower() for address in self.own),
            lists={name: tuple(filter(None, members.split(","))) for name, members in lists},
            ids=frozenset(self.ids),
            uses={mailbox: frozenset(use for other, use in uses if other == mailbox) for mailbox, _ in uses},
            annotations={_entry(key, canonical): value for key, value in entries},
            items={name.lower(): value for name, value in _pairs("--env", "NAME=VALUE", self.environment)},
            past=frozenset(self.seen),
            scripts=scripts,
        )


def _entry(key: str, canonical: Callable[[str], str]) -> tuple[str, str]:
    """`Lists/shared/comment` is the entry /shared/comment of Lists; without a mailbox it is one of the server."""
    for root in ("/private/", "/shared/"):
        if (at := key.lower().find(root)) >= 0:
            return key[:at], canonical(key[at:])
    raise click.UsageError(f"--metadata: an entry begins with /private/ or /shared/: {key}", _context())


def _pairs(option: str, form: str, given: Iterable[str]) -> list[tuple[str, str]]:
    found = []
    for item in given:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{option}: not {form}: {item}", _context())
        found.append((name, value))
    return found


def moment(text: str | None) -> datetime:
    """The time of the run: now, or a date as in ISO 8601 or in a mail; without a zone it is local."""
    from datetime import datetime
    from email.utils import parsedate_to_datetime

    from sievemda.mail.dates import LocalZone

    if text is None:
        return datetime.now(LocalZone())
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=LocalZone())
    raise click.UsageError(f"--now: not a date: {text}", _context())


def envelope_of(message: Message, sender: str | None, recipient: str | None) -> Envelope:
    """As the options say, else as the header suggests."""
    from sievemda.mail.envelope import Envelope, Recipient, Sender
    from sievemda.sieve.rehearsal import recipient_of, sender_of

    null = sender is not None and sender.strip() in {"", "<>"}
    reverse_path = None if null else sender_of(message) if sender is None else _address("--from", sender)
    return Envelope(
        Sender(reverse_path), Recipient(recipient_of(message) if recipient is None else _address("--to", recipient))
    )


def _address(option: str, text: str) -> Address:
    from sievemda.mail.address import parse_address, strip_route

    path = text.strip()
    found = parse_address(strip_route(path[1:-1] if path.startswith("<") and path.endswith(">") else path))
    if found is None:
        raise click.UsageError(f"{option}: not an address: {text}", _context())
    return found


def _context() -> click.Context:
    return click.get_current_context()
