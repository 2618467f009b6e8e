"""envelope-deliverby: by when the sender wants the message delivered, as parts of the envelope. RFC 6009 §5.

The server is told of that (BY=, RFC 2852) only when the site lets it announce DELIVERBY; else, and for a message that
came without, the parts have no value. The by-time counts from now: its first value is not part of the envelope.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone, tzinfo

from sievemda.mail.envelope import DeliverBy
from sievemda.sieve.node import Context, Fault, Option, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text
from sievemda.sieve.vocabulary import EnvelopePart, Extension

_ZONE = re.compile(r"([+-])([01][0-9]|2[0-3])([0-5][0-9])")


@node
class Zone(Option):
    """:zone <time-zone: string>: the zone of bytimeabsolute."""

    keyword = "zone"
    extends = ("envelope",)
    time_zone: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.time_zone.constant and not _ZONE.fullmatch(self.time_zone.source):
            yield self.time_zone, f"invalid time zone {self.time_zone.source[:80]!r}: it must be like +0100"

    def zone(self, run: Run) -> tzinfo:
        text = run.text(self.time_zone)
        found = _ZONE.fullmatch(text)
        if found is None:
            raise RunError(f"invalid time zone {text[:80]!r}: it must be like +0100", self.line)
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-offset if found[1] == "-" else offset)


def iso8601(time: datetime) -> str:
    """RFC 3339 §5.6 with the letters in upper case and `Z` for an offset of zero: RFC 6009 §5."""
    text = time.isoformat(timespec="seconds")
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def _given(run: Run) -> DeliverBy | None:
    return run.envelope.sender.by


def _absolute(run: Run, options: Sequence[Option]) -> tuple[str, ...]:
    given, zone = _given(run), run.facts.now().tzinfo
    for option in options:
        if isinstance(option, Zone):
            zone = option.zone(run)
    return (iso8601(given.until.astimezone(zone)),) if given else ()


def _relative(run: Run, _options: Sequence[Option]) -> tuple[str, ...]:
    given = _given(run)
    return (str(int((given.until - run.facts.now()).total_seconds())),) if given else ()


def _mode(run: Run, _options: Sequence[Option]) -> tuple[str, ...]:
    given = _given(run)
    return ("return" if given.mode == "R" else "notify",) if given else ()


def _trace(run: Run, _options: Sequence[Option]) -> tuple[str, ...]:
    given = _given(run)
    return ("trace" if given.trace else "",) if given else ()


EXTENSIONS = (
    Extension(
        "envelope-deliverby",
        "RFC 6009 §5",
        options=(Zone,),
        envelope_parts={
            "bytimeabsolute": EnvelopePart(_absolute, address=False),
            "bytimerelative": EnvelopePart(_relative, address=False),
            "bymode": EnvelopePart(_mode, address=False),
            "bytrace": EnvelopePart(_trace, address=False),
        },
        note="has values where the site announces DELIVERBY",
    ),
)
