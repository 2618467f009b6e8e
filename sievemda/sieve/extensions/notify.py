"""notify and denotify as they were before enotify: draft-martin-sieve-notify, in the spelling of older clients.

    notify [":method" string] [":id" string] [":low" / ":normal" / ":high"] [":options" string-list]
           [":message" string]
    denotify [MATCH-TYPE string] [":low" / ":normal" / ":high"]

There is one method, `mailto`, and its options are the addresses that are told. `denotify` takes back what an earlier
notify has asked for, by the match of its `:id` and by its priority; without an argument it takes back all.

Why another method is no error: it was the site's to know which ones there are (Cyrus hands any name to its notifier),
and a script that names one shall not stop delivering here. It is warned of, and the notification tells why it was not
sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sievemda.mail.addresslist import sieve_address
from sievemda.mail.mailto import quoted
from sievemda.mail.message import Message
from sievemda.sieve.effects import Notify
from sievemda.sieve.matching import CONTAINS, IS, MATCHES, Matching, match
from sievemda.sieve.node import Command, Context, Fault, node
from sievemda.sieve.notification import Wanted, method_of
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text, Texts
from sievemda.sieve.vocabulary import Extension

_MACRO = re.compile(r"\$(from|env-from|subject|text)(?:\[([0-9]{1,9})\])?\$", re.IGNORECASE)
_DEFAULT = "$from$: $subject$"
_EXCERPT = 4_000  # octets of the body that `$text$` looks at, and characters of any value
_MACROS = 50  # of one message
_METHODS = {"mailto", "default"}


@node
class Prioritized(Command):
    """A command that may name one of three priorities."""

    low: bool = False
    normal: bool = False
    high: bool = False

    def importance(self) -> int:
        """As enotify counts; 0 when none is named."""
        return 1 if self.high else 2 if self.normal else 3 if self.low else 0

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.low + self.normal + self.high > 1:
            yield f"only one of ':low', ':normal' and ':high' can be given for the {self.keyword} command"


@node
class OldNotify(Prioritized):
    keyword = "notify"
    method: Text | None = None
    id: Text | None = None
    options_: Texts | None = None
    message: Text | None = None

    def problems(self, context: Context) -> Iterator[Fault]:
        if not context.limits.notifications:
            yield "local policy prohibits the use of a notify action"
        yield from Prioritized.problems(self, context)
        for item in self.options_ or ():
            if self._is_mail(self.method) and item.constant and not sieve_address(item.source):
                yield item, f"invalid address for notify: {item.source[:80]!r}"

    def _is_mail(self, method: Text | None) -> bool:
        return method is None or (method.constant and method.source.lower() in _METHODS)

    def warnings(self, context: Context) -> Iterator[Fault]:
        if self.method is not None and self.method.constant and not self._is_mail(self.method):
            yield self.method, f"unknown notify method {self.method.source[:80]!r}: nobody would be told"
        elif self.options_ is None:
            yield "nobody is told: ':options' names no address"

    def execute(self, run: Run) -> None:
        method = "mailto" if self.method is None else run.text(self.method)
        message = _filled_in(run, _DEFAULT if self.message is None else run.text(self.message))
        identifier = "" if self.id is None else run.text(self.id)
        importance = self.importance() or 2
        if method.lower() not in _METHODS:
            why = f"unknown notify method {method[:80]!r}"
            effect = Notify(method=method, message=message, importance=importance, suppressed=why, line=self.line)
        else:
            effect = self._mail(run, Wanted(self._uri(run), message, None, importance, (), self.line))
        run.spend_matching(len(message))
        run.add(replace(effect, identifier=identifier))

    def _mail(self, run: Run, wanted: Wanted) -> Notify:
        found = method_of(wanted.uri, run.limits.options)
        assert found is not None
        return found.compose(run, wanted)

    def _uri(self, run: Run) -> str:
        addresses = run.texts(self.options_) if self.options_ else ()
        for text in addresses:
            if sieve_address(text) is None:
                raise RunError(f"invalid address for notify: {text[:80]!r}", self.line)
        return "mailto:" + "%2C".join(map(_coded, addresses))


@node
class Denotify(Prioritized):
    keyword = "denotify"
    is_: Text | None = None
    contains: Text | None = None
    matches: Text | None = None

    def problems(self, context: Context) -> Iterator[Fault]:
        yield from Prioritized.problems(self, context)
        if sum(key is not None for key in (self.is_, self.contains, self.matches)) > 1:
            yield "duplicate match type for the denotify command: it may be given only once"

    def execute(self, run: Run) -> None:
        kept = [
            effect for effect in run.actions.effects if not (isinstance(effect, Notify) and self._meant(run, effect))
        ]
        run.actions.effects[:] = kept

    def _meant(self, run: Run, effect: Notify) -> bool:
        if self.importance() not in {0, effect.importance}:
            return False
        ways = ((IS, self.is_), (CONTAINS, self.contains), (MATCHES, self.matches))
        return all(
            match(run, Matching(kind), (effect.identifier,), (run.text(key),)) for kind, key in ways if key is not None
        )


def _coded(address: str) -> str:
    return quoted(address).replace("%40", "@")


def _filled_in(run: Run, text: str) -> str:
    """The macros of the draft, the first ones of them; a value is cut, and never looked at for more of them."""
    return _MACRO.sub(lambda macro: _value(run, macro[1].lower(), macro[2])[:_EXCERPT], text, count=_MACROS)


def _value(run: Run, name: str, size: str | None) -> str:
    match name:
        case "from" | "subject":
            return _first(run.message.values(name))
        case "env-from":
            return str(run.envelope.sender.reverse_path or "")
    excerpt = _excerpt(run.message)
    return excerpt if size is None else excerpt[: int(size)]


def _first(values: Sequence[str]) -> str:
    return values[0] if values else ""


def _excerpt(message: Message) -> str:
    start = message.header_end
    return bytes(message.data[start : start + _EXCERPT]).decode("utf-8", "replace")


EXTENSIONS = (
    Extension(
        "notify",
        "draft-martin-sieve-notify",
        commands=(OldNotify, Denotify),
        excludes=("enotify",),
        note="as it was before `enotify`; the method `mailto`",
    ),
)
