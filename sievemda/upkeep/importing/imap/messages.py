"""The messages of a folder that is selected on an IMAP server: which there are, and fetching them.

BODY.PEEK leaves no trace there. Flags come in the same answer as the message, so that no two can be mixed up.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sievemda.mail.carried import Carried, of_octets
from sievemda.upkeep.importing.imap.answers import BadAnswer, Response, Stored, Value
from sievemda.upkeep.importing.imap.connection import Connection
from sievemda.upkeep.importing.numbers import Numbers

_ITEMS = "(UID FLAGS INTERNALDATE BODY.PEEK[])"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(
    r" ?([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4}) ([0-9]{1,2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"
)
_MAX_FLAGS = 1000
_LEAVE_OUT = {"\\recent"}


@dataclass(frozen=True, slots=True)
class Fetched:
    uid: int
    carried: Carried
    size: int


def uids(connection: Connection, since: date | None = None) -> list[int]:
    """The UIDs of all messages, or of those that arrived on a day or later, sorted."""
    asked = ("ALL",) if since is None else ("SINCE", f"{since.day}-{_MONTHS[since.month - 1]}-{since.year}")
    found = set()
    for answer in connection.ask("UID SEARCH", *asked):
        if answer.kind == "SEARCH":
            found |= {
                int(word) for word in answer.values if isinstance(word, str) and word.isdigit() and len(word) < 11
            }
    return sorted(found - {0})


def flags(connection: Connection, wanted: Collection[int]) -> dict[int, tuple[str, ...]]:
    """The flags of those messages that are still there. BadAnswer, Lost, Refused."""
    found = {}
    for answer in connection.ask("UID FETCH", f"{min(wanted)}:{max(wanted)}", "(UID FLAGS)") if wanted else ():
        items = _items(answer) if answer.kind == "FETCH" else {}
        uid = items.get("UID")
        if isinstance(uid, str) and uid.isdigit() and int(uid) in wanted and "FLAGS" in items:
            found[int(uid)] = _flags(items)
    return found


def fetch(connection: Connection, wanted: Sequence[int], where: str) -> Iterator[Fetched]:
    """These messages as they come, those that are gone left out. BadAnswer, Lost, Refused."""
    numbers, missing = Numbers(), set(wanted)
    for number in wanted:
        numbers.add(number)
    for answer in connection.ask("UID FETCH", str(numbers), _ITEMS):
        if answer.kind != "FETCH":
            continue
        items = _items(answer)
        uid = items.get("UID")
        content = items.get("BODY[]")
        if not (isinstance(uid, str) and uid.isdigit() and isinstance(content, bytes | Stored)):
            continue  # news of another message
        if int(uid) in missing:  # one that comes twice is one
            missing.discard(int(uid))
            yield _fetched(int(uid), content, items, where)


def _items(answer: Response) -> dict[str, Value]:
    values = answer.values[0] if answer.values else None
    if not isinstance(values, list):
        raise BadAnswer("the server's FETCH has no list")
    names = [value.upper() if isinstance(value, str) else "" for value in values[::2]]
    return dict(zip(names, values[1::2], strict=False))


def _fetched(uid: int, content: bytes | Stored, items: dict[str, Value], where: str) -> Fetched:
    words = _words(items)
    kept = _flags(items)
    octets = content.blocks if isinstance(content, Stored) else of_octets(content)
    arrived = moment(items.get("INTERNALDATE"))
    new = not kept and any(word.lower() == "\\recent" for word in words)
    carried = Carried(octets, kept, arrived, new=new, where=f"{where}, UID {uid}")
    return Fetched(uid, carried, content.size if isinstance(content, Stored) else len(content))


def _words(items: dict[str, Value]) -> list[str]:
    found = items.get("FLAGS")
    return [word for word in found if isinstance(word, str)][:_MAX_FLAGS] if isinstance(found, list) else []


def _flags(items: dict[str, Value]) -> tuple[str, ...]:
    return tuple(word for word in _words(items) if word.lower() not in _LEAVE_OUT)


def moment(value: Value) -> float | None:
    """Seconds since 1970 of a date-time (RFC 3501 §9); None when it is none."""
    match = _DATE.fullmatch(value.decode("latin-1")) if isinstance(value, bytes) else None
    if match is None or match[2].capitalize() not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(match[number]) for number in (1, 3, 4, 5, 6))
    if not (1 <= day <= 31 and year >= 1 and hour < 24 and minute < 60 and second <= 60):
        return None
    month = _MONTHS.index(match[2].capitalize()) + 1
    local = calendar.timegm((year, month, day, hour, minute, second))
    offset = (int(match[8]) * 60 + int(match[9])) * 60
    return float(local - offset if match[7] == "+" else local + offset)
