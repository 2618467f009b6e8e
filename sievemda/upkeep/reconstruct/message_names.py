"""What the file name of a message should be. Pure: sizes and knowledge of readers are given.

A name is `UNIQUE[,S=SIZE][,W=VSIZE]` in `new`, with `:2,LETTERS` behind it in `cur`; the letters are sorted, each once.

Why a size that is missing is not always added: an IMAP server knows a message by its name up to the colon, and gives it
a new UID when that changes (found with Dovecot 2.3.19). A wrong size is worth that, for readers are told the wrong
length by it; a missing one is not, so only a message that nobody has numbered yet gets one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SIZES = re.compile(r",[SW]=\d+")
_STORED = re.compile(r",S=(\d+)(?=[,:]|$)")
_WIRE = re.compile(r",W=(\d+)(?=[,:]|$)")
_LETTERS = re.compile(r"[A-Za-z]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Name:
    """The parts of a name: `base` is what IMAP servers know the message by."""

    base: str
    info: str | None  # behind the colon

    @classmethod
    def of(cls, name: str) -> Name:
        base, colon, info = name.partition(":")
        return cls(base, info if colon else None)

    @property
    def unique(self) -> str:
        return self.base.partition(",")[0]

    @property
    def size(self) -> int | None:
        """What it says of the octets of the file."""
        found = _STORED.search(self.base)
        return int(found[1]) if found else None

    @property
    def vsize(self) -> int | None:
        """What it says of the octets with CRLF line ends."""
        found = _WIRE.search(self.base)
        return int(found[1]) if found else None

    @property
    def letters(self) -> str:
        """Flags and keywords; nothing for a form that nobody knows."""
        if self.info is None or not self.info.startswith("2,"):
            return ""
        return "".join(_LETTERS.findall(self.info[2:].partition(",")[0]))

    @property
    def can_be(self) -> bool:
        """Whether lists of readers, which have a line for each name, can hold it."""
        return bool(self.unique) and not _CONTROL.search(self.base)

    def with_sizes(self, size: int, vsize: int) -> Name:
        return Name(f"{_SIZES.sub('', self.base)},S={size},W={vsize}", self.info)

    def renamed(self, unique: str) -> Name:
        """With another unique part, and the rest as it is."""
        return Name(unique + _CONTROL.sub("", self.base[len(self.unique) :]), self.info)


def placed(part: str, name: Name) -> tuple[str, str]:
    """Where a message belongs that lies in `part`, and its name there: with flags it is in `cur`."""
    letters = "".join(sorted(set(name.letters)))
    if part == "new" and not letters:
        return part, name.base
    behind = (name.info or "").removeprefix("2,").partition(",")
    rest = f",{behind[2]}" if (name.info or "").startswith("2,") and behind[1] else ""
    return "cur", f"{name.base}:2,{letters}{rest}"
