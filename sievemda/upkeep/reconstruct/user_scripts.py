"""The Sieve scripts of a user: the link to the active one, and files whose names no script can have."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.scripts.opening import noted
from sievemda.store import lost, script_names, scripts
from sievemda.store.files import open_directory
from sievemda.store.names import MailboxName
from sievemda.upkeep.reconstruct.findings import Work

if TYPE_CHECKING:
    from sievemda.store.layout import Tree

_LONG = "long-"


def mend_scripts(work: Work, tree: Tree) -> None:
    """OSError, StoreTrouble when they cannot be looked at."""
    if tree.owner is None:
        return
    home = work.store.home(tree.owner)
    shown = work.store.namespace.format_admin(MailboxName(tree.owner))
    for path in sorted(home.glob(f"{scripts.ACTIVE}.tmp-*")):
        if path.is_symlink():
            work.mend(shown, "unfinished", path, "it was never put in place", "removed", path.unlink)
    for path in _misnamed(home):
        _name(work, shown, tree, home, path)
    active = home / scripts.ACTIVE
    if active.is_symlink():
        _link(work, shown, tree.owner, home)
    elif os.path.lexists(active) and not stat.S_ISREG(active.lstat().st_mode):
        what, how = "it is neither a script nor a link to one", f"taken away, to {lost.AREA}"
        work.mend(shown, "script", active, what, how, lambda: f"it is {lost.take(tree, active)} now")


# -- the active one ----------------------------------------------------------------------------------------------------


def _link(work: Work, shown: str, owner: str, home: Path) -> None:
    """A link to an active script that is not there leads to the script that can only be meant."""
    active = home / scripts.ACTIVE
    target = active.readlink()
    inside = home / target.parent == home / scripts.FOLDER
    if active.exists():
        return
    found = scripts.ScriptStore(home)
    names = [script.name for script in found.list()]
    wanted = target.name.removesuffix(script_names.SUFFIX)
    meant = [name for name in names if name == wanted] or [name for name in names if name.lower() == wanted.lower()]
    candidates = meant or names
    what = f"the link to the active script leads nowhere: {target}"
    if len(candidates) == 1:
        (name,) = candidates
        why = "the only one there is" if not meant else "the one of that name" if not inside else "of nearly that name"
        how = f"script {name} is active now, {why}"

        def activate() -> None:
            with noted(work.store.settings, work.store, owner, "reconstruct"):
                found.activate(name)

        work.mend(shown, "script", active, what, how, activate)
    else:
        told = ", ".join(names) or "there is none"
        work.leave(shown, "script", active, what, f"activate one ({told}), or: sievemda script deactivate {owner}")


# -- names -------------------------------------------------------------------------------------------------------------


def _misnamed(home: Path) -> Iterator[Path]:
    folder = home / scripts.FOLDER
    try:
        os.close(open_directory(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for path in sorted(folder.iterdir()):
        if not path.name.endswith(script_names.SUFFIX) or path.is_symlink() or not path.is_file():
            continue
        if script_names.name_for(path.name, lambda beside: _beside(folder / beside)) is None:
            yield path


def _beside(path: Path) -> bytes:
    try:
        return _content(path)
    except OSError:
        return b""


def _content(path: Path) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        return file.read(scripts.MAX_READ)


def _name(work: Work, shown: str, tree: Tree, home: Path, path: Path) -> None:
    """It becomes a script under a name that can be one; as it was called it is kept."""
    found = scripts.ScriptStore(home, file_mode=work.store.files.message_mode)
    text = _content(path)
    name = _free(found, _sound(path.name), text)
    active = (home / scripts.ACTIVE).is_symlink() and (home / scripts.ACTIVE).resolve() == path.resolve()

    def take() -> str:
        with noted(work.store.settings, work.store, tree.owner or "", "reconstruct"):
            found.put(name, text)
            if active:
                found.activate(name)
        return f"it is script {name} now; as it was: {lost.take(tree, path)}"

    work.mend(shown, "script", path, "no script can be called that", f"it becomes script {name}", take)


def _sound(file: str) -> str:
    stem = os.fsencode(file.removesuffix(script_names.SUFFIX))
    try:
        text = stem.decode()
    except UnicodeDecodeError:
        text = stem.decode("latin-1")
    if text.startswith(_LONG):  # its own name stood in the file beside it
        text = f"recovered {text[:21]}"
    text = script_names.FORBIDDEN.sub("_", text)[: script_names.MAX_NAME - 10]
    return text or "recovered"


def _free(found: scripts.ScriptStore, name: str, text: bytes) -> str:
    """A name that nobody has, or that already is for that text: a run was killed before it had taken the file."""
    for number in itertools.count(1):
        wanted = name if number == 1 else f"{name} {number}"
        there = found.read(wanted)
        if there is None or there == text:
            return wanted
    return name
