"""Whether a script is valid, and everything there is to say about it: what is asked before a script is stored."""

from __future__ import annotations

from sievemda.sieve.compile import ALWAYS, compile_script
from sievemda.sieve.library import Library
from sievemda.sieve.limits import Limits
from sievemda.sieve.lint import Known, lint
from sievemda.sieve.parse import parse
from sievemda.sieve.problems import Problem, ScriptError
from sievemda.sieve.vocabulary import registry

_NOTHING = Known()


def check_script(
    text: bytes,
    limits: Limits,
    available: frozenset[str] | None = None,
    library: Library | None = None,
    known: Known = _NOTHING,
) -> tuple[Problem, ...]:
    """Every error and warning by its place; with an error the script must not be stored. RFC 5804 §2.6."""
    try:
        program = compile_script(text, limits, available, library)
        found = (*program.problems, *lint(program, lambda: parse(text, limits), limits, known))
    except ScriptError as e:
        found = _surveyed(text, limits, available, library, e)
    return _placed(text, found)


def _surveyed(
    text: bytes, limits: Limits, available: frozenset[str] | None, library: Library | None, known: ScriptError
) -> tuple[Problem, ...]:
    """What a person is told of a script that does not compile."""
    if known.stage == "generate" or [problem.code for problem in known.problems] == ["limit"]:
        return known.problems
    from sievemda.sieve.survey.people import survey  # noqa: PLC0415 - only for who has made a mistake

    allowed = registry().public if available is None else available | ALWAYS
    found = survey(text.decode("utf-8", "surrogateescape").removeprefix("\ufeff"), limits, allowed, library)
    return found if any(problem.severity == "error" for problem in found) else (*known.problems, *found)


def _placed(text: bytes, found: tuple[Problem, ...]) -> tuple[Problem, ...]:
    if not found:
        return ()
    from sievemda.sieve.survey.places import with_ends  # noqa: PLC0415 - as above

    source = text.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    return tuple(sorted(with_ends(source, found), key=lambda problem: (problem.line, problem.column)))
