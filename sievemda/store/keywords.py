"""Keywords: `dovecot-keywords` gives each keyword of a folder a letter, `a` to `z`, in the names of its messages.

Lines are `NUMBER NAME`. Letters are never taken back, since names of messages refer to them; a keyword is found without
regard to case (RFC 3501 §2.3.2). A folder has room for 26; what does not fit is dropped, and said. So are all of them
where the file is damaged: no message stays away because of a keyword.

Why two locks when a keyword is new: Dovecot changes the file while it holds the lock of `dovecot-uidlist`, and replaces
it by way of `dovecot-keywords.lock`. With both held, neither of us overwrites what the other has just added.

Why the file may come from the future: a session of Dovecot that has it in memory reads it again when its time, in
seconds, is another one than it was. Dovecot sees to that when it writes, and so must we.
"""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sievemda.store.files import Cached, Dotlock, read_control_file
from sievemda.store.maildir import SYSTEM_FLAGS

FILE_NAME = "dovecot-keywords"
ROOM = 26
_SAID = 200  # characters of dropped keywords in the log
_ATOM = re.compile(r"[!#$&'+-\[^-z|}~]{1,255}")  # RFC 3501 §9: flag-keyword
_DAMAGED = (errno.EUCLEAN, errno.ELOOP)
_log = logging.getLogger(__name__)


def _parse(_path: str, content: bytes | None) -> dict[int, str]:
    found = {}
    for line in (content or b"").decode("utf-8", "replace").splitlines():
        number, _, name = line.partition(" ")
        if number.isascii() and number.isdigit() and int(number) < ROOM and name:
            found[int(number)] = name
    return found


def is_keyword(flag: str) -> bool:
    return _ATOM.fullmatch(flag) is not None


def salvaged(content: bytes | None) -> tuple[dict[int, str], list[bytes]]:
    """What of a file can be used, and the lines that cannot: no number, no keyword, or one that another line has."""
    known: dict[int, str] = {}
    bad = []
    for line in (content or b"").splitlines():
        number, _, name = line.decode("utf-8", "replace").partition(" ")
        sound = number.isascii() and number.isdigit() and int(number[:9]) < ROOM and is_keyword(name)
        if not sound or int(number) in known or name.lower() in {other.lower() for other in known.values()}:
            bad.append(line)
        else:
            known[int(number)] = name
    return known, bad


def unnamed(known: Iterable[int], letters: Iterable[str]) -> list[int]:
    """The numbers of letters that messages have and no keyword."""
    return sorted({ord(letter) - ord("a") for letter in letters} - set(known))


class Keywords:
    def __init__(self, mode: int) -> None:
        self._cache = Cached(_parse)
        self._mode = mode

    def letters(self, folder: Path, flags: Sequence[str], *, told: bool = True) -> str:
        """Flags and keywords as the letters of a file name, sorted, for a message of that folder.

        Not `told`: who asks tells himself for what there is no room. OSError and TemporaryTrouble come from the file
        that has to learn a new keyword.
        """
        system = {SYSTEM_FLAGS[flag.lower()] for flag in flags if flag.lower() in SYSTEM_FLAGS}
        wanted = {flag.lower(): flag for flag in reversed(flags) if is_keyword(flag)}
        if not wanted:
            return "".join(sorted(system))
        known = self._known(folder, wanted)
        if told and (missing := " ".join(flag for name, flag in wanted.items() if name not in known)):
            said = f"{missing[:_SAID]}{missing[_SAID:] and '...'}"
            _log.warning("%s has no room for keywords: %s dropped", folder, said)
        return "".join(sorted(system | {chr(ord("a") + known[name]) for name in wanted if name in known}))

    def _known(self, folder: Path, wanted: dict[str, str]) -> dict[str, int]:
        """The numbers of all keywords of that folder by name, the wanted ones learned as far as there is room."""
        try:
            known = _by_name(self._cache.get(f"{folder}/{FILE_NAME}"))
            return known if wanted.keys() <= known.keys() else _by_name(self._learn(folder, wanted))
        except OSError as error:
            if error.errno not in _DAMAGED:
                raise
            _log.error("%s is damaged: %s", folder / FILE_NAME, error)
            return {}

    def names(self, folder: Path, letters: str) -> tuple[str, ...]:
        """The keywords that these letters of a file name stand for in that folder."""
        known = self._cache.get(f"{folder}/{FILE_NAME}")
        numbers = (ord(letter) - ord("a") for letter in letters)
        return tuple(known[number] for number in numbers if number in known)

    def known(self, folder: Path) -> dict[int, str]:
        """The keywords of that folder by their numbers; none where the file is damaged."""
        try:
            return dict(self._cache.get(f"{folder}/{FILE_NAME}"))
        except OSError as error:
            _log.error("%s is not read: %s", folder / FILE_NAME, error)
            return {}

    def lost(self, file: Path, flags: Sequence[str]) -> tuple[str, ...]:
        """Those of its flags that a message has not got, because the folder had no room for them."""
        letters = file.name.partition(":2,")[2]
        if len(letters) >= len(flags):
            return ()
        got: set[str] = set()
        with suppress(OSError):  # the message is in place: nothing here may make that a failure
            got = {name.lower() for name in self.names(file.parent.parent, letters)}
        got |= {flag for flag, letter in SYSTEM_FLAGS.items() if letter in letters}
        return tuple(dict.fromkeys(flag for flag in flags if flag.lower() not in got))

    def _learn(self, folder: Path, wanted: dict[str, str]) -> dict[int, str]:
        path = folder / FILE_NAME
        with Dotlock(folder / "dovecot-uidlist", self._mode), Dotlock(path, self._mode) as lock:
            found = _parse(str(path), read_control_file(path))
            known = _by_name(found)
            free = (number for number in range(ROOM) if number not in found)
            new = dict(zip(free, [wanted[name] for name in reversed(wanted) if name not in known], strict=False))
            if not new:
                return found
            found = dict(sorted((found | new).items()))
            lock.replace("".join(f"{number} {name}\n" for number, name in found.items()).encode(), later=True)
        return found

    def repair(self, folder: Path, letters: Iterable[str], names: Mapping[str, str] | None = None) -> None:
        """Leave out what cannot be used, and name the letters that messages have: `unknown-a`, or as told. OSError."""
        path = folder / FILE_NAME
        with Dotlock(folder / "dovecot-uidlist", self._mode), Dotlock(path, self._mode) as lock:
            known, _ = salvaged(read_control_file(path))
            missing = {number: chr(ord("a") + number) for number in unnamed(known, letters)}
            named = {number: (names or {}).get(letter, f"unknown-{letter}") for number, letter in missing.items()}
            lines = "".join(f"{number} {name}\n" for number, name in sorted((known | named).items()))
            lock.replace(lines.encode(), later=True)


class NoKeywords(Keywords):
    """For a store that remembers keywords elsewhere: the names of its files have none."""

    def letters(self, folder: Path, flags: Sequence[str], *, told: bool = True) -> str:
        return super().letters(folder, [flag for flag in flags if flag.lower() in SYSTEM_FLAGS], told=told)

    def lost(self, file: Path, flags: Sequence[str]) -> tuple[str, ...]:
        return super().lost(file, [flag for flag in flags if flag.lower() in SYSTEM_FLAGS])


def _by_name(found: dict[int, str]) -> dict[str, int]:
    return {name.lower(): number for number, name in found.items()}
