"""copy: `:copy` on fileinto and redirect, and on pipe where there is one, leaves the implicit keep alone. RFC 3894."""

from __future__ import annotations

from dataclasses import replace

from sievemda.sieve.effects import Effect, Pipe, Redirect, Store
from sievemda.sieve.node import Option, node
from sievemda.sieve.run import Run
from sievemda.sieve.vocabulary import Extension


@node
class Copy(Option):
    """:copy, RFC 3894 §3."""

    keyword = "copy"
    extends = ("fileinto", "redirect", "pipe")

    def amend(self, effect: Effect, run: Run) -> Effect:
        return replace(effect, copy=True) if isinstance(effect, Store | Redirect | Pipe) else effect


EXTENSIONS = (Extension("copy", "RFC 3894", options=(Copy,)),)
