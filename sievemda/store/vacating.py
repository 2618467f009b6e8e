"""Homes that an IMAP server has made where a user is about to come, or was: they go out of the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store import aside, copied, maildirsize, quota_state, record
from sievemda.store.files import is_directory
from sievemda.store.layout import MAILDIR
from sievemda.store.record import Record
from sievemda.store.whose import tree_at

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore

_THEIRS = {"maildirfolder", maildirsize.FILE_NAME, quota_state.FILE_NAME, "subscriptions"}  # beside `dovecot...`


def vacate(store: MailStore, home: Path) -> None:
    """Take a home out of the way in which there is nothing of ours or of its owner but mail. OSError.

    An IMAP server makes such of somebody whom it looks for on one partition alone, or who has moved while he was logged
    in. Mail that is in it, or arrives there, follows.
    """
    if not is_directory(home) or is_directory(home / "cur") or any(map(is_directory, _others(home))):
        return
    if _is_shown(store, home):
        return
    if all(_says_nothing(store, path) for path in copied.other_files(home)):
        aside.set_aside(store, str(home), store.layout.partition_of(home), [home], to=home)


def _is_shown(store: MailStore, home: Path) -> bool:
    """Whether folders lie there of a user whose INBOX is elsewhere."""
    tree = tree_at(store, home)
    if tree is None or tree.root.is_relative_to(home):
        return False
    return any(found.path.is_relative_to(home) for found in store.mailboxes_of(tree.owner, tree.domain))


def _others(home: Path) -> list[Path]:
    """What is beside the Maildir. A directory there, as one for scripts, was not made by an IMAP server."""
    return [path for path in home.iterdir() if path.name != MAILDIR]


def _says_nothing(store: MailStore, path: Path) -> bool:
    """Whether a file is one that IMAP servers make, or that a delivery made which came too late."""
    if path.name == record.FILE_NAME:
        found = store.files.records.get(path.parent)
        return found == Record(found.id)
    return path.name.startswith("dovecot") or path.name in _THEIRS
