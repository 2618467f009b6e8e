"""The scripts of a home that goes to another file system: none is changed from the last look at them to the end.

Why they are copied once more, with the lock of `scripts` held: what follows a copy comes when that is in its place
already (see `leftovers`), and who has just stored a script would see the one from before. A script that was copied and
is not there any more is kept (see `lost`), as everything is that goes while a home moves.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

from sievemda.store import lost
from sievemda.store.active_link import ACTIVE, FOLDER
from sievemda.store.copying import copy_directory, copy_entry
from sievemda.store.files import is_directory
from sievemda.store.layout import MAILDIR, Tree
from sievemda.store.links import hold
from sievemda.store.script_names import SUFFIX


def bring(home: Path, copy: Path, held: ExitStack) -> None:
    """Have the copy of a home, which nobody uses yet, the scripts of now; they stay so until `held` is closed. OSError.

    Where somebody else holds the lock for long, they follow as other files do.
    """
    if not (is_directory(home / MAILDIR) and is_directory(home / FOLDER) and _held(home / FOLDER, held)):
        return
    _keep_what_has_gone(home / FOLDER, copy)
    shutil.rmtree(copy / FOLDER, ignore_errors=True)
    copy_directory(home / FOLDER, copy / FOLDER)
    (copy / ACTIVE).unlink(missing_ok=True)
    if os.path.lexists(home / ACTIVE):
        copy_entry(home / ACTIVE, copy / ACTIVE)
    _held(copy / FOLDER, held)


def _keep_what_has_gone(folder: Path, copy: Path) -> None:
    if not is_directory(copy / FOLDER):
        return
    tree = Tree(None, "", "", copy / MAILDIR)
    for path in sorted((copy / FOLDER).iterdir()):
        if path.suffix == SUFFIX and not os.path.lexists(folder / path.name):
            lost.take(tree, path)


def _held(folder: Path, held: ExitStack) -> bool:
    try:
        return hold(folder, held)
    except OSError:  # a file system without locks
        return False
