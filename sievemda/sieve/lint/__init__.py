"""What is allowed in a script and hardly meant: warnings for who writes it, each with a way out.

They are made when a script is checked, never when it is compiled for a delivery, and never count as errors. A warning
must be worth reading: what a webmail client writes on purpose (`if false` before a rule that is switched off, `if true`
before one for every message) is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sievemda.sieve.limits import Limits
from sievemda.sieve.lint.flow import Flow
from sievemda.sieve.lint.requires import former, unused
from sievemda.sieve.lint.targets import targets
from sievemda.sieve.lint.tests import odd_tests
from sievemda.sieve.problems import Problem
from sievemda.sieve.program import Program
from sievemda.sieve.tree import Call


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the script. `mailbox_exists` is None where there is no store to ask; `own` are the owner's
    addresses in lower case.

    `style`: also tell of what does no harm. Why not always: a client that writes the same `require` over every script
    would show its user a warning at each upload, and the user could do nothing about it.
    """

    mailbox_exists: Callable[[str], bool] | None = None
    own: frozenset[str] = frozenset()
    style: bool = False


def lint(program: Program, calls: tuple[Call, ...], limits: Limits, known: Known) -> Iterator[Problem]:
    """Every warning of a program and of the commands that it was made from, at most as many as are told of a script."""
    for number, found in enumerate(_all(program, calls, known)):
        if number >= limits.problems:
            return
        yield found


def _all(program: Program, calls: tuple[Call, ...], known: Known) -> Iterator[Problem]:
    yield from former(calls)
    if known.style:
        yield from unused(calls)
    yield from Flow().walk(program.commands)
    yield from odd_tests(program.commands)
    yield from targets(program.commands, known.mailbox_exists, known.own)
