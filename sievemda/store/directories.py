"""Making the directories that a store consists of."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store.files import sync_directory
from sievemda.store.layout import OURS

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore


def make_directory(store: MailStore, path: Path) -> None:
    """Make a directory and those above it: mail with the mode for folders, what lies above the partitions as usual.

    Other users must get through the data directory to the socket in it, and nowhere further.
    """
    if path.name in OURS and path.is_symlink():
        raise OSError(errno.ELOOP, "is a link, where the partition must have a directory", str(path))
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for directory in reversed(missing):
        mode = store.files.folder_mode if store.layout.holds(directory) else 0o777
        directory.mkdir(mode=mode, exist_ok=True)
        sync_directory(directory.parent)
