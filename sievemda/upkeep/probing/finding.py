"""Looking for the message in the folders of its recipient, reading it back, and taking it out again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store.maildir import show_removal
from sievemda.store.staging import read_blocks

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.probing.letter import Letter

_EARLIER = 5.0  # seconds that clocks of the store and of this machine may differ


@dataclass(frozen=True, slots=True)
class Found:
    mailbox: Mailbox
    file: Path
    whole: bool


def find(store: MailStore, userid: str, sent: Letter, since: float) -> Found | None:
    """The message, if it is in any folder of the user, or in a shared one. OSError."""
    for mailbox in _likeliest_first(store, userid):
        for file in _new_ones(mailbox, since, len(sent.content)):
            with suppress(FileNotFoundError):  # a reader has just renamed it
                content = b"".join(read_blocks(file))
                if sent.is_in(content):
                    return Found(mailbox, file, sent.is_whole_in(content))
    return None


def take_out(found: Found) -> None:
    """Remove the message and tell its quota root; a reader may have renamed it meanwhile. OSError."""
    base = found.file.name.partition(":")[0]
    removed = False
    for part in ("new", "cur"):
        with suppress(FileNotFoundError):
            for name in os.listdir(found.mailbox.path / part):  # noqa: PTH208 - names alone are wanted
                if name.partition(":")[0] == base:
                    (found.mailbox.path / part / name).unlink(missing_ok=True)
                    removed = True
    if removed:
        show_removal(found.mailbox.path / "cur")
    if removed and (root := found.mailbox.quota_root()) is not None:
        root.changed()


def _likeliest_first(store: MailStore, userid: str) -> Iterator[Mailbox]:
    yield from sorted(store.mailboxes_of(userid), key=lambda mailbox: (not mailbox.name.is_inbox, mailbox.name.path))
    domain = userid.partition("@")[2]
    for each in dict.fromkeys((domain, "")):
        yield from store.mailboxes_of(None, each)


def _new_ones(mailbox: Mailbox, since: float, least: int) -> Iterator[Path]:
    """Files that came since then and are large enough. Somebody's link is no message."""
    for part in ("new", "cur"):
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(mailbox.path / part) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    if status.st_mtime >= since - _EARLIER and status.st_size >= least // 2:
                        yield Path(entry.path)
