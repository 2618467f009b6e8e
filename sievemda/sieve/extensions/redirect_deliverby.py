"""redirect-deliverby: by when a message that is sent on is to arrive, and what is to become of it else. RFC 6009 §7.

Why a time that is over already, which only `:bytimeabsolute` can name, is no error: RFC 2852 §4 lets a by-time be
negative in the mode of notices, and in the mode of returns the message comes back as it would from any later host.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sievemda.mail.envelope import DeliverBy
from sievemda.sieve.effects import Effect, Redirect
from sievemda.sieve.extensions.redirect_dsn import in_own_name
from sievemda.sieve.node import Command, Context, Fault, Option, Test, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text
from sievemda.sieve.vocabulary import Extension

# RFC 3339 §5.6, `t` and `z` may be small; the zone also without its colon, as the second example of §7.2 makes it.
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)T((?:[01]\d|2[0-3]):[0-5]\d:)([0-5]\d|60)(?:\.\d+)?(Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)",
    re.ASCII | re.IGNORECASE,
)
_MOST = 999_999_999  # seconds, RFC 2852 §4: nine digits


@node
class ByTimeRelative(Option):
    """:bytimerelative <rlimit: number>: seconds from now."""

    keyword = "bytimerelative"
    extends = ("redirect",)
    group = "by-time"
    rlimit: int

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.rlimit > _MOST:
            yield f"':bytimerelative {self.rlimit}' is out of range: it must be from 1 to {_MOST} seconds"

    def misuse(self, owner: Command | Test, context: Context) -> Iterator[Fault]:
        """RFC 2852 §4: a message that is to be returned when it is late must have some time."""
        told = any(isinstance(option, ByMode) and option.mode.source.lower() != "return" for option in owner.options)
        if not self.rlimit and not told:
            yield "':bytimerelative 0' is possible only with ':bymode \"notify\"'"

    def amend(self, effect: Effect, run: Run) -> Effect:
        return _by(effect, run, until=run.facts.now() + timedelta(seconds=self.rlimit))


@node
class ByTimeAbsolute(Option):
    """:bytimeabsolute <alimit: string>: a time of RFC 3339."""

    keyword = "bytimeabsolute"
    extends = ("redirect",)
    group = "by-time"
    alimit: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.alimit.constant and _time(self.alimit.source) is None:
            yield self.alimit, _bad_time(self.alimit.source)

    def amend(self, effect: Effect, run: Run) -> Effect:
        text = run.text(self.alimit)
        time = _time(text)
        if time is None:
            raise RunError(_bad_time(text), self.line)
        return _by(effect, run, until=time)


@node
class ByMode(Option):
    """:bymode "notify" | "return"."""

    keyword = "bymode"
    extends = ("redirect",)
    mode: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.mode.constant and self.mode.source.lower() not in _MODES:
            yield self.mode, _bad_mode(self.mode.source)

    def misuse(self, owner: Command | Test, context: Context) -> Iterator[Fault]:
        yield from _without_time(self.keyword, owner.options)

    def amend(self, effect: Effect, run: Run) -> Effect:
        mode = _MODES.get(run.text(self.mode).lower())
        if mode is None:
            raise RunError(_bad_mode(run.text(self.mode)), self.line)
        return _by(effect, run, mode=mode)


@node
class ByTrace(Option):
    """:bytrace"""

    keyword = "bytrace"
    extends = ("redirect",)

    def misuse(self, owner: Command | Test, context: Context) -> Iterator[Fault]:
        yield from _without_time(self.keyword, owner.options)

    def amend(self, effect: Effect, run: Run) -> Effect:
        return _by(effect, run, trace=True)


_MODES = {"notify": "N", "return": "R"}


def _by(
    effect: Effect, run: Run, *, until: datetime | None = None, mode: str | None = None, trace: bool = False
) -> Effect:
    """The redirect with this too; the tags may stand in any order. The mode is `return` where none is said (§7)."""
    if not isinstance(effect, Redirect):
        return effect
    known = effect.by or DeliverBy(until=run.facts.now(), mode="R")
    found = DeliverBy(until=until or known.until, mode=mode or known.mode, trace=trace or known.trace)
    return replace(in_own_name(effect, run), by=found)


def _without_time(tag: str, options: Sequence[Option]) -> Iterator[Fault]:
    if not any(isinstance(option, ByTimeRelative | ByTimeAbsolute) for option in options):
        yield f"':{tag}' is possible only together with ':bytimerelative' or ':bytimeabsolute'"


def _time(text: str) -> datetime | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    try:
        second = "59" if found[3] == "60" else found[3]  # a leap second
        return datetime.fromisoformat(f"{found[1]}T{found[2]}{second}{found[4].upper()}")
    except ValueError:  # a day that no month has
        return None


def _bad_time(text: str) -> str:
    return f"invalid time for ':bytimeabsolute': {text[:80]!r}, it must be like 2026-03-01T20:00:00+01:00"


def _bad_mode(text: str) -> str:
    return f"invalid value of ':bymode': {text[:80]!r}, it must be notify or return"


EXTENSIONS = (
    Extension(
        "redirect-deliverby",
        "RFC 6009 §7",
        options=(ByTimeRelative, ByTimeAbsolute, ByMode, ByTrace),
        note="needs a next host with DELIVERBY; without it, `return` returns the message",
    ),
)
