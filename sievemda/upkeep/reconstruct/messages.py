"""The messages of a folder: sizes in names, flags, names that two have, and what is no message.

Only names and the directory's word on each file are looked at, so that a hundred thousand messages take seconds; a
message is read when its size is not what its name says (or with `check_sizes`). One that a reader renames meanwhile is
his. What a compressing or encrypting reader wrote is smaller or larger than its name says, and that is right.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store.files import unique_name
from sievemda.store.staging import read_blocks
from sievemda.store.uidlist import uids
from sievemda.upkeep.reconstruct.access import mend_access
from sievemda.upkeep.reconstruct.content import is_packed, is_whole
from sievemda.upkeep.reconstruct.findings import Work
from sievemda.upkeep.reconstruct.hands import Hands, Place
from sievemda.upkeep.reconstruct.message_names import Name, placed

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox

_SOUND = re.compile(r"([^\x00-\x1f\x7f,:.][^\x00-\x1f\x7f,:]*),S=(\d+)(?:,W=\d+)?(?::2,([A-Za-z]*))?")
UNFINISHED = 36 * 3600.0  # seconds after which Maildir takes a file for abandoned


@dataclass(slots=True)
class Seen:
    part: str
    name: str
    stat: os.stat_result

    @property
    def place(self) -> tuple[str, str]:
        return self.part, self.name

    def path(self, folder: Path) -> Path:
        return folder / self.part / self.name


class Messages:
    """One look at the messages of a folder. OSError when its directories cannot be read."""

    def __init__(self, work: Work, mailbox: Mailbox, shown: str) -> None:
        self._work = work
        self._mailbox = mailbox
        self._shown = shown
        self._numbered: set[str] | None = None
        self._sorted: set[str] = set()  # letters of flags that have been found as they should be
        self.letters: set[str] = set()  # of keywords

    def mend(self) -> None:
        parents = {part: self._stat(part) for part in ("new", "cur")}
        by_name: dict[str, Place | list[Place]] = {}
        with Hands(self._mailbox) as hands:
            for seen in self._look():
                self._work.messages += 1
                unique = self._sound(seen, parents[seen.part])
                if not unique:
                    self._access(seen, parents[seen.part])
                    self._one(hands, seen)
                    unique = Name.of(seen.name).unique
                other = by_name.setdefault(unique, (place := seen.place))
                if isinstance(other, list):
                    other.append(place)
                elif other is not place:
                    by_name[unique] = [other, place]
            for several in by_name.values():
                if isinstance(several, list):
                    self._doubled(hands, several)

    def _sound(self, seen: Seen, parent: os.stat_result | None) -> str:
        """The unique part of a name that is as it should be, as most are; nothing for one to be looked at."""
        found = _SOUND.fullmatch(seen.name)
        if found is None or self._work.options.check_sizes or (seen.part == "cur") is not (found[3] is not None):
            return ""
        mode = seen.stat
        if int(found[2]) != mode.st_size or mode.st_mode & 0o600 != 0o600 or (parent and mode.st_uid != parent.st_uid):
            return ""
        letters = found[3] or ""
        if letters and letters not in self._sorted:
            if "".join(sorted(set(letters))) != letters:
                return ""
            self._sorted.add(letters)
            self.letters.update(letter for letter in letters if letter.islower())
        return found[1]

    def _stat(self, part: str) -> os.stat_result | None:
        try:
            return os.lstat(self._mailbox.path / part)
        except FileNotFoundError:
            return None

    def _look(self) -> Iterator[Seen]:
        """What is no message is told and left out. Both parts are read before anything goes from one to the other."""
        found = []
        for part in ("new", "cur"):
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(self._mailbox.path / part) as entries:
                found += [(part, entry) for entry in entries]
        for part, entry in found:
            try:
                seen = Seen(part, entry.name, entry.stat(follow_symlinks=False))
            except FileNotFoundError:
                continue
            if stat.S_ISREG(seen.stat.st_mode) and entry.name[0] != ".":
                yield seen
            else:
                self._odd(seen)

    # -- what is no message ------------------------------------------------------------------------------------------

    def _odd(self, seen: Seen) -> None:
        path = seen.path(self._mailbox.path)
        mode = seen.stat.st_mode
        if stat.S_ISLNK(mode):
            self._work.leave(self._shown, "link", path, "a symbolic link is no message", "look where it leads")
        elif stat.S_ISDIR(mode) and path not in self._work.coming:
            what = "a directory where messages are"
            self._work.leave(self._shown, "directory", path, what, "look what is in it, and move it away")
        elif not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            self._work.leave(self._shown, "special", path, "neither a file nor a directory", "remove it")
        elif stat.S_ISREG(mode) and not seen.name.startswith(".nfs") and seen.stat.st_mtime < time.time() - UNFINISHED:
            self._hidden(seen, path)

    def _hidden(self, seen: Seen, path: Path) -> None:
        """Readers do not see what begins with a dot."""
        if is_whole(path):
            target = placed(seen.part, self._shown_name(seen))

            def show() -> None:
                with Hands(self._mailbox) as hands:
                    hands.rename(seen.place, target)

            how = f"renamed to {target[1]}"
            self._work.mend(self._shown, "hidden", path, "a message that no reader sees for the dot", how, show)
            self._expect(seen.stat.st_size, 1)
        else:
            self._work.note(self._shown, "hidden", path, "no reader sees it, and it is no message")

    def _expect(self, octets: int, messages: int = 0) -> None:
        if self._work.options.dry_run:
            self._work.expect(self._mailbox.quota_root(), octets, messages)

    def _shown_name(self, seen: Seen) -> Name:
        """Its name without the dot, when that can be one and is right, else another with the same flags."""
        name = Name.of(seen.name.lstrip("."))
        self.letters.update(letter for letter in name.letters if letter.islower())
        if name.can_be and name.size == seen.stat.st_size:
            return name
        size = seen.stat.st_size
        return Name(unique_name(), name.info).with_sizes(size, size + _lines(seen.path(self._mailbox.path)))

    # -- one message ---------------------------------------------------------------------------------------------------

    def _access(self, seen: Seen, parent: os.stat_result | None) -> None:
        if parent is not None:
            mend_access(self._work, self._shown, seen.path(self._mailbox.path), seen.stat, parent)

    def _one(self, hands: Hands, seen: Seen) -> None:
        name = Name.of(seen.name)
        self.letters.update(letter for letter in name.letters if letter.islower())
        path = seen.path(self._mailbox.path)
        try:
            wanted, wrong = self._wanted(seen, name, path)
        except FileNotFoundError:
            return
        except OSError as error:
            self._work.failed(self._shown, "unreadable", path, "it cannot be read", error)
            return
        target = placed(seen.part, wanted)
        if target == seen.place:
            return
        kind, what = wrong or self._misplaced(seen, name)
        how = f"renamed to {target[0]}/{target[1]}"
        if self._work.mend(self._shown, kind, path, what, how, lambda: hands.rename(seen.place, target)):
            seen.part, seen.name = target
        elif wrong:
            size = seen.stat.st_size
            self._expect((size if wanted.size is None else wanted.size) - (size if name.size is None else name.size))

    def _wanted(self, seen: Seen, name: Name, path: Path) -> tuple[Name, tuple[str, str] | None]:
        """The name it should have, but for flags, and what is wrong with that it has."""
        size = seen.stat.st_size
        wrong = self._wrong_size(seen, name, path)
        if wrong is not None or (name.size is None and name.base not in self._known() and not is_packed(path, name)):
            name = name.with_sizes(size, size + _lines(path))
            wrong = wrong or ("unsized", "its name does not say its size, and no reader has numbered it")
        if not name.can_be:
            return name.renamed(unique_name()), ("name", "lists of readers cannot hold that name")
        return name, wrong

    def _wrong_size(self, seen: Seen, name: Name, path: Path) -> tuple[str, str] | None:
        size = seen.stat.st_size
        if name.size is None or (name.size == size and not self._work.options.check_sizes):
            return None
        if is_packed(path, name):
            return None
        if name.size != size:
            cut = ", it may have been cut short" if size < name.size else ""
            return "size", f"S={name.size} in its name, and it has {size} octets{cut}"
        vsize = size + _lines(path)
        if name.vsize not in (None, vsize):
            return "size", f"W={name.vsize} in its name, and it has {vsize} octets with CRLF line ends"
        return None

    def _known(self) -> set[str]:
        """The names that readers have numbered."""
        if self._numbered is None:
            self._numbered = set(uids(self._mailbox.path)) | _courier(self._mailbox.path)
        return self._numbered

    def _misplaced(self, seen: Seen, name: Name) -> tuple[str, str]:
        if seen.part == "new":
            return "flags", "it has flags and lies in new" if name.letters else "it has a colon and lies in new"
        if name.info is None:
            return "flags", "it lies in cur and there is no :2, in its name"
        return "flags", f"its flags are not as they are written: {name.info}"

    # -- names that two have -------------------------------------------------------------------------------------------

    def _doubled(self, hands: Hands, several: list[Place]) -> None:
        """All but one get a name of their own; of two names of one file, one goes."""
        places = dict.fromkeys(several)  # one that was renamed while they were read is one
        found = [Seen(*place, there) for place in places if (there := _still(hands, place)) is not None]
        if len(found) < 2:
            return  # a reader was renaming it
        known = self._known()
        found.sort(key=lambda one: (Name.of(one.name).base not in known, one.part, -len(one.name)))
        first = found[0]
        for seen in found[1:]:
            same = os.path.samestat(seen.stat, first.stat) and first.stat.st_nlink > 1
            self._other(hands, seen, first, same=same)

    def _other(self, hands: Hands, seen: Seen, first: Seen, *, same: bool) -> None:
        path = seen.path(self._mailbox.path)
        if same:
            what, how = f"a second name of the same file: {first.name}", "that name removed"
            self._work.mend(self._shown, "doubled", path, what, how, lambda: hands.unlink(seen.place, first.place))
            size = Name.of(seen.name).size
            self._expect(-(seen.stat.st_size if size is None else size), -1)
            return
        target = seen.part, seen.name.replace(Name.of(seen.name).unique, unique_name(), 1)
        what, how = f"two messages have its name: {first.name}", f"renamed to {target[1]}"
        self._work.mend(self._shown, "doubled", path, what, how, lambda: hands.rename(seen.place, target))


def _still(hands: Hands, place: Place) -> os.stat_result | None:
    try:
        return hands.stat(place)
    except OSError:
        return None


def _lines(path: Path) -> int:
    return sum(block.count(b"\n") for block in read_blocks(path))


def _courier(folder: Path) -> set[str]:
    """The names that Courier has numbered."""
    try:
        content = b"".join(read_blocks(folder / "courierimapuiddb"))
    except OSError:
        return set()
    lines = content.split(b"\n")[1:]
    return {os.fsdecode(line.partition(b" ")[2]).partition(":")[0] for line in lines}
