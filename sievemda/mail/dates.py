"""Dates in header fields. RFC 5322 §3.3, and the obsolete forms of §4.3.

What is read, beside the correct form: comments and folds anywhere, a month written out, one-digit hours, no seconds, a
day of the week that is wrong or in another language, no zone (UTC), a zone `+hh:mm`, text behind the date. What is
refused: whatever the calendar does not have (31 February, 24:00, second 61) and years before 1900 or beyond 9999.

Why not `email.utils.parsedate_tz`: it takes words for months, fields of a date in any order, `31 Feb`, and forgets
whether there was a zone. This is one pass over the text.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name.lower(): at for at, name in enumerate(_NAMES, 1)}
_LONGEST = 20_000  # characters of a field in which a date is looked for
_MARK = re.compile(r"[()\\]")
_DATE = re.compile(
    r"\s*(?:[^\W\d_]{1,20}+\.?\s*,\s*)?"
    r"(?P<day>[0-9]{1,2})\s+(?P<month>[A-Za-z]{3,9}+)\s+(?P<year>[0-9]{2,4})\s+"
    r"(?P<hour>[0-9]{1,2})\s*:\s*(?P<minute>[0-9]{2})(?:\s*:\s*(?P<second>[0-9]{2}))?(?![0-9:.])"
    r"(?:\s*(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-9]{2})(?![0-9])|\s+(?P<name>[A-Za-z]{1,9}+))?"
)

# RFC 5322 §4.3. Every other word, the military letters too, means that nothing is known of the zone: UTC.
_ZONES = {
    "edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8,
}  # fmt: skip
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - all times here are of UTC unless they have an offset beside them


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time as a clock `offset` minutes east of Greenwich shows it: `shown`, without zone.

    `leap` says that the second is the 60th, which `shown` cannot hold and has as 59.
    """

    shown: datetime
    offset: int
    leap: bool = False

    def at(self, offset: int) -> Moment | None:
        """The same moment on another clock; `None` when the calendar ends before it."""
        try:
            return Moment(self.shown + timedelta(minutes=offset - self.offset), offset, self.leap)
        except OverflowError:
            return None

    def within(self, zone: tzinfo) -> Moment | None:
        """The same moment on the clocks of a zone, which may go differently in summer."""
        utc = self.at(0)
        if utc is None:
            return None
        try:
            there = utc.shown.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
        except (OverflowError, OSError, ValueError):
            return None
        return utc.at(int((there - utc.shown).total_seconds()) // 60)

    @property
    def second(self) -> int:
        return 60 if self.leap else self.shown.second

    @property
    def seconds(self) -> float:
        """Since 1970."""
        return (self.shown - _EPOCH).total_seconds() - self.offset * 60 + self.leap

    @property
    def zone(self) -> str:
        """`+hhmm`; zero is `+0000`. RFC 5260 §4.2."""
        hours, minutes = divmod(abs(self.offset), 60)
        return f"{'-' if self.offset < 0 else '+'}{hours:02}{minutes:02}"

    @property
    def std11(self) -> str:
        """As in a Date field, RFC 5322 §3.3; never in the language of the server."""
        t = self.shown
        return (
            f"{_DAYS[t.weekday()]}, {t.day:02} {_NAMES[t.month - 1]} {t.year:04}"
            f" {t.hour:02}:{t.minute:02}:{self.second:02} {self.zone}"
        )


def moment(when: datetime) -> Moment:
    """Of a time with a zone."""
    offset = when.utcoffset() or timedelta()
    return Moment(when.replace(tzinfo=None, microsecond=0, fold=0), int(offset.total_seconds()) // 60)


def read_date(text: str) -> Moment | None:
    """The date of an unfolded field; `None` when there is none that is valid.

    It is the whole field, or what stands behind the last semicolon of one such as Received (RFC 5322 §3.6.7).
    """
    if len(text) > _LONGEST:
        return None
    plain = without_comments(text)
    found = _DATE.match(plain.rpartition(";")[2])
    if found is None:
        return None
    month = _MONTHS.get(found["month"][:3].lower())
    offset = _offset(found)
    if month is None or offset is None:
        return None
    second = int(found["second"] or 0)
    try:
        shown = datetime(  # noqa: DTZ001
            _year(found["year"]), month, int(found["day"]), int(found["hour"]), int(found["minute"]), min(second, 59)
        )
    except ValueError:
        return None
    return Moment(shown, offset, second == 60) if second <= 60 and shown.year >= 1900 else None


def _year(digits: str) -> int:
    """RFC 5322 §4.3: 00-49 are of this century, other years of two digits and those of three are since 1900."""
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (2000 if len(digits) == 2 and year < 50 else 1900)


def _offset(found: re.Match[str]) -> int | None:
    """Minutes; `None` for minutes that no hour has, RFC 5322 §3.3."""
    if found["sign"] is None:
        return _ZONES.get((found["name"] or "").lower(), 0) * 60
    minutes = int(found["minutes"])
    if minutes > 59:
        return None
    total = int(found["hours"]) * 60 + minutes
    return -total if found["sign"] == "-" else total


def without_comments(text: str) -> str:
    """Each comment (they nest, RFC 5322 §3.2.2) replaced by a blank. One that does not end is no comment."""
    if "(" not in text:
        return text
    out: list[str] = []
    depth, position, skip = 0, 0, -1
    for mark in _MARK.finditer(text):
        at = mark.start()
        if at == skip:
            continue
        if mark[0] == "\\":
            skip = at + 1
        elif mark[0] == "(":
            if depth == 0:
                out.append(text[position:at])
                position = at
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                out.append(" ")
                position = at + 1
    return "".join([*out, text[position:]])


class LocalZone(tzinfo):
    """The time of this place with its changes in summer, as the C library knows it (TZ, /etc/localtime).

    Why not `datetime.astimezone()`: what it gives holds today's offset for ever.
    """

    def fromutc(self, when: datetime) -> datetime:
        stamp = (when.replace(tzinfo=None) - _EPOCH).total_seconds()
        offset = timedelta(seconds=time.localtime(stamp).tm_gmtoff)
        there = when + offset
        return there if self.utcoffset(there) == offset else there.replace(fold=1)

    def utcoffset(self, when: datetime | None) -> timedelta:
        """Of a time that comes twice, the first unless `fold` is 1; of one that never comes, that before the change."""
        if when is None:
            return timedelta()
        shown = when.replace(tzinfo=None, microsecond=0)
        try:
            stamp = shown.timestamp()
        except (ValueError, OverflowError):  # a day from the end of the calendar
            stamp = time.mktime((*when.timetuple()[:6], 0, 0, -1))
        return timedelta(seconds=round((shown - _EPOCH).total_seconds() - stamp))

    def dst(self, when: datetime | None) -> timedelta | None:  # noqa: ARG002 - as tzinfo has it
        return None

    def tzname(self, when: datetime | None) -> str:  # noqa: ARG002
        return "local"
