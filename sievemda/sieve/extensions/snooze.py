"""snooze: file the message later. draft-ietf-extra-sieve-snooze-07.

A fileinto that is put off: the message waits in the mailbox for snoozed mail, where its owner can see it, and is moved
when it awakens. Here is decided when that is (§4.3); keeping watch is the business of who carries it out.

Two snoozes in one script are one message in one mailbox: the later one says when and where to.

`:addflags` and `:removeflags` are tags of imap4flags, `:create`, `:specialuse` and `:mailboxid` of their extensions.

Times are `hh:mm:ss`; `hh:mm`, which the example of §4.4.1.1 has, is understood and warned about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from sievemda.sieve.effects import Snooze, Store
from sievemda.sieve.node import Command, Context, Fault, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text, Texts, is_utf8
from sievemda.sieve.vocabulary import Extension

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_WEEKDAYS = ("0", "1", "2", "3", "4", "5", "6")  # from Sunday on, RFC 5260 §4.2
_WEEK = 7


@node
class SnoozeCommand(Command):
    """snooze [":mailbox" string] [":weekdays" string-list] [":tzid" string] <times: string-list>, §4."""

    keyword = "snooze"
    mailbox: Text | None = None
    weekdays: Texts | None = None
    tzid: Text | None = None
    times: Texts

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.mailbox is not None and self.mailbox.constant and not is_utf8(self.mailbox.source):
            yield self.mailbox, "invalid folder name: it is not UTF-8"
        for day in self.weekdays or ():
            if day.constant and day.source not in _WEEKDAYS:
                yield day, _no_weekday(day.source)
        if self.tzid is not None and self.tzid.constant and _zone(self.tzid.source) is None:
            yield self.tzid, _no_zone(self.tzid.source)
        for each in self.times:
            if each.constant and _time(each.source) is None:
                yield each, _no_time(each.source)

    def warnings(self, context: Context) -> Iterator[Fault]:
        for each in self.times:
            if each.constant and _time(each.source) is not None and each.source.count(":") == 1:
                yield each, f"the time {each.source!r} should have seconds: '{each.source}:00'"

    def execute(self, run: Run) -> None:
        mailbox = None if self.mailbox is None else run.text(self.mailbox)
        if mailbox is not None and not (mailbox and is_utf8(mailbox)):
            raise RunError("invalid folder name: it is " + ("not UTF-8" if mailbox else "empty"), self.line)
        snooze = Snooze(awakens=self._awakens(run), mailbox=mailbox)
        run.add(self.amended(Store(snooze=snooze, flags=run.flags, line=self.line), run))

    def _awakens(self, run: Run) -> datetime:
        now = run.facts.now()
        zone = now.tzinfo
        if self.tzid is not None:
            name = run.text(self.tzid)
            zone = _zone(name)
            if zone is None:
                raise RunError(_no_zone(name), self.line)
        times = []
        for text in run.texts(self.times):
            run.spend()
            found = _time(text)
            if found is None:
                raise RunError(_no_time(text), self.line)
            times.append(found)
        try:
            return awakening(now, self._days(run), times, zone)
        except OverflowError as e:
            raise RunError("the calendar ends before a time to awaken", self.line) from e

    def _days(self, run: Run) -> frozenset[int]:
        if self.weekdays is None:
            return frozenset(range(_WEEK))
        days = run.texts(self.weekdays)
        for day in days:
            if day not in _WEEKDAYS:
                raise RunError(_no_weekday(day), self.line)
        return frozenset(map(int, days))


def awakening(now: datetime, days: frozenset[int], times: list[time], zone: tzinfo | None) -> datetime:
    """The next time of the list after `now`, in its zone. §4.3.

    A local time that comes twice is its first occurrence, one that does not come is read with the offset before the
    change: both are what a `datetime` means whose `fold` is 0.
    """
    moment = now.astimezone(UTC)  # two times of one zone would be compared as its clocks show them
    today = now.astimezone(zone).date()
    for ahead in range(_WEEK + 2):  # a day beyond the week, should a change of the zone have swallowed a time
        day = today + timedelta(days=ahead)
        if day.isoweekday() % _WEEK in days:
            candidates = [candidate for each in times if (candidate := _at(day, each, zone)) > moment]
            if candidates:
                return min(candidates).astimezone(zone)
    raise RunError("no time to awaken was found")


def _at(day: date, each: time, zone: tzinfo | None) -> datetime:
    """That local time, in UTC."""
    offset = datetime.combine(day, each, zone).utcoffset() or timedelta()
    return datetime.combine(day, each, UTC) - offset


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo | None:
    """A zone of the IANA time zone database, by its name. §4.3."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only scripts with `:tzid` need it

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return None


def _time(text: str) -> time | None:
    found = _TIME.fullmatch(text)
    return time(int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def _no_weekday(text: str) -> str:
    return f"invalid weekday {text[:80]!r}: it must be a digit from 0 (Sunday) to 6"


def _no_time(text: str) -> str:
    return f"invalid time {text[:80]!r}: it must be hh:mm:ss"


def _no_zone(text: str) -> str:
    return f"unknown time zone {text[:80]!r}: it must be a name of the IANA time zone database"


EXTENSIONS = (Extension("snooze", "draft-ietf-extra-sieve-snooze", commands=(SnoozeCommand,)),)
