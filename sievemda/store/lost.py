"""What a repair takes out of the way and nobody has asked to be deleted: it is kept, and told where.

    HOME/lost./NAME.UNIQUE      a control file, or whatever stood in its place, as it was found

HOME is beside the Maildir, as for `withdrawn`: no IMAP server sees it, no quota counts it, and it moves and goes with
the user. Nothing here is ever removed by the program: what could not be understood may be all that somebody has.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store.copying import copy_file
from sievemda.store.files import open_directory, sync_directory, unique_name

if TYPE_CHECKING:
    from sievemda.store.layout import Tree

AREA = "lost."


def area(tree: Tree) -> Path:
    """Where the things of a tree lie; it need not be there."""
    return tree.root.parent / AREA


def keep(tree: Tree, file: Path) -> Path:
    """Keep a file as it is now, which stays where it is and is to be replaced, not changed: where it is kept. OSError.

    FileNotFoundError when it has gone.
    """
    place = _place(tree, file)
    try:
        os.link(file, place, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP):
            raise
        copy_file(file, place)
    sync_directory(place.parent)
    return place


def take(tree: Tree, path: Path) -> Path:
    """Take whatever it is out of its place: where it is kept. OSError, also for a directory of another file system."""
    place = _place(tree, path)
    try:
        path.rename(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy_file(path, place)
        path.unlink()
    sync_directory(place.parent)
    sync_directory(path.parent)
    return place


def _place(tree: Tree, path: Path) -> Path:
    directory = area(tree)
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    os.close(open_directory(directory))  # no link of somebody's
    return directory / f"{path.name.lstrip('.')[:100]}.{unique_name()}"
