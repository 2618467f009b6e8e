"""What scripts see while they are fuzzed: a world that stands still, and a budget that ends soon."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sievemda.mail.envelope import Envelope, Recipient, Sender
from sievemda.mail.message import Message
from sievemda.sieve.compile import compile_script
from sievemda.sieve.facts import Executed
from sievemda.sieve.limits import Limits
from sievemda.sieve.options import Options
from sievemda.sieve.problems import Problem
from sievemda.sieve.program import Program
from sievemda.sieve.rehearsal import Imagined, recipient_of, sender_of
from sievemda.sieve.report import outcome_to_json
from sievemda.sieve.run import Outcome, run

LIMITS = Limits(
    instructions=5_000,
    matching=2_000_000,
    redirects=8,
    options=Options(notify_https_hosts=("*.example.org",)),
)
_INCLUDED = {
    "flags": 'require ["imap4flags", "variables", "include"]; global "v"; set "v" "${v}x"; addflag "\\\\Seen";',
    "again": 'require "include"; include :once "flags"; include :optional "gone"; return;',
    "circle": 'require "include"; include "circle";',
}
_EVENT = """\
BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//a//b//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n\
DTSTART:20260301T100000Z\r\nSEQUENCE:1\r\nORGANIZER:mailto:a@example.org\r\nATTENDEE:mailto:kim@example.org\r\n\
RRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"""


@dataclass(frozen=True)
class World(Imagined):
    """Facts of a world in which everything is there that a script can ask for."""

    def mailbox_exists(self, name: str) -> bool:
        return len(name) % 2 == 0

    def seen(self, key: str) -> bool:
        return len(key) % 3 == 0

    def execute(self, kind: str, program: str, arguments: Sequence[str], data: bytes) -> Executed | None:
        return None if program == "gone" else Executed(program != "fails", data[::-1] if "back" in program else data)

    def calendar(self, uid: str) -> bytes | None:
        return _EVENT.encode() if uid == "1" else None


@lru_cache(maxsize=8)
def _included(location: str, name: str) -> Program | None:
    return compile_script(_INCLUDED[name], LIMITS) if name in _INCLUDED else None


WORLD = World(
    datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
    addresses=frozenset({"kim@example.org"}),
    lists={"urn:example:friends": ("a@example.org", "bob@example.net")},
    uses={"Junk": frozenset({"\\Junk"})},
    ids=frozenset({"F1"}),
    annotations={("", "/private/vendor/a"): "b", ("INBOX", "/private/comment"): "c"},
    scripts=_included,
)


def envelope_of(message: Message) -> Envelope:
    recipient = recipient_of(message)
    return Envelope(Sender(sender_of(message)), Recipient(recipient, orcpt_type="rfc822", orcpt=str(recipient)))


def ran(program: Program, message: Message, *, twice: bool = True) -> Outcome:
    """The outcome of a run, which can be written as JSON. Two runs come to the same."""
    found = run(program, message, envelope_of(message), WORLD, LIMITS)
    told = printed(outcome_to_json(found, program.problems))
    if twice:
        fresh = Message(message.data[:])
        again = run(program, fresh, envelope_of(fresh), WORLD, LIMITS)
        assert told == printed(outcome_to_json(again, program.problems)), "two runs on the same message differ"
    return found


def printed(value: Any) -> str:
    """The value as JSON that every terminal takes."""
    text = json.dumps(value, ensure_ascii=False)
    text.encode()
    return text


def well_placed(problems: Sequence[Problem], source: bytes) -> None:
    """Each problem stands at a place that the text has, and can be printed."""
    lines = source.decode("utf-8", "surrogateescape").removeprefix("\ufeff").split("\n")
    for problem in problems:
        assert problem.text, "a problem without text"
        assert 1 <= problem.line <= len(lines), f"line {problem.line} of {len(lines)}: {problem}"
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 2, f"column of {problem}"
        printed(str(problem).encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
