"""duplicate: whether a message, or what a script takes out of it, was seen before. RFC 7352.

The test asks `Facts.seen`; what it has asked for is remembered when the whole run has succeeded (§3), so that every
test of one run with the same arguments comes to the same. Whoever answers keeps others from asking for the same thing
until then, so two copies that arrive at once do not both pass.

An empty header field identifies nothing: such a message is not a duplicate. Where tests with one identifier have
different `:seconds` or `:last`, those of the last one count (§3.3 leaves that open).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from sievemda.sieve.base.tests import impossible_name
from sievemda.sieve.effects import Remember
from sievemda.sieve.node import Context, Fault, Test, node
from sievemda.sieve.run import Compared, Run
from sievemda.sieve.text import Text, octets
from sievemda.sieve.vocabulary import Extension
from sievemda.sieve.wording import listed

_LOOK = 25_000  # characters that are charged for one question to the memory
_LONGEST = 200  # characters of a value that is kept as it is; of a longer one its digest


@node
class Duplicate(Test):
    """duplicate [":handle" <handle: string>] [":header" <header-name: string> / ":uniqueid" <value: string>]
    [":seconds" <timeout: number>] [":last"], §3.
    """

    keyword = "duplicate"
    handle: Text | None = None
    header: Text | None = None
    uniqueid: Text | None = None
    seconds: int | None = None
    last: bool = False

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.header is not None and self.uniqueid is not None:
            yield "the duplicate test takes one of ':header' and ':uniqueid', not both"

    def warnings(self, context: Context) -> Iterator[Fault]:
        if self.header is not None and self.header.constant and impossible_name(self.header.source):
            yield self.header, f"no header field can have the name '{self.header.source[:80]}'"
        most = context.limits.duplicate_maximum
        if self.seconds is not None and self.seconds > most:
            yield f"the period is cut: {self.seconds} seconds, the limit is {most}"

    def holds(self, run: Run) -> bool:
        value = self._value(run)
        seconds = run.limits.duplicate_default if self.seconds is None else self.seconds
        seconds = min(seconds, run.limits.duplicate_maximum)
        if value is None or not seconds:
            return False
        run.saw((value,), ())
        run.spend_matching(len(value))
        key = _key(None if self.handle is None else run.text(self.handle), value)
        seen = self._seen(run, key)
        if not seen or self.last:
            run.remember[:] = [known for known in run.remember if known.key != key]
            run.remember.append(Remember(key, seconds))
        return seen

    def reason(self, run: Run, result: bool, seen: Sequence[Compared]) -> str:
        if not seen:
            name = "Message-ID" if self.header is None else run.text(self.header)
            return f"there is nothing to know the message by: no {name}, or no time to remember it"
        return f"{listed(seen[-1].values)} has {'been seen before' if result else 'not been seen before'}"

    def _value(self, run: Run) -> str | None:
        """What identifies the message; `None` when nothing does. §3.1."""
        if self.uniqueid is not None:
            return run.text(self.uniqueid)
        name = "Message-ID" if self.header is None else run.text(self.header)
        if impossible_name(name):
            return None
        return next(iter(run.shown.values(name)), "").strip() or None

    def _seen(self, run: Run, key: str) -> bool:
        """The world is asked once for each key, since its answer must not change within one run."""
        known: dict[str, bool] = run.kept.setdefault(Duplicate, {})
        if key not in known:
            run.spend_matching(_LOOK)
            known[key] = run.facts.seen(key)
        return known[key]


def _key(handle: str | None, value: str) -> str:
    """One for each handle, or none, and value. §3.2."""
    first = "" if handle is None else "=" + _bounded(handle).replace("\\", "\\\\").replace(":", "\\:")
    return f"{first}:{_bounded(value)}"


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST else hashlib.sha256(octets(text)).hexdigest()


EXTENSIONS = (Extension("duplicate", "RFC 7352", tests=(Duplicate,)),)
