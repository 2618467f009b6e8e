"""Whether a script is valid, and everything there is to say about it: what is asked before a script is stored."""

from __future__ import annotations

from sievemda.sieve.compile import compile_script
from sievemda.sieve.library import Library
from sievemda.sieve.limits import Limits
from sievemda.sieve.problems import Problem, ScriptError


def check_script(
    text: bytes, limits: Limits, available: frozenset[str] | None = None, library: Library | None = None
) -> tuple[Problem, ...]:
    """Every error and warning by its place; with an error the script must not be stored. RFC 5804 §2.6."""
    try:
        found = compile_script(text, limits, available, library).problems
    except ScriptError as e:
        found = e.problems
    return tuple(sorted(found, key=lambda problem: (problem.line, problem.column)))
