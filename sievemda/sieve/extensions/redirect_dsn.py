"""redirect-dsn: which notices to ask for when a message is sent on. RFC 6009 §6.

They come to the owner of the script (§6.1): the message leaves in his name, unless it came from nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from sievemda.sieve.effects import Effect, Redirect
from sievemda.sieve.node import Context, Fault, Option, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.senders import owner, reverse_path
from sievemda.sieve.text import Text
from sievemda.sieve.vocabulary import Extension

_NOTIFY = re.compile(r"NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY))*", re.IGNORECASE)
_RET = re.compile(r"FULL|HDRS", re.IGNORECASE)


@node
class RedirectNotify(Option):
    """:notify "value", §6: `NEVER`, or a list of the others with commas and nothing else between them."""

    keyword = "notify"
    extends = ("redirect",)
    value: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.value.constant and not _NOTIFY.fullmatch(self.value.source):
            yield self.value, _bad("notify", self.value.source)

    def amend(self, effect: Effect, run: Run) -> Effect:
        value = run.text(self.value)
        if not _NOTIFY.fullmatch(value):
            raise RunError(_bad("notify", value), self.line)
        words = tuple(dict.fromkeys(value.upper().split(",")))
        return replace(in_own_name(effect, run), notify=words) if isinstance(effect, Redirect) else effect


@node
class Ret(Option):
    """:ret "FULL" | "HDRS", §6."""

    keyword = "ret"
    extends = ("redirect",)
    value: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.value.constant and not _RET.fullmatch(self.value.source):
            yield self.value, _bad("ret", self.value.source)

    def amend(self, effect: Effect, run: Run) -> Effect:
        value = run.text(self.value)
        if not _RET.fullmatch(value):
            raise RunError(_bad("ret", value), self.line)
        return replace(in_own_name(effect, run), ret=value.upper()) if isinstance(effect, Redirect) else effect


def in_own_name(effect: Redirect, run: Run) -> Redirect:
    """§6.1, §7.1: from the owner of the script, so that the notices find him; what came from nobody stays so."""
    return replace(effect, return_path=owner(run) if reverse_path(run) else "")


def _bad(tag: str, value: str) -> str:
    wanted = "NEVER, or some of SUCCESS,FAILURE,DELAY" if tag == "notify" else "FULL or HDRS"
    return f"invalid value of ':{tag}' for redirect: {value[:80]!r}, it must be {wanted}"


EXTENSIONS = (
    Extension(
        "redirect-dsn", "RFC 6009 §6", options=(RedirectNotify, Ret), note="ignored where the next host has no DSN"
    ),
)
