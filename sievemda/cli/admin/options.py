"""Options in front of the arguments of a command, as cyradm takes them.

Those with two hyphens are written in full (`--partition P`), those with one may be shortened (`-part P`, `-p P`); `--`
ends them. What does not begin with a hyphen ends them too, so that rights and negative identifiers (`-fred`) are
arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sievemda.errors import UsageError


@dataclass(slots=True)
class Arguments:
    words: list[str]
    options: dict[str, str] = field(default_factory=dict)  # "" for one without a value

    def has(self, option: str) -> bool:
        return option in self.options

    def get(self, option: str) -> str:
        return self.options.get(option, "")


def parse(words: Sequence[str], known: Mapping[str, bool]) -> Arguments:
    """`known` says of each option whether it has a value. UsageError."""
    rest, found = list(words), Arguments([])
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        name = _meant(word, known)
        if known[name] and not rest:
            raise UsageError(f"{word} wants a value")
        found.options[name] = rest.pop(0) if known[name] else ""
    found.words = rest
    return found


def _meant(word: str, known: Mapping[str, bool]) -> str:
    if word.startswith("--"):
        names = [name for name in known if word == f"--{name}"]
    else:
        names = [name for name in known if name.startswith(word[1:])]
    if not names:
        raise UsageError(f"{word} is not an option")
    return names[0]
