"""envelope: compare with MAIL FROM and RCPT TO. RFC 5228 §5.4.

`auth` (the posting identity of AUTH=) is a part that Cyrus and Pigeonhole have too. Other extensions add parts of which
no address part can be asked: RFC 6009 §4 makes that an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sievemda.mail.address import Address
from sievemda.sieve.extensions import imapsieve
from sievemda.sieve.matching import ALL, DEFAULT, AddressPart, Matching, match
from sievemda.sieve.node import About, Context, Fault, Option, Test, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.skipping import Watched
from sievemda.sieve.text import Texts
from sievemda.sieve.vocabulary import EnvelopePart, Extension
from sievemda.sieve.wording import names as named

_UNSAID = AddressPart(ALL.name, ALL.take)  # :all that the script did not say: RFC 5228 §2.7.4


@node
class EnvelopeTest(Test):
    """envelope [COMPARATOR] [ADDRESS-PART] [MATCH-TYPE] <envelope-part: string-list> <key-list: string-list>.

    The null reverse-path is the empty string for every address part, and counts as no address (RFC 5231 §4.2).
    """

    keyword = "envelope"
    matching: Matching = DEFAULT
    part: AddressPart = _UNSAID
    envelope_part: Texts
    key_list: Texts

    def problems(self, context: Context) -> Iterator[Fault]:
        known = context.vocabulary.envelope_parts
        for name in self.envelope_part:
            if not name.constant:
                continue
            found = known.get(name.source.lower())
            if found is None:
                yield name, f"unknown envelope part '{name.source[:80]}': known are {', '.join(sorted(known))}"
            elif fault := self._fault(name.source, found):
                yield name, fault

    def _fault(self, name: str, part: EnvelopePart) -> str:
        if part.address or self.part is _UNSAID:
            return ""
        return f"the envelope part '{name[:80]}' is no address: ':{self.part.name}' cannot be asked of it"

    def holds(self, run: Run) -> bool:
        values, count = self._values(run, run.texts(self.envelope_part))
        return match(run, self.matching, values, run.texts(self.key_list), count)

    def watched(self) -> Watched | None:
        names, keys = self.envelope_part.constant, self.key_list.constant
        if self.options or names is None or keys is None:
            return None
        subject = ("envelope", names, self.part.name, self.part is _UNSAID)
        return Watched(subject, lambda run: self._values(run, names)[0], self.matching, keys)

    def about(self, run: Run) -> About:
        what = f"envelope {named(run.texts(self.envelope_part))}"
        part = "" if self.part is _UNSAID or self.part.name == "all" else self.part.name
        return About(f"the {part} of {what}" if part else what, f"{what}: {part or 'it'} is absent")

    def _values(self, run: Run, names: Sequence[str]) -> tuple[Sequence[str], int]:
        """The values, and how many addresses there are."""
        if run.facts.environment(imapsieve.CAUSE) is not None:  # RFC 6785 §4.6
            raise RunError("the envelope cannot be tested at an IMAP event", self.line)
        values: list[str] = []
        count = 0
        for name in names:
            found = run.vocabulary.envelope_parts.get(name.lower())
            fault = f"unknown envelope part '{name[:80]}'" if found is None else self._fault(name, found)
            if found is None or fault:
                raise RunError(fault, self.line)
            for item in found.values(run, self.options):
                value = item if isinstance(item, str) else self.part.take(item, run.limits)
                if value is not None:
                    values.append(value)
                    count += value != "" or not found.address
        return values, count


def _sender(run: Run, _options: Sequence[Option]) -> tuple[Address | str, ...]:
    return (run.envelope.sender.reverse_path or "",)


def _recipient(run: Run, _options: Sequence[Option]) -> tuple[Address | str, ...]:
    address = run.envelope.recipient.address
    return (address,) if address.local or address.domain else ()  # an unknown one has no value at all


def _identity(run: Run, _options: Sequence[Option]) -> tuple[Address | str, ...]:
    return () if run.envelope.sender.auth is None else (run.envelope.sender.auth,)


EXTENSIONS = (
    Extension(
        "envelope",
        "RFC 5228 §5.4",
        tests=(EnvelopeTest,),
        envelope_parts={"from": EnvelopePart(_sender), "to": EnvelopePart(_recipient), "auth": EnvelopePart(_identity)},
    ),
)
