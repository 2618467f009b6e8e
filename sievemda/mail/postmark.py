"""The line with which a message begins in an mbox: `From ADDRESS DATE`. RFC 4155, appendix A.

The date is that of arrival. It is written as RFC 4155 asks, as asctime(3) does and in UTC. Programs write it in all
ways: without the seconds, with a zone before or behind the year, with a year of two digits, as in a `Date` field.
Without a zone most of them mean the time of the place, and so it is read, unless the file says otherwise.
"""

from __future__ import annotations

import calendar
import re
import time
from dataclasses import dataclass

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONGEST = 1000  # octets of a line that may be one
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d{1,9})?)?"
_ZONE = r"(?:[+-]\d\d:?\d\d|[a-z]{1,5}(?:[+-]\d{1,4})?)(?: dst)?"
_YEAR = r"(?P<year>\d{2}|\d{4})"
_DAY_OF_WEEK = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? +)?"
_REST = rf"(?: +(?P<zone>{_ZONE}))?(?: +\(.*\)| +remote from .*)?"
_LIKE_ASCTIME = rf"{_MONTH} +(?P<day>\d{{1,2}}),? +{_CLOCK}(?: +(?P<before>{_ZONE}))?,? +{_YEAR}{_REST}"
_LIKE_A_FIELD = rf"(?P<day>\d{{1,2}})[ -]{_MONTH}[ -]{_YEAR} +{_CLOCK}{_REST}"
_ISO = rf"(?P<year>\d{{4}})-(?P<number>\d\d)-(?P<day>\d\d)[ t]+{_CLOCK} *(?P<zone>{_ZONE})?"
_FORMS = tuple(re.compile(_DAY_OF_WEEK + form, re.IGNORECASE) for form in (_LIKE_ASCTIME, _LIKE_A_FIELD, _ISO))
_STARTS = re.compile(r"(?:^|(?<= ))(?=[a-z]{3,9},? |\d{1,4}[ -])", re.IGNORECASE)
# RFC 822 §5.1 knows the American zones; the others are met with.
_ZONES = {"ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "west": 60, "bst": 60, "cet": 60, "met": 60, "cest": 120}
_ZONES |= {"mest": 120, "eet": 120, "eest": 180, "msk": 180, "jst": 540, "est": -300, "edt": -240, "cst": -360}
_ZONES |= {"cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420}
_NUMERIC = re.compile(r"([+-])(\d\d):?(\d\d)")


@dataclass(frozen=True, slots=True)
class Postmark:
    sender: str  # an address, or a word like MAILER-DAEMON; may be empty
    arrived: float | None  # seconds since 1970; None when the line has no date that can be


def read_postmark(line: bytes, *, utc: bool = False) -> Postmark | None:
    """What a line says that begins with `From `; None when it is no postmark. `utc`: a time without zone is in UTC."""
    if not line.startswith(b"From ") or len(line) > _LONGEST:
        return None
    text = " ".join(line[5:].decode("utf-8", "replace").split())
    for start in _STARTS.finditer(text):
        for form in _FORMS:
            if found := form.fullmatch(text, start.start()):
                return Postmark(text[: start.start()].strip(), _seconds(found.groupdict(), utc=utc))
    return None


def _seconds(found: dict[str, str | None], *, utc: bool) -> float | None:
    month = int(found["number"] or 0) if "number" in found else 1 + _MONTHS.index((found["month"] or "").lower()[:3])
    year, day = int(found["year"] or 0), int(found["day"] or 0)
    if year < 100:
        year += 1900 if year >= 70 else 2000
    clock = [int(found[part] or 0) for part in ("hour", "minute", "second")]
    if not (1 <= month <= 12 and 1 <= day <= 31 and clock[0] < 24 and clock[1] < 60 and clock[2] <= 60):
        return None
    hour, minute, second = clock
    offset = _offset(found.get("zone") or found.get("before") or "")
    if offset is not None or utc:
        return float(calendar.timegm((year, month, day, hour, minute, second)) - 60 * (offset or 0))
    try:
        return time.mktime((year, month, day, hour, minute, second, 0, 0, -1))
    except (OverflowError, ValueError):
        return None


def _offset(zone: str) -> int | None:
    """Minutes east of Greenwich; None when the zone says nothing."""
    if numeric := _NUMERIC.match(zone):
        minutes = int(numeric[2]) * 60 + int(numeric[3])
        return -minutes if numeric[1] == "-" else minutes
    return _ZONES.get(zone.lower().split(" ")[0])


def postmark(sender: str, arrived: float) -> bytes:
    """The line for a message. What cannot be an address there becomes MAILER-DAEMON, as does nothing."""
    address = sender if sender and not re.search(r"[\x00-\x20\x7f-\x9f\ud800-\udfff]", sender) else "MAILER-DAEMON"
    when = time.gmtime(arrived)
    # Not strftime: its names of days and months depend on the place.
    month = _MONTHS[when.tm_mon - 1].capitalize()
    clock = f"{when.tm_hour:02}:{when.tm_min:02}:{when.tm_sec:02}"
    return f"From {address} {_DAYS[when.tm_wday]} {month} {when.tm_mday:2} {clock} {when.tm_year:04}\n".encode()
