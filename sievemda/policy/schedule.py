"""When something is due that is done again and again.

    off
    every 6h                    an interval, from one beginning to the next: 45s, 30m, 6h, 7d, 1h30m
    daily 04:00                 at that time of the day, by the clock of the server; also several: daily 04:00 16:00
    mon,thu 02:30               on these days of the week
    monthly 1 03:00             on that day of the month, the last one where a month has fewer

What was missed, while nothing ran say, is due once. A clock that is set back makes nothing due again before its time.

Why not the five fields of cron: `30 2 * * 1,4` has to be looked up by who reads it, and a mistake in it is valid.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_PART = re.compile(r"([0-9]{1,7})([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 366 * 86400  # seconds


@dataclass(frozen=True, slots=True)
class Schedule:
    """`every` seconds; or at these `times` (seconds after midnight) of these days of the week, or of the month."""

    every: float = 0.0
    times: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()  # 0 is Monday
    day: int = 0  # of the month

    def is_due(self, last: float, now: float) -> bool:
        """Whether it is time, when it was done `last`; both in seconds since 1970."""
        if self.every:
            return now - last >= self.every
        return bool(self.times) and self._latest(now) > last

    def _latest(self, now: float) -> float:
        """The latest time up to now at which it was due."""
        today = date.fromtimestamp(now)  # noqa: DTZ012 - the clock of the server is meant
        for back in range(63):
            then = today - timedelta(days=back)
            if self._is_day(then):
                for seconds in reversed(self.times):
                    # Of a time that comes twice the first: mktime(3) takes one or the other, by what it was asked last.
                    moment = datetime(then.year, then.month, then.day, *_clock(seconds)).timestamp()  # noqa: DTZ001
                    if moment <= now:
                        return moment
        return 0.0

    def _is_day(self, then: date) -> bool:
        if self.day:
            return then.day == min(self.day, calendar.monthrange(then.year, then.month)[1])
        return then.weekday() in self.weekdays


def parse_schedule(text: str) -> Schedule | None:
    """None for `off`. Raises ValueError."""
    first, *rest = text.lower().split() or [""]
    if first in ("off", "no", "never", "false") and not rest:
        return None
    if first == "every":
        return Schedule(every=_interval("".join(rest), text))
    if first == "daily":
        return Schedule(times=_times(rest, text), weekdays=tuple(range(7)))
    if first == "monthly" and rest and rest[0].isascii() and rest[0].isdigit() and 1 <= int(rest[0][:3]) <= 31:
        return Schedule(times=_times(rest[1:], text), day=int(rest[0]))
    named = [[at for at, day in enumerate(_DAYS) if word in (day, day[:3])] for word in first.split(",")]
    if all(named):
        return Schedule(times=_times(rest, text), weekdays=tuple(sorted({at for found in named for at in found})))
    raise _wrong(text)


def _interval(text: str, whole: str) -> float:
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise _wrong(whole)
    seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if not 1 <= seconds <= _LONGEST:
        raise ValueError(f"{whole[:80]!r}: it must be between a second and a year")
    return float(seconds)


def _times(words: list[str], whole: str) -> tuple[int, ...]:
    found = [_TIME.fullmatch(word) for word in words]
    times = [int(match[1]) * 3600 + int(match[2]) * 60 for match in found if match]
    if not times or len(times) != len(words):
        raise _wrong(whole)
    return tuple(sorted(set(times)))


def _clock(seconds: int) -> tuple[int, int]:
    return seconds // 3600, seconds % 3600 // 60


def _wrong(text: str) -> ValueError:
    return ValueError(
        f"{text[:80]!r} is no schedule: write off, every 6h, daily 04:00, mon,thu 02:30 or monthly 1 03:00"
    )
