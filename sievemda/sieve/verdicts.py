"""What filters in front of us have found, as they wrote it into header fields: for spamtest and virustest. RFC 5235.

A verdict is a number from 0 (harmless) to 1 (certain), or nothing where no filter has looked at the message. It is read
from a field by a regular expression, in one of four ways: a score against a maximum, the length of a row of characters,
a fixed text for each value, or that the expression is found at all.

Without settings the fields of rspamd, SpamAssassin, amavisd and ClamAV are understood, one filter before the other.
Where a field stands several times the worst of them counts: who forges one can only make himself look worse. Who forges
the only one is believed. RFC 5235 §4 makes it the site's business to prevent that: rspamd and SpamAssassin remove such
fields from incoming mail; a site with another filter names its field, a site without one switches this off with `none`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sievemda.mail.edit import is_field_name
from sievemda.sieve.ere import Case
from sievemda.sieve.patterns import check, pattern
from sievemda.sieve.text import from_octets, octets

if TYPE_CHECKING:
    from sievemda.sieve.run import Run

Kind = Literal["score", "strlen", "text", "found"]

SPAM_MOST, VIRUS_MOST = 10, 5  # RFC 5235 §3.2.1, §3.3
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})")


@dataclass(frozen=True, slots=True)
class Source:
    """A field, and what of it is looked at: the first group of the expression, or all that it finds."""

    field: str
    expression: str = ""

    def read(self, run: Run) -> Iterator[str]:
        for value in run.message.values(self.field):
            if not self.expression:
                yield value
                continue
            compiled = pattern(self.expression, Case.ASCII)
            run.spend_matching(len(value) * compiled.weight + compiled.each + compiled.cost)
            found = compiled.search(octets(value))
            if found is not None:
                yield from_octets(found[min(1, len(found) - 1)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How one field is to be understood. `most` is the maximum, unless `most_source` says it for each message."""

    source: Source
    kind: Kind = "score"
    most: float = 0
    most_source: Source | None = None
    texts: tuple[tuple[str, int], ...] = ()

    def verdicts(self, run: Run) -> Iterator[float]:
        """One of each field that can be understood."""
        statuses = list(self.source.read(run))
        maxima = list(self.most_source.read(run)) if self.most_source and statuses else []
        for at, status in enumerate(statuses):
            value = self._value(status)
            most = self.most
            if self.most_source:
                most = number(maxima[at] if len(maxima) == len(statuses) else maxima[0]) or 0 if maxima else 0
            if value is not None and most > 0:
                yield min(max(value / most, 0.0), 1.0)

    def _value(self, status: str) -> float | None:
        match self.kind:
            case "score":
                return number(status)
            case "strlen":
                return len(status)
            case "text":
                return next((value for text, value in self.texts if text == status), None)
            case "found":
                return self.texts[0][1]


def worst(run: Run, scales: Sequence[Scale]) -> float | None:
    """The verdict of the first filter that has left one; `None`: the message was not looked at."""
    for scale in scales:
        found = max(scale.verdicts(run), default=None)
        if found is not None:
            return found
    return None


def number(text: str) -> float | None:
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def source(text: str) -> Source:
    """`FIELD` or `FIELD: EXPRESSION`. Raises `ValueError`."""
    field, _, expression = text.partition(":")
    field, expression = field.strip(), expression.lstrip(" ")
    if not is_field_name(field):
        raise ValueError(f"{field!r} is no name of a field")
    try:
        check(expression, Case.ASCII)
    except ValueError as fault:
        raise ValueError(f"invalid regular expression '{expression}': {fault}") from fault
    return Source(field, expression)


def scales(settings: Mapping[str, str], default: tuple[Scale, ...]) -> tuple[Scale, ...]:
    """What a site has set: `status_header`, `status_type`, `score_max_value`, `score_max_header`, `text_value/N`.

    Without a status header it is the default, with `none` nothing. Raises `ValueError`.
    """
    header = settings.get("status_header", "").strip()
    if not header:
        return default
    if header.lower() == "none":
        return ()
    most = SPAM_MOST if default is SPAM else VIRUS_MOST
    match settings.get("status_type", "") or "score":
        case "text":
            names = ((f"text_value/{value}", value) for value in range(most + 1))
            texts = tuple((settings[name], value) for name, value in names if settings.get(name))
            return (Scale(source=source(header), kind="text", most=most, texts=texts),)
        case "score" | "strlen" as kind:
            given, field = settings.get("score_max_value", ""), settings.get("score_max_header", "")
            if given and number(given) is None:
                raise ValueError(f"the largest score is no number: {given}")
            return (
                Scale(
                    source=source(header),
                    kind="score" if kind == "score" else "strlen",
                    most=number(given) or 0,
                    most_source=source(field) if field and not given else None,
                ),
            )
        case other:
            raise ValueError(f"the type of a status is score, strlen or text, not {other!r}")


def _found(field: str, expression: str, value: int, most: int) -> Scale:
    return Scale(source=Source(field, expression), kind="found", most=most, texts=(("", value),))


_DECIMAL = r"(-?[0-9]+\.?[0-9]*)"
_ASSASSIN = rf"^(?:yes|no),? +(?:score|hits)={_DECIMAL}"

SPAM = (
    Scale(  # rspamd: `default: False [3.50 / 15.00]; ...`
        source=Source("X-Spamd-Result", rf"\[{_DECIMAL} / "),
        most_source=Source("X-Spamd-Result", rf"\[-?[0-9.]+ / {_DECIMAL}\]"),
    ),
    Scale(  # SpamAssassin: `Yes, score=7.1 required=5.0 tests=...`; amavisd says tag2= for required=
        source=Source("X-Spam-Status", _ASSASSIN),
        most_source=Source("X-Spam-Status", rf"\<(?:required|tag2)={_DECIMAL}"),
    ),
    Scale(source=Source("X-Spam-Status", _ASSASSIN), most=5),
    Scale(source=Source("X-Spam-Level", r"^(\**)"), kind="strlen", most=5),
    Scale(source=Source("X-Spamd-Bar", r"^(\+*)"), kind="strlen", most=15),  # `/` is 0, `--` is less
    Scale(source=Source("X-Spam-Score", f"^{_DECIMAL}"), most=5),
    _found("X-Spam-Flag", "^yes", 10, SPAM_MOST),
    _found("X-Spam-Flag", "^no", 1, SPAM_MOST),
    _found("X-Spam", "^yes", 10, SPAM_MOST),
)

VIRUS = (
    _found("X-Virus-Status", "^(?:infected|yes)", 5, VIRUS_MOST),  # clamav-milter
    _found("X-Virus", ".", 5, VIRUS_MOST),  # rspamd: the name of the virus
    _found("X-Amavis-Alert", "^infected", 5, VIRUS_MOST),
    _found("X-Spam-Virus", "^yes", 5, VIRUS_MOST),  # SpamAssassin with its ClamAV plug-in
    _found("X-Virus-Status", "^(?:clean|no)", 1, VIRUS_MOST),
    _found("X-Spam-Virus", "^no", 1, VIRUS_MOST),
    _found("X-Virus-Scanned", ".", 1, VIRUS_MOST),
)
