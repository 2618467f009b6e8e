"""Several active scripts, one for each client that edits them: which belongs to whom, and in which order they run.

A slot is `LABEL=PATTERN|PATTERN`, or a pattern alone, which is its label then; `*` and `?` stand for other characters.
A name belongs to the first slot that has it written out, else to the first with a pattern that it fits. What fits
nothing has a slot of its own, which runs first. Activating a script takes the place of the active one of its slot.

Why by the name of the script: clients do not say who they are, and each of them has one name for what it writes
(Roundcube `managesieve`, SOGo `sogo`), while a person calls his by any other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WILDCARDS = {"*": ".*", "?": "."}
REST = ""  # the label of the slot for what fits nothing


@dataclass(frozen=True, slots=True)
class Slot:
    label: str
    patterns: tuple[str, ...]

    def fits(self, name: str) -> bool:
        """Whether a name fits a pattern with wildcards."""
        return any(re.fullmatch(_expression(pattern), name, re.DOTALL) for pattern in self.patterns)


class Slots:
    """Those of the site. Without any there is one for all scripts: only one of them is active."""

    def __init__(self, lines: Sequence[str] = ()) -> None:
        """ValueError for a line that is none."""
        self._slots = tuple(map(_slot, lines))
        self.labels = tuple(slot.label for slot in self._slots)
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("two slots have the same label")

    def of(self, name: str) -> str:
        """The label of the slot that a script belongs to."""
        for slot in self._slots:
            if name in slot.patterns:
                return slot.label
        for slot in self._slots:
            if slot.fits(name):
                return slot.label
        return REST

    def activated(self, active: Sequence[str], name: str) -> tuple[str, ...]:
        """The active scripts, in order, when this one becomes active beside or in place of others."""
        kept = [other for other in active if self.of(other) != self.of(name)]
        return tuple(sorted([*kept, name], key=self._place))

    def renamed(self, active: Sequence[str], old: str, new: str) -> tuple[str, ...]:
        """The active scripts, in order, when one is called otherwise. ValueError when its slot has another one then."""
        if old not in active or self.of(old) == self.of(new):
            return tuple(new if name == old else name for name in active)
        kept = [other for other in active if other != old]
        if beside := self.seen(kept, self.of(new)):
            raise ValueError(
                f"{new!r} would be active beside {beside!r}, in the same slot: deactivate one of them first"
            )
        return tuple(sorted([*kept, new], key=self._place))

    def _place(self, name: str) -> int:
        label = self.of(name)
        return self.labels.index(label) if label in self.labels else -1

    def seen(self, active: Sequence[str], label: str | None) -> str:
        """The one script that counts as active for who looks after this slot, or (None) after none; empty: none."""
        if label is None:
            return active[0] if active else ""
        return next((name for name in active if self.of(name) == label), "")


def _expression(pattern: str) -> str:
    return "".join(_WILDCARDS.get(character) or re.escape(character) for character in pattern)


def _slot(line: str) -> Slot:
    label, _, patterns = line.partition("=")
    found = tuple(part for part in (patterns or label).split("|") if part)
    if not label or not found:
        raise ValueError(f"{line!r} is no slot: write LABEL=PATTERN|PATTERN, or a PATTERN")
    return Slot(label, found)
