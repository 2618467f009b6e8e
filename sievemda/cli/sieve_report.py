"""What `sievemda sieve` prints of a run for people; `report` has the form for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sievemda.sieve.effects import Effect, Note
    from sievemda.sieve.problems import Problem
    from sievemda.sieve.run import Outcome, Tried


def problem_lines(script: str, problems: Iterable[Problem]) -> Iterator[str]:
    """Each problem as FILE:LINE:COLUMN: severity: TEXT, on one line whatever the script has put into it."""
    for problem in problems:
        yield _plain(f"{problem.script or script}:{problem}".rstrip())


def outcome_lines(script: str, outcome: Outcome, warnings: Iterable[Problem]) -> Iterator[str]:
    """A whole run: warnings, tests, edits and log, the error that ended it, actions."""
    yield from problem_lines(script, warnings)
    yield "tests:" if outcome.tests else "no test was tried"
    for tried in outcome.tests:
        yield from _test(tried)
    yield from _notes("edits:", outcome.edits)
    yield from _notes("log:", outcome.notes)
    if outcome.failure:
        yield from problem_lines(script, (outcome.failure,))
    yield "actions:"
    yield from map(_action, outcome.carried_out)


def _test(tried: Tried) -> Iterator[str]:
    from sievemda.sieve.report import tried_to_json

    data = tried_to_json(tried)
    yield f"  {_place(tried)}: {tried.test} is {str(tried.result).lower()}"
    for one in data["compared"]:
        values, keys = (", ".join(map(_quoted, texts)) or "nothing" for texts in (one["values"], one["keys"]))
        yield f"      {values}  compared with  {keys}"


def _notes(title: str, notes: Iterable[Note]) -> Iterator[str]:
    for number, note in enumerate(notes):
        if not number:
            yield title
        yield f"  {_place(note)}: {_plain(note.text)}"


def _action(effect: Effect) -> str:
    from sievemda.sieve.report import to_json

    data = to_json(effect)
    action = data.pop("action")
    details = ", ".join(f"{key} {_worded(value)}" for key, value in data.items() if value not in (None, [], False))
    return f"  {action}" + (f" {details}" if details else "") + f"  ({_place(effect)})"


def _place(said: Tried | Note | Effect) -> str:
    where = f"line {said.line}" if said.line else "no line"
    return f"{_plain(said.script)} {where}" if said.script else where


def _plain(text: str) -> str:
    """What strangers wrote cannot move the cursor of a terminal."""
    from sievemda.sieve.report import shown

    return "".join(c if c.isprintable() else " " for c in shown(text))


def _worded(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "yes" if value is True else _quoted(str(value))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
