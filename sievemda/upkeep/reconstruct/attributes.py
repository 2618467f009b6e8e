"""Files in which lines are pairs of key and value, as Dovecot keeps annotations at the root of a tree."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from sievemda.store import lost
from sievemda.store.annotations import DOVECOT_FILE
from sievemda.store.dictfile import decode, encode
from sievemda.store.files import Damaged, Dotlock, read_control_file
from sievemda.store.names import MailboxName
from sievemda.upkeep.reconstruct.findings import Work

if TYPE_CHECKING:
    from sievemda.store.layout import Tree

_KEYS = ("shared/", "priv/")


def salvaged(content: bytes) -> dict[str, str] | None:
    """What can be understood of a damaged file; None for a sound one."""
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    pairs: list[str] = []
    at, damaged = 0, lines[-1] != ""
    while at < len(lines):
        key = lines[at]
        if not key and at == len(lines) - 1:
            break
        if key.startswith(_KEYS) and at + 2 < len(lines) and not lines[at + 1].startswith(_KEYS):
            pairs += lines[at : at + 2]
            at += 2
        else:
            damaged = True
            at += 1
    sound = "".join(f"{line}\n" for line in pairs).encode("utf-8", "surrogateescape")
    return dict(decode(sound)) if damaged else None


def mend_attributes(work: Work, tree: Tree) -> None:
    """What clients have set over IMAP. What is lost of it is kept as it was."""
    if tree.owner is None:
        return
    path = tree.root / DOVECOT_FILE
    shown = work.store.namespace.format_admin(MailboxName(tree.owner))
    try:
        content = read_control_file(path)
    except OSError as error:
        if not (isinstance(error, Damaged) or path.is_symlink()):
            raise
        what, how = "it is no file that can be read", f"taken away, to {lost.AREA}"
        work.mend(shown, "attributes", path, what, how, lambda: f"it is {lost.take(tree, path)} now")
        return
    if content is None or salvaged(content) is None:
        return

    def write() -> str:
        mode = stat.S_IMODE(path.lstat().st_mode) or work.store.files.message_mode
        with Dotlock(path, mode) as lock:
            sound = salvaged(read_control_file(path) or b"")
            if sound is None:
                raise FileNotFoundError(os.fspath(path))
            kept = lost.keep(tree, path)
            lock.replace(encode(sound))
        return f"written anew with what can be read; as it was: {kept}"

    work.mend(shown, "attributes", path, "it is not made of keys and values", "written anew", write)
