"""Effects, tests and problems as JSON values: one form for dry runs, the journal and `why`.

Values and keys of tests are cut for people; the data of an action never is. Octets that are not UTF-8 show as U+FFFD.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sievemda.sieve.actions import name
from sievemda.sieve.effects import Discard, Effect, Redirect, Refuse, Respond, Store
from sievemda.sieve.problems import Problem
from sievemda.sieve.run import Tried

_SHOWN = 500  # characters of a value, and values of a test


def to_json(effect: Effect) -> dict[str, Any]:
    """One action. `suppressed` is there when it was decided against, `implicit` when no line of the script said it."""
    data: dict[str, Any] = {"action": name(effect)}
    match effect:
        case Store(mailbox=None):
            data["flags"] = list(effect.flags)
            if effect.implicit:
                data["implicit"] = True
        case Store(mailbox=mailbox):
            data.update(mailbox=mailbox, flags=list(effect.flags), copy=effect.copy, create=effect.create)
        case Redirect():
            data["address"] = shown(effect.address)
            if effect.copy:
                data["copy"] = True
        case Discard():
            pass
        case Refuse():
            data["reason"] = shown(effect.reason)
        case Respond():
            data.update(reason=shown(effect.reason), subject=shown(effect.subject), to=shown(effect.to))
            data["fcc"] = effect.fcc.mailbox if effect.fcc else None
            if effect.suppressed:
                data["suppressed"] = shown(effect.suppressed)
    return data


def tried_to_json(tried: Tried) -> dict[str, Any]:
    """One test that was tried, with what was compared with what."""
    compared = [{"values": _cut(one.values), "keys": _cut(one.keys)} for one in tried.compared]
    return {"line": tried.line, "test": tried.test, "result": tried.result, "compared": compared}


def problem_to_json(problem: Problem) -> dict[str, Any]:
    return {
        "line": problem.line,
        "column": problem.column,
        "severity": problem.severity,
        "text": shown(problem.text),
    }


def shown(text: str) -> str:
    """The text with what is no UTF-8 replaced, so that it can be written anywhere."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _cut(texts: Iterable[str]) -> list[str]:
    kept = [
        shown(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
        for text, _ in zip(texts, range(_SHOWN + 1), strict=False)
    ]
    return [*kept[:_SHOWN], "…"] if len(kept) > _SHOWN else kept
