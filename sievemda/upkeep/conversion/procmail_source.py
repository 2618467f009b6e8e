"""A procmailrc as recipes, blocks and assignments, each with its place. procmailrc(5).

Reading never fails: what is neither is kept as `Odd`, which procmail would skip as well (it tells its log, and goes on
with the next recipe).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sievemda.upkeep.conversion.report import Place
from sievemda.upkeep.conversion.words import is_open

DEEPEST = 20  # blocks in blocks; a Sieve script has room for 31
_HEAD = re.compile(r"\s*:\s*(\d*)\s*([A-Za-z]*(?:[ \t]+[A-Za-z]+)*)[ \t]*(:[ \t]*[^#]*)?(#.*)?$")
_ASSIGNMENT = re.compile(r"\s*([A-Za-z_]\w*)[ \t]*(=)?[ \t]*(.*)$", re.DOTALL)
_LINES = 200  # that one quoted value may go over


@dataclass(frozen=True, slots=True)
class Assignment:
    """`text` is what stands behind the `=`, with whatever else is on the line; None takes the variable away."""

    place: Place
    source: str
    name: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Odd:
    place: Place
    source: str
    why: str


@dataclass(frozen=True, slots=True)
class Condition:
    place: Place
    text: str


@dataclass(slots=True)
class Recipe:
    """`block` is the list inside its braces; None for a recipe with an action of its own.

    `remembers`: it answers, and looks whether it has answered the same person before.
    """

    place: Place
    source: str
    flags: frozenset[str]
    lock: str | None
    conditions: list[Condition] = field(default_factory=list)
    action: str = ""
    block: list[Item] | None = None
    remembers: bool = False


Item = Assignment | Recipe | Odd


def read_procmail(text: str, file: str) -> list[Item]:
    return _Reader(text, file).items(0)


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self._lines = text.replace("\r\n", "\n").split("\n")
        self._file = file
        self._at = 0
        self._rest = ""  # of the line that has been begun

    def items(self, depth: int) -> list[Item]:
        """Up to the closing brace, or the end."""
        return list(self._items(depth))

    def _items(self, depth: int) -> Iterator[Item]:
        while (line := self._line()) is not None:
            shown = line.strip()
            if shown.startswith("}"):
                self._rest = shown[1:]
                if depth:
                    return
                continue
            if shown and not shown.startswith("#"):
                if shown.startswith(":"):
                    yield self._recipe(line, depth)
                else:
                    yield self._assignment(line)

    def _line(self) -> str | None:
        """The next line; the rest of one that held a brace comes first."""
        if self._rest.strip():
            line, self._rest = self._rest, ""
            return line
        self._rest = ""
        if self._at >= len(self._lines):
            return None
        self._at += 1
        return self._lines[self._at - 1]

    def _whole(self, line: str, *, indent: bool = False) -> str:
        """With the lines that a backslash at the end joins to it."""
        joined = 0
        while line.endswith("\\") and not line.endswith("\\\\") and self._at < len(self._lines) and joined < _LINES:
            more = self._lines[self._at]
            self._at += 1
            joined += 1
            line = line[:-1] + (more if indent else more.lstrip())
        return line

    def _place(self) -> Place:
        return Place(self._file, max(self._at, 1))

    def _source(self, place: Place) -> str:
        return "\n".join(self._lines[place.line - 1 : max(self._at, place.line)])

    # -- assignments ---------------------------------------------------------------------------------------------------

    def _assignment(self, line: str) -> Item:
        place = self._place()
        line, joined = self._whole(line), 0
        while is_open(line) and self._at < len(self._lines) and joined < _LINES:
            line += "\n" + self._lines[self._at]
            self._at += 1
            joined += 1
        found = _ASSIGNMENT.match(line)
        if not found:
            return Odd(place, self._source(place), "it is neither a recipe nor an assignment")
        name, equals, text = found[1], found[2], found[3]
        if not equals:
            if text and not text.startswith(("#", "}")):
                if not _ASSIGNMENT.match(text):
                    return Odd(place, self._source(place), "it is neither a recipe nor an assignment")
                self._rest = text
            elif text.startswith("}"):
                self._rest = text
            return Assignment(place, line.strip(), name, None)
        return Assignment(place, line.strip(), name, self._one_value(text))

    def _one_value(self, text: str) -> str:
        """The first word; what follows on the line is looked at next."""
        end = _end_of_word(text)
        rest = text[end:].strip()
        if rest and not rest.startswith("#"):
            self._rest = rest
        return text[:end]

    # -- recipes -------------------------------------------------------------------------------------------------------

    def _recipe(self, line: str, depth: int) -> Item:
        place = self._place()
        head = _HEAD.match(self._whole(line))
        if not head:
            return Odd(place, self._source(place), "the first line of the recipe cannot be read")
        lock = None if head[3] is None else head[3][1:].strip()
        recipe = Recipe(place, "", frozenset(head[2].replace(" ", "").replace("\t", "")), lock)
        # In the old form the number says how many conditions follow, without an asterisk; `:` alone has one.
        recipe.conditions += self._conditions(int(head[1][:4]) if head[1] else 1)
        action = self._next()
        if action is None:
            return Odd(place, self._source(place), "the recipe has no action")
        if re.match(r"\{(\s|$)", action):
            recipe.source = self._source(place)
            if depth >= DEEPEST:
                self._skip_block(action[1:])
                return Odd(place, recipe.source, f"more than {DEEPEST} blocks stand in each other")
            self._rest = action[1:]
            recipe.block = self.items(depth + 1)
        else:
            recipe.action = self._whole(action, indent=True)
            recipe.source = self._source(place)
        return recipe

    def _next(self) -> str | None:
        """The next line that says something."""
        while (line := self._line()) is not None:
            shown = line.strip()
            if shown and not shown.startswith("#"):
                return shown
        return None

    def _conditions(self, count: int) -> Iterator[Condition]:
        """Those with an asterisk; in the old form so many lines as were told."""
        while (line := self._next()) is not None:
            if line.startswith("*") or count > 0:
                text = self._whole(line.removeprefix("*"), indent=bool(re.match(r"\*?\s*!?\s*\$", line)))
                yield Condition(self._place(), text.strip())
                count -= not line.startswith("*")
            else:
                self._rest = line
                return

    def _skip_block(self, rest: str) -> None:
        """Past the closing brace, whatever is in it."""
        self._rest, depth = rest, 1
        while depth and (line := self._line()) is not None:
            shown = line.strip()
            if shown.startswith("}"):
                depth -= 1
                self._rest = shown[1:]
            elif re.match(r"\{(\s|$)", shown):
                depth += 1
                self._rest = shown[1:]


def _end_of_word(text: str) -> int:
    """Where the first word ends; an unquoted one at a blank."""
    at, quote = 0, ""
    while at < len(text):
        character = text[at]
        if character == "\\" and quote != "'":
            at += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif character in " \t\n":
            break
        at += 1
    return min(at, len(text))
