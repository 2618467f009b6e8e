"""How old something may become, as administrators of Cyrus write it: `30` or `1.5` are days, `12h`, `90m`, `45s`."""

from __future__ import annotations

import re

_AGE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([wdhms]?)", re.IGNORECASE)
_UNITS = {"": 86_400, "w": 7 * 86_400, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LONGEST = 36_500 * 86_400  # seconds; calendars end behind that


def parse_age(text: str) -> float:
    """Seconds. Raises ValueError."""
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text[:80]!r} is not a time, such as 30d or 12h; without a unit it is days")
    seconds = float(found[1]) * _UNITS[found[2].lower()]
    if seconds > _LONGEST:
        raise ValueError(f"{text[:80]!r} is more than a hundred years")
    return seconds
