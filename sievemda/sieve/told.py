"""A watched run as JSON values: what `report` has, with rules, reasons, and on demand every instruction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sievemda.sieve.problems import Problem
from sievemda.sieve.report import outcome_to_json, shown, to_json
from sievemda.sieve.run import Outcome
from sievemda.sieve.story import Story, Told, of_keep
from sievemda.sieve.tracing import Deed, Moment, Step, Trial
from sievemda.sieve.wording import SHOWN


def story_to_json(outcome: Outcome, story: Story, problems: Iterable[Problem], *, full: bool = False) -> dict[str, Any]:
    """The object of `outcome_to_json`; to it `rules`, `implicit_keep_why` and, in each test, column, reason and match.

    With `full` there is `trace`: every command and test in order.
    """
    found = outcome_to_json(outcome, problems)
    for test, trial in zip(found["tests"], story.trace.trials, strict=False):
        test.update(_test(trial))
    found["rules"] = [_rule(told) for script in story.sources for told in story.rules(script)]
    found["implicit_keep_why"] = shown(of_keep(outcome, story.trace))
    if full:
        found["trace"] = [_moment(story, moment) for moment in story.trace.moments]
    return found


def _test(trial: Trial) -> dict[str, Any]:
    match = {"value": _cut(trial.matched[0]), "key": _cut(trial.matched[1])} if trial.matched else None
    return {"column": trial.node.column, "reason": shown(trial.reason), "matched": match, **_filled(trial)}


def _rule(told: Told) -> dict[str, Any]:
    rule = told.rule
    return {
        "line": rule.line,
        "column": rule.column,
        "depth": rule.depth,
        "name": shown(rule.name),
        "title": shown(rule.title),
        "result": told.result,
        "why": shown(told.why),
        "tried": len(told.trials),
        "matched": told.times,
        **({"script": shown(told.script)} if told.script else {}),
    }


def _moment(story: Story, moment: Moment) -> dict[str, Any]:
    assert isinstance(moment, Step | Trial)
    told: dict[str, Any] = {
        "line": moment.node.line,
        "column": moment.node.column,
        "depth": moment.depth,
        "text": shown(story.title(moment)),
    }
    if isinstance(moment, Trial):
        told |= {"test": moment.node.keyword, "result": moment.result, **_test(moment)}
        told |= {"captures": list(map(_cut, moment.captures))} if moment.captures else {}
    else:
        told |= {"command": moment.node.keyword or "if", **_filled(moment)}
        told |= {"entered": moment.taken[0]} if moment.taken else {}
    told |= {"did": [_deed(deed) for deed in moment.deeds]} if moment.deeds else {}
    extra = {"error": shown(moment.error), "part": moment.part, "script": shown(moment.script)}
    told |= {key: value for key, value in extra.items() if value}
    return told | {"instructions": moment.instructions, "characters": moment.characters}


def _deed(deed: Deed) -> dict[str, Any]:
    if deed.effect is not None:
        return {"kind": deed.kind, **to_json(deed.effect)}
    if deed.kind == "set":
        name, _, value = deed.text.partition("\0")
        return {"kind": "set", "name": shown(name), "value": _cut(value)}
    return {"kind": deed.kind, "text": _cut(deed.text)}


def _filled(moment: Moment) -> dict[str, Any]:
    filled = [{"string": _cut(source), "value": _cut(value)} for source, value in moment.filled]
    return {"filled": filled} if filled else {}


def _cut(text: str) -> str:
    most = 5 * SHOWN
    return shown(text if len(text) <= most else text[:most] + "…")
