"""What a conversion says: a script, and of each rule of the source what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

_SHOWN = 20  # lines of a rule of the source that a comment repeats


class Verdict(IntEnum):
    """How true a translation is; of several the worst counts."""

    EXACT = 0
    APPROXIMATE = 1
    IMPOSSIBLE = 2

    @property
    def word(self) -> str:
        return self.name.lower()


class Impossible(Exception):
    """What Sieve cannot say; the text says why, for a person."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line, from 1, of a file of the source."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule of the source; `instead` is the Sieve that does its work, empty when nothing does."""

    place: Place
    source: str
    verdict: Verdict
    why: str = ""
    instead: str = ""

    def to_json(self) -> dict[str, str | int]:
        return {
            "file": self.place.file,
            "line": self.place.line,
            "source": "\n".join(map(printable, self.source.split("\n"))),
            "verdict": self.verdict.word,
            "why": printable(self.why),
            "instead": self.instead,
        }

    def __str__(self) -> str:
        first = printable(" / ".join(part.strip() for part in self.source.splitlines() if part.strip()))
        why = f" ({printable(self.why)})" if self.why else ""
        return f"{printable(str(self.place))}: {self.verdict.word}: {first[:200]}{why}"

    def comment(self) -> tuple[str, ...]:
        """For the script, above what the rule became."""
        head = f"{self.place} ({self.verdict.word})" + (f": {self.why}" if self.why else "")
        shown = [line.rstrip() for line in self.source.splitlines() if line.strip()]
        rest = [f"  ... {len(shown) - _SHOWN} more lines"] if len(shown) > _SHOWN else []
        return tuple(printable(line) for line in (head, *(f"  {line}" for line in shown[:_SHOWN]), *rest))


@dataclass(frozen=True, slots=True)
class Converted:
    """`missing` are the capabilities that would have made more of it possible here."""

    script: str
    findings: tuple[Finding, ...]
    missing: frozenset[str] = frozenset()

    @property
    def verdict(self) -> Verdict:
        return max((finding.verdict for finding in self.findings), default=Verdict.EXACT)

    def count(self, verdict: Verdict) -> int:
        return sum(finding.verdict is verdict for finding in self.findings)

    def to_json(self) -> dict[str, object]:
        return {
            "verdict": self.verdict.word,
            "exact": self.count(Verdict.EXACT),
            "approximate": self.count(Verdict.APPROXIMATE),
            "impossible": self.count(Verdict.IMPOSSIBLE),
            "missing": sorted(self.missing),
            "rules": [finding.to_json() for finding in self.findings],
            "script": self.script,
        }


@dataclass(slots=True)
class Remarks:
    """What is to be told of the rule that is being translated."""

    told: list[str] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)

    def approximate(self, why: str) -> None:
        if why not in self.told:
            self.told.append(why)

    @property
    def verdict(self) -> Verdict:
        return Verdict.APPROXIMATE if self.told else Verdict.EXACT

    @property
    def why(self) -> str:
        return "; ".join(self.told)


def printable(text: str) -> str:
    """On one line, and UTF-8 whatever the source was."""
    return "".join(c if c.isprintable() or c == " " else " " if c == "\t" else "?" for c in text)
