"""date, currentdate: compare the parts of a date. RFC 5260 §4, §5.

Beyond the RFC `:zone` takes the names of the IANA time zone database (`Europe/Amsterdam`), whose summer time counts at
the date in question. A zone that is neither is warned of, and the local one counts: Pigeonhole does so. The local zone
is that of `facts.now()`.

Why the weekday of a wrong `Wed, 1 Apr 1997` is the right one: it is worked out, and what the sender wrote is not looked
at. Why military zones are UTC: RFC 5322 §4.3 (RFC 822 had them the wrong way round).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, tzinfo

from sievemda.mail.dates import Moment, moment, read_date
from sievemda.mail.header import unfold
from sievemda.sieve.base.tests import impossible_names
from sievemda.sieve.fields import occurrences
from sievemda.sieve.matching import DEFAULT, Matching, match
from sievemda.sieve.node import About, Context, Fault, Test, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text, Texts, texts
from sievemda.sieve.vocabulary import Extension

_OFFSET = re.compile(r"([+-])([0-9]{2})([0-9]{2})")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
_COST = 10  # how often an octet of a field counts in which a date is looked for
_FIRST_JULIAN = 678_576  # 17 November 1858, counted as Python does


def _iso8601(when: Moment) -> str:
    """RFC 3339 §5.6 with T and Z in upper case, and Z for an offset of zero: RFC 5260 §4.2."""
    zone = f"{when.zone[:3]}:{when.zone[3:]}" if when.offset else "Z"
    return f"{_date(when)}T{_time(when)}{zone}"


def _date(when: Moment) -> str:
    return f"{when.shown.year:04}-{when.shown.month:02}-{when.shown.day:02}"


def _time(when: Moment) -> str:
    return f"{when.shown.hour:02}:{when.shown.minute:02}:{when.second:02}"


PARTS: dict[str, Callable[[Moment], str]] = {
    "year": lambda when: f"{when.shown.year:04}",
    "month": lambda when: f"{when.shown.month:02}",
    "day": lambda when: f"{when.shown.day:02}",
    "date": _date,
    "julian": lambda when: str(when.shown.toordinal() - _FIRST_JULIAN),  # of the day as the zone has it
    "hour": lambda when: f"{when.shown.hour:02}",
    "minute": lambda when: f"{when.shown.minute:02}",
    "second": lambda when: f"{when.second:02}",
    "time": _time,
    "iso8601": _iso8601,
    "std11": lambda when: when.std11,
    "zone": lambda when: when.zone,
    "weekday": lambda when: str(when.shown.isoweekday() % 7),
}


def zone_of(name: str) -> int | tzinfo | None:
    """An offset in minutes, a zone by its name in the IANA data base, or `None` when it is neither."""
    found = _OFFSET.fullmatch(name)
    if found:
        minutes = int(found[2]) * 60 + int(found[3])
        return -minutes if found[1] == "-" else minutes
    if not _NAME.fullmatch(name):
        return None
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - few scripts name a zone

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _oddities(zone: Text | None, part: Text) -> Iterator[Fault]:
    if zone is not None and zone.constant and zone_of(zone.source) is None:
        yield zone, f"'{zone.source[:40]}' is no time zone: the local one counts"
    if part.constant and part.source.lower() not in PARTS:
        yield part, f"unknown date part '{part.source[:40]}': known are {', '.join(PARTS)}"


def _shifted(run: Run, when: Moment, zone: Text | None) -> Moment | None:
    """On the clock of `:zone`, else on the local one."""
    there = None if zone is None else zone_of(run.text(zone))
    if isinstance(there, int):
        return when.at(there)
    return when.within(there or run.facts.now().tzinfo or UTC)


def _read(run: Run, raw: bytes) -> Moment | None:
    """Worked out once for each field of a message: scripts compare the same date with a beginning and an end."""
    key, known = ("date", raw), run.message.derived
    if key not in known:
        run.spend_matching(len(raw) * _COST)
        known[key] = read_date(unfold(raw))
    when: Moment | None = known[key]
    return when


@node
class DateTest(Test):
    """date [":zone" <time-zone: string> / ":originalzone"] [COMPARATOR] [MATCH-TYPE] <header-name: string>
    <date-part: string> <key-list: string-list>, RFC 5260 §4.

    The first field of the name counts, unless `:index` says otherwise. Without a valid date the test is false (§4);
    its `:count` is then 0.
    """

    keyword = "date"
    matching: Matching = DEFAULT
    zone: Text | None = None
    originalzone: bool = False
    header_name: Text
    date_part: Text
    key_list: Texts

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.zone is not None and self.originalzone:
            yield "the date test takes one of ':zone' and ':originalzone', not both"

    def warnings(self, context: Context) -> Iterator[Fault]:
        yield from impossible_names(texts((self.header_name,)))
        yield from _oddities(self.zone, self.date_part)

    def holds(self, run: Run) -> bool:
        when = self._when(run)
        part = PARTS.get(run.text(self.date_part).lower())
        values: Sequence[str] = (part(when),) if part and when else ()
        return match(run, self.matching, values, run.texts(self.key_list))

    def about(self, run: Run) -> About:
        name, part = run.text(self.header_name), run.text(self.date_part)
        there = f"there is no {name} field"
        if run.shown.raw_values(name):
            chosen = f"there is no {name} field at that place, or it" if self.options else name
            there = f"{chosen} holds no date that can be read"
        return About(f"the {part} of {name}", there if part.lower() in PARTS else f"a date has no {part!r}")

    def _when(self, run: Run) -> Moment | None:
        name = run.text(self.header_name)
        raws = [found.raw for found in occurrences(run, (name,), self.options)] if self.options else None
        for raw in (run.shown.raw_values(name) if raws is None else raws)[:1]:
            when = _read(run, raw)
            return when if when is None or self.originalzone else _shifted(run, when, self.zone)
        return None


@node
class CurrentDate(Test):
    """currentdate [":zone" <time-zone: string>] [COMPARATOR] [MATCH-TYPE] <date-part: string> <key-list: string-list>.

    RFC 5260 §5; the same moment for all tests of a run, and the `:count` is always 1.
    """

    keyword = "currentdate"
    matching: Matching = DEFAULT
    zone: Text | None = None
    date_part: Text
    key_list: Texts

    def warnings(self, context: Context) -> Iterator[Fault]:
        yield from _oddities(self.zone, self.date_part)

    def holds(self, run: Run) -> bool:
        when = _shifted(run, moment(run.facts.now()), self.zone)
        part = PARTS.get(run.text(self.date_part).lower())
        values = (part(when),) if part and when else ()
        return match(run, self.matching, values, run.texts(self.key_list), 1)

    def about(self, run: Run) -> About:
        part = run.text(self.date_part)
        return About(f"the {part} of the time now", f"a date has no {part!r}")


EXTENSIONS = (Extension("date", "RFC 5260", tests=(DateTest, CurrentDate)),)
