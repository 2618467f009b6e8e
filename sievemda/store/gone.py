"""Messages and files that have gone from one side of a move, and so are to go from the other: they are put away.

Why they are not removed: nobody has asked us to. That a reader has expunged something is concluded from what a
directory does not show, and a directory may show too little: somebody is just removing it, a disk fails. So messages
can be brought back for some days as those can that have expired (see `withdrawn`), and are pruned as those are. Files
of a user are kept as a repair keeps what it takes out of the way (see `lost`). What an IMAP server makes again by
itself is removed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import StoreTrouble
from sievemda.store import lost
from sievemda.store.copied import At
from sievemda.store.gathered import Gathering
from sievemda.store.maildir import show_removal
from sievemda.store.opened import Entry, OpenFolder
from sievemda.store.whose import tree_at
from sievemda.store.withdrawn import AREA

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

_WHY = "move"
_PATIENCE = 30.0  # seconds that one waits for another who takes messages out of the folder
_MADE_AGAIN = ("dovecot", "courier", "maildirsize", "maildirfolder", "subscriptions", "sievemda-", "quota")
_log = logging.getLogger(__name__)


def is_put_away(path: Path) -> bool:
    """Whether what lies at a path has been put away before: then it is left to those who prune."""
    return any(part in (AREA, lost.AREA) for part in path.parts)


def put_away(store: MailStore, mailbox: Mailbox | None, at: Sequence[At]) -> list[At]:
    """Take messages out of the directory of a mailbox so that they can be brought back: those that were there. OSError.

    StoreTrouble when nobody is there with whom to keep them, TemporaryTrouble when somebody has the folder for long.
    """
    if mailbox is None:
        raise StoreTrouble("there is nobody with whom what has gone could be kept")
    shown = store.namespace.format_admin(mailbox.name)
    taken = []
    with OpenFolder(mailbox, time.time(), _PATIENCE) as folder:
        folder.gathering = Gathering(folder, shown, _WHY)
        for part, name in at:
            if part in folder.parts:
                with suppress(FileNotFoundError):  # a reader was quicker
                    folder.gathering.take(Entry(folder, part, name))
                    taken.append((part, name))
        for _ in folder.gathering.leave():
            pass
        if "cur" in folder.parts:
            show_removal(folder.parts["cur"])
    if taken:
        said = "%s: %d messages that were removed while it was moved can be brought back with mailbox restore"
        _log.info(said, shown, len(taken))
    return taken


def put_file_away(store: MailStore, path: Path) -> None:
    """Take a file out of the way that is no message. OSError."""
    if path.name.startswith(_MADE_AGAIN) or path.is_symlink():
        path.unlink()
        return
    tree = tree_at(store, path.parent)
    if tree is not None:
        lost.take(tree, path)
