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
from sievemda.sieve.lint.requires import former, successor, unused
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


Calls = Callable[[], tuple[Call, ...]]


def lint(program: Program, calls: Calls, limits: Limits, known: Known) -> Iterator[Problem]:
    """Every warning of a program, at most as many as are told of a script.

    `calls` reads the commands that it was made from; that is done only where what is required matters.
    """
    for number, found in enumerate(_all(program, calls, known)):
        if number >= limits.problems:
            return
        yield found


def _all(program: Program, calls: Calls, known: Known) -> Iterator[Problem]:
    old = any(map(successor, program.requires))
    read = calls() if old or known.style else ()
    yield from former(read)
    if known.style:
        yield from unused(read)
    yield from Flow().walk(program.commands)
    yield from odd_tests(program.commands)
    yield from targets(program.commands, known.mailbox_exists, known.own)
