"""Any octets as calendar data: read, compared, written, and put into a calendar."""

from __future__ import annotations

import random
from collections.abc import Iterator

from sievemda.sieve.calendar.data import Malformed, read, write
from sievemda.sieve.calendar.itip import Wishes, decide
from tests.fuzz.targets import Target
from tests.fuzz.world import WORLD

_MOST = 20
_LINES = (
    b"BEGIN:VCALENDAR", b"END:VCALENDAR", b"BEGIN:VEVENT", b"END:VEVENT", b"BEGIN:VTODO", b"END:VTODO", b"BEGIN:VALARM",
    b"END:VALARM", b"BEGIN:VTIMEZONE", b"TZID:Europe/Paris", b"END:VTIMEZONE", b"METHOD:REQUEST", b"METHOD:CANCEL",
    b"METHOD:REPLY", b"METHOD:PUBLISH", b"METHOD:ADD", b"UID:1", b"UID:2", b"SEQUENCE:2", b"SEQUENCE:99999999999999",
    b"DTSTAMP:20260201T000000Z", b"DTSTART:20260301T100000Z", b"DTSTART;VALUE=DATE:20260301",
    b"DTSTART;TZID=Europe/Paris:20260301T100000", b"DTEND:20260301T110000Z", b"DURATION:PT1H", b"DURATION:-P1W",
    b"ORGANIZER:mailto:a@example.org", b"ATTENDEE;PARTSTAT=ACCEPTED:mailto:kim@example.org", b"STATUS:CANCELLED",
    b"ATTENDEE:mailto:kim%40example.org", b"RECURRENCE-ID:20260302T100000Z", b"RRULE:FREQ=DAILY;COUNT=3",
    b"RECURRENCE-ID;RANGE=THISANDFUTURE:20260303T100000Z", b"RRULE:FREQ=SECONDLY;BYSETPOS=-1;UNTIL=99991231",
    b"EXDATE:20260302T100000Z,20260303T100000Z", b"RDATE;VALUE=PERIOD:20260302T100000Z/PT1H", b"SUMMARY:a\\, b\\n c",
    b"ATTACH;ENCODING=BASE64;VALUE=BINARY:YQ==", b'X-A;B="c:d";E=f,g:h', b"VERSION:2.0", b"PRODID:a", b" folded",
)  # fmt: skip


def check(data: bytes) -> None:
    try:
        found = read(data)
    except Malformed:
        return
    assert read(data).meaning() == found.meaning(), "the same data mean two things"
    for updates_only in (False, True):
        verdict = decide(found, _wishes(updates_only=updates_only), _MOST)
        assert verdict.outcome in {"no_action", "error", "added", "updated"}, verdict.outcome
        for _, text in verdict.objects:
            assert not text or read(text).components, "what was written cannot be read again"
    if not found.components:
        return
    try:
        text = write(found.components, found.zones)
    except Malformed:
        return
    # No more than that: the library takes a backslash away from an address each time it reads it.
    assert [item.name for item in read(text).components] == [item.name for item in found.components], "an item is lost"


def _wishes(*, updates_only: bool) -> Wishes:
    return Wishes(
        addresses=frozenset({"kim@example.org"}),
        allow_public=not updates_only,
        updates_only=updates_only,
        delete_cancelled=updates_only,
        trusted=None,
        existing=WORLD.calendar,
        obstacle=lambda: "",
    )


def _words() -> Iterator[bytes]:
    yield from (line + b"\r\n" for line in _LINES)


def _mutated(data: bytes, chance: random.Random) -> bytes:
    """Another calendar much like this one: a line more, less, or elsewhere."""
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    at = chance.randrange(len(lines))
    match chance.randrange(5):
        case 0 if len(lines) > 1:
            del lines[at]
        case 1:
            lines[at] = chance.choice(_LINES)
        case 2:
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        case _:
            lines.insert(at, chance.choice(_LINES))
    return b"\r\n".join(lines)


TARGET = Target(check, _words, _mutated)
