"""Which scripts are active: `HOME/.dovecot.sieve` leads to the one, or to a list of them, `HOME/sieve/.active`.

The list is a script that includes them in their order, so that another program that reads the link runs them, too. We
read the names out of it and run the scripts one after the other.

A link that a person has made may lead to a script elsewhere, `~/rules/my.sieve`. Where it is the user's, it is taken in
as a plain file is, or the first click of a client would lose it. Whose it is its owner says: a user with a shell could
make a link to any file, and have us show it to him.
"""

from __future__ import annotations

import glob
import os
import re
import secrets
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sievemda.store.files import sync_file
from sievemda.store.script_files import MAX_READ, write_new

ACTIVE = ".dovecot.sieve"
FOLDER = "sieve"
LIST = ".active"  # in the folder

_TEMPORARY = f"{ACTIVE}.tmp-"
_HEAD = b'# The scripts that are active, in the order in which they run. Written by sievemda.\nrequire "include";\n'
_NAME = re.compile(r'^include :personal "((?:[^"\\]|\\.)*)";\r?$', re.MULTILINE)


def render(names: Sequence[str]) -> bytes:
    """The list."""
    quoted = (re.sub(r'(["\\])', r"\\\1", name) for name in names)
    return _HEAD + "".join(f'include :personal "{name}";\n' for name in quoted).encode()


def names_in(text: bytes) -> tuple[str, ...]:
    """The names of a list, each once, in order."""
    found = _NAME.findall(text.decode("utf-8", "replace"))
    return tuple(dict.fromkeys(re.sub(r"\\(.)", r"\1", name) for name in found))


class ActiveLink:
    """The link in one home. OSError."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.path = home / ACTIVE

    def target(self) -> str:
        """The file in the folder that it names, by whatever path; empty when there is no link or it leads elsewhere."""
        try:
            target = self.path.readlink()
            beside, folder = self._home / target.parent, self._home / FOLDER
            return target.name if beside == folder or beside.samefile(folder) else ""
        except OSError:
            return ""

    def is_plain(self) -> bool:
        """Whether it is a script itself, or leads to one of the user's that is not in the folder."""
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            return False
        if not stat.S_ISLNK(found.st_mode):
            return stat.S_ISREG(found.st_mode)
        return not self.target() and self.elsewhere() is not None

    def elsewhere(self) -> bytes | None:
        """The script that the link leads to, when its owner is that of the home."""
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        with open(file, "rb") as opened:  # noqa: PTH123 - a descriptor, not a path
            found = os.fstat(file)
            ours = stat.S_ISREG(found.st_mode) and found.st_uid == self._home.stat().st_uid
            return opened.read(found.st_size) if ours and found.st_size <= MAX_READ else None

    def take_in(self, folder: int, file: str, mode: int) -> bool:
        """Have the script that is plain in the folder, too; False when it is not there any more. FileExistsError."""
        if not self.path.is_symlink():
            os.link(self.path, file, dst_dir_fd=folder, follow_symlinks=False)
        elif (text := self.elsewhere()) is not None:
            write_new(folder, file, text, mode)
        else:
            return False
        sync_file(folder)
        return True

    def lead_to(self, file: str) -> None:
        """Atomically, by who holds the lock on the scripts; a relative link, since a home can be moved."""
        for left in self._home.glob(f"{glob.escape(_TEMPORARY)}*"):  # by a crash
            left.unlink(missing_ok=True)
        temporary = self._home / f"{_TEMPORARY}{secrets.token_hex(8)}"
        temporary.symlink_to(f"{FOLDER}/{file}")
        try:
            temporary.rename(self.path)
        except BaseException:
            temporary.unlink()
            raise
        self.sync()

    def remove(self) -> None:
        with suppress(FileNotFoundError):
            self.path.unlink()
        self.sync()

    def sync(self) -> None:
        """See to it that the home's entries are on the disk."""
        home = os.open(self._home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            sync_file(home)
        finally:
            os.close(home)
