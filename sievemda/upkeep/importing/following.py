"""What has happened to messages at their source since they were copied, done to the copies.

Each flag follows who has changed it: what was set or taken away at the source since the last run is set or taken away
here, all else stays as it is here. A message that was expunged there is removed when that is wanted and nobody has
touched the copy; whoever has moved a copy elsewhere, or removed it, has decided.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import StoreTrouble
from sievemda.store.messages import flags_of
from sievemda.store.opened import OpenFolder
from sievemda.store.removal import BATCH, remove
from sievemda.upkeep.importing.copies import TOUCHED, Copies, Copy, remembered

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.opened import Entry

_LATEST = float("inf")
_ATTEMPTS = 3  # with a message that a reader renames meanwhile


@dataclass(slots=True)
class Followed:
    """How many messages got other flags, and how many were removed."""

    marked: int = 0
    removed: int = 0


class Following:
    """One folder. `flags` are those at the source now, `gone` the numbers that are not there any longer."""

    def __init__(self, mailbox: Mailbox, copies: Copies, *, name: str, keep: bool, dry: bool = False) -> None:
        self._mailbox = mailbox
        self._copies = copies
        self._name = name
        self._keep = keep
        self._dry = dry
        self._noted: dict[int, Copy] = {}
        self.done = Followed()

    def run(self, known: Mapping[int, Copy], flags: Mapping[int, tuple[str, ...]], gone: Collection[int]) -> Followed:
        """Raises StoreTrouble, TemporaryTrouble and OSError; what is done by then is counted in `done`."""
        changed = {number: remembered(said) for number, said in flags.items() if number in known}
        changed = {number: said for number, said in changed.items() if _set(said) != _set(known[number].flags)}
        wanted = {known[number].unique: number for number in (*changed, *(one for one in gone if one in known))}
        if not wanted:
            return self.done
        with OpenFolder(self._mailbox, _LATEST) as folder:
            victims: list[Entry] = []
            try:
                for entry in folder.entries():
                    number = wanted.get(entry.unique)
                    if number is None or number in self._noted:  # one that was renamed may be shown once more
                        continue
                    if number in changed:
                        self._mark(folder, entry, number, known[number], changed[number])
                    elif entry.letters == known[number].letters:
                        victims.append(entry)
                self._remove(folder, victims, {copy.unique: copy.letters for copy in known.values()})
            finally:
                self._note(folder)
        return self.done

    def _mark(self, folder: OpenFolder, entry: Entry, number: int, copy: Copy, there: tuple[str, ...]) -> None:
        added = tuple(flag for flag in there if flag.lower() not in _set(copy.flags))
        taken = _set(copy.flags) - _set(there)
        found: Entry | None = entry
        for _ in range(_ATTEMPTS):
            if found is None:
                return
            letters = self._letters(found, added, taken)
            try:
                if letters != found.letters and not self._dry:
                    self._rename(folder, found, letters)
            except FileNotFoundError:
                found = folder.again(found)
                continue
            touched = found.letters != copy.letters
            self._noted[number] = Copy(copy.unique, TOUCHED if touched else letters, there)
            self.done.marked += letters != found.letters
            return

    def _letters(self, entry: Entry, added: tuple[str, ...], taken: set[str]) -> str:
        kept = {letter for letter in entry.letters if not _set(flags_of(self._mailbox, Path(f"x:2,{letter}"))) & taken}
        if added and not self._dry:
            kept |= set(self._mailbox.store.keywords.letters(self._mailbox.path, added))
        elif added:
            return "".join(sorted(kept)) + TOUCHED  # a dry run makes no keyword
        return "".join(sorted(kept))

    def _rename(self, folder: OpenFolder, entry: Entry, letters: str) -> None:
        name = f"{entry.name.partition(':2,')[0]}:2,{letters}"
        os.rename(entry.name, name, src_dir_fd=entry.fd, dst_dir_fd=folder.parts["cur"])

    def _remove(self, folder: OpenFolder, victims: list[Entry], came: Mapping[str, str]) -> None:
        if self._dry:
            self.done.removed += len(victims)
            return
        for start in range(0, len(victims), BATCH):
            batch = victims[start : start + BATCH]
            still = lambda entry: came.get(entry.unique) == entry.letters  # noqa: E731
            done = remove(folder, batch, still, name=self._name, keep=self._keep)
            self.done.removed += done.messages
            root = self._mailbox.quota_root()
            if root is not None and done.messages:
                root.changed()
            if done.error is not None:
                raise StoreTrouble(f"{self._mailbox.path}: {done.error.strerror or done.error}") from done.error

    def _note(self, folder: OpenFolder) -> None:
        """The flags first: who dies in between compares once more, and finds nothing to do."""
        if self._noted and not self._dry:
            with suppress(KeyError):
                os.fsync(folder.parts["cur"])
            self._copies.note(self._noted)
            self._copies.tidy()


def follow(
    mailbox: Mailbox,
    copies: Copies,
    flags: Mapping[int, tuple[str, ...]],
    gone: Collection[int] = (),
    *,
    name: str,
    keep: bool,
    dry: bool = False,
) -> Followed:
    """See `Following`; `name` is the folder's for people, to `keep` means that what is removed can be brought back."""
    return Following(mailbox, copies, name=name, keep=keep, dry=dry).run(copies.read(), flags, gone)


def _set(flags: tuple[str, ...]) -> set[str]:
    return {flag.lower() for flag in flags}
