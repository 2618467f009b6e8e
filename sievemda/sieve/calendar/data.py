"""Calendar data as values: reading what comes from strangers, comparing, writing. RFC 5545.

Why the icalendar library: it is the one that is kept, and it writes back every property it reads, known or not. What it
must not see is a VTIMEZONE: it works out the rules of each and remembers the zone for all time and every message, so
the definitions of zones are cut out before and put back, untouched, when an object is written. Nothing here works out
a recurrence either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from icalendar import Calendar, Component

_ITEMS = frozenset({"VEVENT", "VTODO", "VJOURNAL"})
_DEPTH = 4  # VCALENDAR, VEVENT, VALARM, and one to spare
_LINE = re.compile(r"[^\r\n]++(?:(?:\r\n|\n)[ \t][^\r\n]*+)*+")  # a content line with its folds, RFC 5545 §3.1
_FOLD = re.compile(r"\r?\n[ \t]")
_MARK = re.compile(r"(BEGIN|END):([A-Z0-9-]{1,40})[ \t]*", re.IGNORECASE)
_LINES = 5_000  # content lines; an object with a thousand attendees has fewer
_COMMAS = 10_000  # and so many items of lists
_SEMICOLONS = 20_000  # parameters of properties, parts of rules
_ZONES = 50  # names of zones, each of which is looked for
_ZONE = re.compile(r";TZID=\"?([^\":;\r\n]*+)", re.IGNORECASE)
_ZONE_NAME = 100  # characters
_BROKEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ONCE = (
    "UID", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID", "STATUS", "ORGANIZER",
)  # fmt: skip
_PRODID = "-//sievemda//processcalendar//EN"


class Malformed(Exception):
    """It is no calendar data; the text says why."""


@dataclass(frozen=True, slots=True)
class CalendarData:
    """What one part holds: the method in upper case (empty where there is none), zones as text, and the components."""

    method: str
    zones: dict[str, str]
    components: tuple[Component, ...]

    def meaning(self) -> object:
        """What two representations of the same data have in common."""
        return self.method, sorted(map(_meaning, self.components), key=repr)


def read(data: bytes, charset: str = "utf-8") -> CalendarData:
    """Raises `Malformed`."""
    try:
        text = data.decode(charset).removeprefix("\ufeff")
    except (UnicodeDecodeError, LookupError) as e:
        raise Malformed("it is not in the charset that it says") from e
    if _BROKEN.search(text):
        raise Malformed("it has control characters in it")
    rest, zones = _without_zones(text)
    _refuse_excess(rest)
    try:
        calendar = Calendar.from_ical(rest)
        broken = [error for component in calendar.walk() for error in component.errors]
        calendar.to_ical()  # it takes values that it then can neither write nor compare
    except Exception as e:  # whatever the library makes of rubbish: RFC 9671 §4 has it ignored
        why = str(e)[:200] if isinstance(e, ValueError) else ""  # others tell of this machine
        raise Malformed(why or "it cannot be understood") from e
    if broken:
        raise Malformed("; ".join(f"{name}: {why}" for name, why in broken)[:200])
    if not isinstance(calendar, Calendar):
        raise Malformed("it is no VCALENDAR")
    items = tuple(component for component in calendar.subcomponents if component.name in _ITEMS)
    _refuse_twice(calendar, ("METHOD",))
    for item in items:
        _refuse_twice(item, _ONCE)
    return CalendarData(one(calendar, "METHOD").upper(), zones, items)


def _refuse_excess(text: str) -> None:
    """The library takes up to 100 us for a line or an item of a list, and looks for a file for each name of a zone."""
    if text.count("\n") > _LINES or text.count(",") > _COMMAS:
        raise Malformed(f"it has more than {_LINES} lines, or {_COMMAS} items of lists")
    if text.count(";") > _SEMICOLONS:
        raise Malformed(f"it has more than {_SEMICOLONS} parameters")
    names = set(_ZONE.findall(_FOLD.sub("", text)))
    if len(names) > _ZONES or any(len(name) > _ZONE_NAME for name in names):
        raise Malformed(f"it names more than {_ZONES} zones, or one of more than {_ZONE_NAME} characters")


def _refuse_twice(component: Component, names: Sequence[str]) -> None:
    """What must not occur more than once. RFC 5545 §3.6."""
    for name in names:
        if len(every(component, name)) > 1:
            raise Malformed(f"{name} is there more than once")


def _without_zones(text: str) -> tuple[str, dict[str, str]]:
    """The text without definitions of zones, and these by identifier; every component well nested."""
    kept: list[str] = []
    zone: list[str] = []
    zones: dict[str, str] = {}
    open_: list[str] = []
    for found in _LINE.finditer(text):
        line = found[0]
        mark = _MARK.fullmatch(line)
        if mark and mark[1].upper() == "BEGIN":
            _begin(mark[2].upper(), open_, kept)
        (zone if "VTIMEZONE" in open_ else kept).append(line)
        if mark and mark[1].upper() == "END":
            name = mark[2].upper()
            if not open_ or open_.pop() != name:
                raise Malformed(f"END:{name} without its BEGIN")
            if name == "VTIMEZONE":
                zones[_identifier(zone)] = "\r\n".join(zone)
                zone = []
    if open_ or not kept:
        raise Malformed("it has no end" if open_ else "it is empty")
    return "\r\n".join(kept) + "\r\n", zones


def _begin(name: str, open_: list[str], before: list[str]) -> None:
    if len(open_) >= _DEPTH:
        raise Malformed("components are nested too deep")
    if not open_ and (name != "VCALENDAR" or before):
        raise Malformed("it is not one VCALENDAR")
    if name == "VTIMEZONE" and open_ != ["VCALENDAR"]:
        raise Malformed("a zone is defined in a wrong place")
    open_.append(name)


def _identifier(zone: Sequence[str]) -> str:
    for line in zone:
        name, _, value = _FOLD.sub("", line).partition(":")
        if name.partition(";")[0].upper() == "TZID":
            return value
    raise Malformed("a zone without TZID")


def _meaning(component: Component) -> tuple[Any, ...]:
    """RFC 9671 §4: semantically equivalent, in whatever order and however folded."""
    items = component.property_items(recursive=False)[1:-1]
    properties = sorted((name, _value(value), sorted(params_of(value))) for name, value in items)
    return component.name, properties, sorted(map(_meaning, component.subcomponents), key=repr)


def _value(value: Any) -> bytes:
    written = value.to_ical()
    return written if isinstance(written, bytes) else str(written).encode()


def params_of(value: Any) -> Iterator[tuple[str, str]]:
    yield from ((name.upper(), str(param)) for name, param in getattr(value, "params", {}).items())


def every(component: Component, name: str) -> list[Any]:
    """All values of a property."""
    found = component.get(name)
    return [] if found is None else found if isinstance(found, list) else [found]


def one(component: Component, name: str) -> str:
    """The first value of a property as it is written; empty where there is none."""
    return next((_value(value).decode() for value in every(component, name)), "")


def number(component: Component, name: str) -> int:
    try:
        return int(one(component, name) or 0)
    except ValueError:
        return 0


def instance(component: Component) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """Which instance of a recurring object it is about; `None`: the object itself. RFC 5545 §3.8.4.4."""
    found = every(component, "RECURRENCE-ID")
    return (_value(found[0]).decode(), tuple(sorted(params_of(found[0])))) if found else None


def write(components: Iterable[Component], zones: dict[str, str]) -> bytes:
    """A calendar object: no METHOD, as CalDAV wants it (RFC 4791 §4.1), and the zones in front.

    Raises `Malformed` for one that could not be read again: it would stay as it is for ever.
    """
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", _PRODID)
    for component in components:
        calendar.add_component(component)
    text: str = calendar.to_ical().decode()
    _refuse_excess(text)
    at = text.index("BEGIN:V", len("BEGIN:VCALENDAR"))
    return (text[:at] + "".join(f"{zone}\r\n" for zone in zones.values()) + text[at:]).encode()
