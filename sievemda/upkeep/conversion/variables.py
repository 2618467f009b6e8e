"""Variables of a filter: those whose value the text tells, those that a message decides, and those nobody knows here.

What a message decides (what a pattern extracted, what is set under a condition) is a variable of Sieve. In texts that
are worked on here it stands between two control characters, which no source keeps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sievemda.upkeep.conversion.report import Impossible
from sievemda.upkeep.conversion.script import quote, quote_open

_BEGIN, _END = "\x01", "\x02"
_REFERENCE = re.compile(f"{_BEGIN}([^{_END}]*){_END}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def readable(content: bytes) -> str:
    """The text of a filter's file: UTF-8, else Latin-1; control characters are question marks."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return _CONTROLS.sub("?", text.replace("\r\n", "\n"))


def reference(name: str) -> str:
    return f"{_BEGIN}{name.lower()}{_END}"


def is_open_text(text: str) -> bool:
    """Whether a message decides some of it."""
    return _BEGIN in text


def literal(text: str) -> tuple[str, frozenset[str]]:
    """As a string of Sieve, and what it requires. Raises `Impossible`."""
    if not is_open_text(text):
        return quote(text), frozenset()
    if "${" in text:
        raise Impossible("'${' in a text means a variable in Sieve")
    return quote_open(_REFERENCE.sub(r"${\1}", text)), frozenset({"variables"})


def shown(text: str) -> str:
    """For a person."""
    return _REFERENCE.sub(r"$\1", text)


@dataclass(slots=True)
class Variables:
    """`known` texts may hold references; `unknown` names are those that a program sets."""

    known: dict[str, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    decided: frozenset[str] = frozenset()  # by the message, everywhere

    def get(self, name: str) -> str | None:
        """None when it is not set. Raises `Impossible` when nobody knows."""
        if name in self.decided:
            return reference(name)
        if name in self.unknown:
            raise Impossible(f"nobody knows here what ${name} holds")
        return self.known.get(name)

    def put(self, name: str, text: str | None) -> None:
        self.unknown.discard(name)
        if text is None:
            self.known.pop(name, None)
        else:
            self.known[name] = text

    def forget(self, name: str) -> None:
        self.unknown.add(name)


@dataclass(frozen=True, slots=True)
class Set:
    """Names that a message decides, found before anything is translated: `assigned` is name, text, conditional."""

    assigned: tuple[tuple[str, str, bool], ...]
    extracted: frozenset[str]

    def decided(self, fixed: frozenset[str]) -> frozenset[str]:
        """Those set under a condition, and those that are made of such; never the `fixed` ones."""
        found = set(self.extracted) | {name for name, _, conditional in self.assigned if conditional} - fixed
        while True:
            more = {
                name
                for name, text, _ in self.assigned
                if name not in found | fixed and any(used in found for used in re.findall(r"\$\\?\{?(\w+)", text))
            }
            if not more:
                return frozenset(found)
            found |= more
