"""enotify: tell somebody, by mail or otherwise, that a message has come. RFC 5435; the method mailto, RFC 5436.

The methods are in `sieve.notification`. A literal URI is checked when the script is compiled, and again when it runs,
because a site may have changed its mind meanwhile.

Why a method that is not known here is no error of the script: RFC 5435 §3.2 makes it one of the run, and its examples
have such methods in branches that are taken only where they are known. It is warned of. In the test language, where
the errors of a script are counted as Pigeonhole counts them, it is an error of the script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sievemda.sieve.effects import Notify
from sievemda.sieve.extensions.variables import Modifier
from sievemda.sieve.limits import Limits
from sievemda.sieve.matching import DEFAULT, Matching, match
from sievemda.sieve.node import About, Command, Context, Fault, Test, node
from sievemda.sieve.notification import Wanted, method_of, valid
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Compared, Run
from sievemda.sieve.text import Text, Texts, octets
from sievemda.sieve.vocabulary import Extension
from sievemda.sieve.wording import presence, quoted

_OPTION = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)=([^\0\r\n]*)", re.DOTALL)  # RFC 5435 §3.5
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986 §2.3
_DIGITS = tuple(f"%{octet:02X}" for octet in range(256))


@node
class NotifyCommand(Command):
    """notify [":from" string] [":importance" <"1" / "2" / "3">] [":options" string-list] [":message" string]
    <method: string>, RFC 5435 §3.1.
    """

    keyword = "notify"
    from_: Text | None = None
    importance: Text | None = None
    options_: Texts | None = None
    message: Text | None = None
    method: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        limits, options = context.limits, self.options_
        if not limits.notifications:
            yield "local policy prohibits the use of a notify action"
        if self.importance is not None and self.importance.constant and not _importance(self.importance.source):
            yield self.importance, f'invalid importance {self.importance.source[:80]!r}: it is "1", "2" or "3"'
        for item in options or ():
            if item.constant and not _OPTION.fullmatch(item.source):
                yield item, f"invalid option {item.source[:80]!r}: it must be NAME=VALUE"
        if self.method.constant:
            yield from self._method_problems(self.method, limits)

    def _method_problems(self, uri: Text, limits: Limits) -> Iterator[Fault]:
        try:
            method = method_of(uri.source, limits.options)
            if method is not None:
                method.check(uri.source, limits)
        except ValueError as fault:
            yield uri, f"invalid notify method: {fault}"
            return
        if method is None and limits.options.notify_unknown_refused:
            yield uri, _unknown(uri.source)
        if method is not None and self.from_ is not None and self.from_.constant:
            fault_of_sender = method.sender_fault(self.from_.source)
            if fault_of_sender:
                yield self.from_, fault_of_sender

    def warnings(self, context: Context) -> Iterator[Fault]:
        if not self.method.constant:
            return
        uri = self.method.source
        try:
            method = method_of(uri, context.limits.options)
            told = () if method is None else method.check(uri, context.limits)
        except ValueError:
            return
        if method is None:
            yield self.method, f"{_unknown(uri)}: to use it would be a run-time error"
        for what in told:
            yield self.method, f"notify: {what}"

    def execute(self, run: Run) -> None:
        run.add(self.amended(self._effect(run, self._wanted(run)), run))

    def _wanted(self, run: Run) -> Wanted:
        importance = 2 if self.importance is None else _importance(run.text(self.importance))
        if not importance:
            raise RunError("invalid importance: it must be 1, 2 or 3", self.line)
        options = []
        for item in run.texts(self.options_) if self.options_ else ():
            pair = _OPTION.fullmatch(item)
            if pair is None:
                raise RunError(f"invalid option {item[:80]!r}: it must be NAME=VALUE", self.line)
            options.append((pair[1], pair[2]))
        message = None if self.message is None else run.text(self.message)
        sender = None if self.from_ is None else run.text(self.from_)
        return Wanted(run.text(self.method), message, sender, importance, tuple(options), self.line)

    def _effect(self, run: Run, wanted: Wanted) -> Notify:
        """RFC 5435 §3.2: an unknown method, and a URI that is wrong, are errors."""
        run.spend_matching(len(wanted.uri) + len(wanted.message or ""))
        try:
            method = method_of(wanted.uri, run.limits.options)
            if method is None:
                raise RunError(_unknown(wanted.uri), self.line)
            if wanted.sender is not None and (fault := method.sender_fault(wanted.sender)):
                raise RunError(fault, self.line)
            return method.compose(run, wanted)
        except ValueError as fault_of_uri:
            raise RunError(f"invalid notify method: {fault_of_uri}", self.line) from fault_of_uri


def _unknown(uri: str) -> str:
    return f"unknown notify method {uri[:80]!r}"


def _importance(text: str) -> int:
    """0 when it is none. RFC 5435 §3.4."""
    return int(text) if text in {"1", "2", "3"} else 0


@node
class ValidNotifyMethod(Test):
    """valid_notify_method <notification-uris: string-list>, RFC 5435 §4: all of them."""

    keyword = "valid_notify_method"
    notification_uris: Texts

    def holds(self, run: Run) -> bool:
        uris = run.texts(self.notification_uris)
        run.spend_matching(sum(map(len, uris)))
        found = [uri for uri in uris if valid(uri, run.limits)]
        run.saw(found, uris)
        return len(found) == len(uris)

    def reason(self, run: Run, result: bool, seen: Sequence[Compared]) -> str:
        return presence(seen, result, "{} can be notified", "{} is no method of notification here")


@node
class NotifyMethodCapability(Test):
    """notify_method_capability [COMPARATOR] [MATCH-TYPE] <notification-uri: string>
    <notification-capability: string> <key-list: string-list>, RFC 5435 §5.

    False, whatever the keys and the match type, for a URI that is not valid and for a capability that is not known.
    """

    keyword = "notify_method_capability"
    matching: Matching = DEFAULT
    notification_uri: Text
    notification_capability: Text
    key_list: Texts

    def holds(self, run: Run) -> bool:
        uri, keys = run.text(self.notification_uri), run.texts(self.key_list)
        run.spend_matching(len(uri))
        value = self._value(run, uri)
        if value is None:
            run.saw((), keys)
            return False
        return match(run, self.matching, (value,), keys, int(value != ""))

    def about(self, run: Run) -> About:
        name, uri = run.text(self.notification_capability), quoted(run.text(self.notification_uri))
        return About(f"{name} of {uri}", f"{name} is not known of {uri}, or that is no method of notification here")

    def _value(self, run: Run, uri: str) -> str | None:
        """For `fcc` the scheme alone will do: RFC 8580 §6.1."""
        name = run.text(self.notification_capability)
        if name.lower() == "fcc":
            try:
                method = method_of(uri, run.limits.options)
            except ValueError:
                return None
        else:
            method = valid(uri, run.limits)
        return None if method is None else method.capability(name)


@node
class EncodeUrl(Modifier):
    """:encodeurl, RFC 5435 §6. A cut never parts the encoded form of one character."""

    keyword, precedence, group = "encodeurl", 15, "modifier of precedence 15"

    def apply(self, value: str, size: int) -> str:
        encoded: list[str] = []
        for character in value:
            coded = character if character in _UNRESERVED else "".join(_DIGITS[octet] for octet in octets(character))
            size -= len(coded)
            if size < 0:
                break
            encoded.append(coded)
        return "".join(encoded)


EXTENSIONS = (
    Extension(
        "enotify",
        "RFC 5435, RFC 5436",
        commands=(NotifyCommand,),
        tests=(ValidNotifyMethod, NotifyMethodCapability),
        options=(EncodeUrl,),
        excludes=("notify",),
        note="`mailto:`; `https:` webhooks to hosts that the site lists",
    ),
)
