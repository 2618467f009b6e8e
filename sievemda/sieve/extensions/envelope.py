"""envelope: compare with MAIL FROM and RCPT TO. RFC 5228 §5.4.

`auth` (the posting identity of AUTH=) is a part that Cyrus and Pigeonhole have too.
"""

from __future__ import annotations

from collections.abc import Iterator

from sievemda.mail.address import Address
from sievemda.mail.envelope import Envelope
from sievemda.sieve.matching import ALL, DEFAULT, AddressPart, Matching, match
from sievemda.sieve.node import Context, Fault, Test, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.text import Texts
from sievemda.sieve.vocabulary import Extension


@node
class EnvelopeTest(Test):
    """envelope [COMPARATOR] [ADDRESS-PART] [MATCH-TYPE] <envelope-part: string-list> <key-list: string-list>.

    The null reverse-path is the empty string for every address part, and counts as no address (RFC 5231 §4.2).
    """

    keyword = "envelope"
    matching: Matching = DEFAULT
    part: AddressPart = ALL
    envelope_part: Texts
    key_list: Texts

    def problems(self, context: Context) -> Iterator[Fault]:
        known = context.vocabulary.envelope_parts
        for name in self.envelope_part:
            if name.constant and name.source.lower() not in known:
                yield name, f"unknown envelope part '{name.source[:80]}': known are {', '.join(sorted(known))}"

    def holds(self, run: Run) -> bool:
        values: list[str] = []
        for name in run.texts(self.envelope_part):
            found = run.vocabulary.envelope_parts.get(name.lower())
            if found is None:
                raise RunError(f"unknown envelope part '{name[:80]}'", self.line)
            for item in found(run.envelope):
                value = item if isinstance(item, str) else self.part.take(item, run.limits)
                values += [] if value is None else [value]
        return match(run, self.matching, values, run.texts(self.key_list), sum(value != "" for value in values))


def _sender(envelope: Envelope) -> tuple[Address | str, ...]:
    return (envelope.sender.reverse_path or "",)


def _recipient(envelope: Envelope) -> tuple[Address | str, ...]:
    return (envelope.recipient.address,)


def _identity(envelope: Envelope) -> tuple[Address | str, ...]:
    return () if envelope.sender.auth is None else (envelope.sender.auth,)


EXTENSIONS = (
    Extension(
        "envelope",
        "RFC 5228 §5.4",
        tests=(EnvelopeTest,),
        envelope_parts={"from": _sender, "to": _recipient, "auth": _identity},
    ),
)
