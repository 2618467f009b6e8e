"""Effects, tests and problems as JSON values: one form for dry runs, the journal and `why`.

Values and keys of tests are cut for people; the data of an action never is. Octets that are not UTF-8 show as U+FFFD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sievemda.sieve.combining import name
from sievemda.sieve.effects import (
    Discard,
    Effect,
    Note,
    Notify,
    Pipe,
    Redirect,
    Refuse,
    Report,
    Respond,
    Snooze,
    Store,
    UpdateCalendar,
)
from sievemda.sieve.problems import Problem
from sievemda.sieve.run import Outcome, Tried

_SHOWN = 500  # characters of a value, and values of a test


def to_json(effect: Effect) -> dict[str, Any]:
    """One action. `suppressed` is there when it was decided against, `implicit` when no line of the script said it."""
    return {"action": name(effect), **_DETAILS[type(effect)](effect)}


def _store(effect: Store) -> dict[str, Any]:
    flags = list(effect.flags)
    if effect.snooze is not None:
        return {"flags": flags, **_snooze(effect.snooze)}
    if effect.mailbox is None or effect.implicit:
        return {"flags": flags, **_given(implicit=effect.implicit, **_place(effect))}
    data = {"mailbox": effect.mailbox, "flags": flags, "copy": effect.copy, "create": effect.create}
    return data | _place(effect)


def _snooze(back: Snooze) -> dict[str, Any]:
    flags = {"addflags": list(back.add_flags), "removeflags": list(back.remove_flags)}
    told = {"awakens": back.awakens.isoformat(), "mailbox": back.mailbox or "INBOX"}
    return told | _given(create=back.create, mailboxid=back.mailbox_id, specialuse=back.special_use, **flags)


def _place(effect: Store) -> dict[str, Any]:
    """What a Store says about its place beside what every fileinto says."""
    told = _given(mailboxid=effect.mailbox_id, specialuse=effect.special_use)
    return told | _given(mailbox=effect.mailbox, create=effect.create) if effect.implicit else told


def _redirect(effect: Redirect) -> dict[str, Any]:
    by = effect.by
    told = {"until": by.until.isoformat(), "mode": by.mode, "trace": by.trace} if by else None
    extra = _given(
        members=list(map(shown, effect.members)), copy=effect.copy, notify=list(effect.notify), ret=effect.ret, by=told
    )
    return {"address": shown(effect.address), **extra, **_given(suppressed=shown(effect.suppressed))}


def _respond(effect: Respond) -> dict[str, Any]:
    told = {"reason": shown(effect.reason), "subject": shown(effect.subject), "to": shown(effect.to)}
    return {**told, "fcc": _mailbox(effect.fcc) or None, **_given(suppressed=shown(effect.suppressed))}


def _notify(effect: Notify) -> dict[str, Any]:
    told = {"method": shown(effect.method), "message": shown(effect.message)}
    options = [shown(f"{name}={value}") for name, value in effect.options]
    importance = "" if effect.importance == 2 else str(effect.importance)
    extra = {"importance": importance, "from": shown(effect.sender), "options": options, "fcc": _mailbox(effect.fcc)}
    return {**told, **_given(**extra, suppressed=shown(effect.suppressed))}


def _report(effect: Report) -> dict[str, Any]:
    told = {"to": shown(effect.to), "type": shown(effect.feedback_type), "reason": shown(effect.reason)}
    return {**told, **_given(suppressed=shown(effect.suppressed))}


def _pipe(effect: Pipe) -> dict[str, Any]:
    told = {"program": shown(effect.program), "arguments": [shown(each) for each in effect.arguments]}
    return {**told, **_given(copy=effect.copy, optional=effect.optional)}


def _update(effect: UpdateCalendar) -> dict[str, Any]:
    objects = [{"uid": shown(uid), "removed": not data} for uid, data in effect.objects]
    extra = _given(reason=shown(effect.reason), calendar=shown(effect.calendar), objects=objects)
    return {"outcome": effect.outcome, **extra}


_DETAILS: dict[type[Effect], Callable[[Any], dict[str, Any]]] = {
    Store: _store,
    Redirect: _redirect,
    Discard: lambda _: {},
    Refuse: lambda effect: {"reason": shown(effect.reason)},
    Respond: _respond,
    Notify: _notify,
    Report: _report,
    Pipe: _pipe,
    UpdateCalendar: _update,
}


def _mailbox(store: Store | None) -> str:
    return "" if store is None else store.mailbox or "INBOX"


def _given(**values: Any) -> dict[str, Any]:
    """Those that say something."""
    return {key: value for key, value in values.items() if value}


def outcome_to_json(outcome: Outcome, problems: Iterable[Problem]) -> dict[str, Any]:
    """What became of a run. `script` is there in each of its parts that is not of the user's own script."""
    return {
        "actions": [to_json(effect) | _given(script=shown(effect.script)) for effect in outcome.carried_out],
        "implicit_keep": outcome.implicit_keep,
        "tests": [tried_to_json(tried) for tried in outcome.tests],
        "problems": [problem_to_json(problem) for problem in problems],
        "edits": [note_to_json(note) for note in outcome.edits],
        "notes": [note_to_json(note) for note in outcome.notes],
    }


def tried_to_json(tried: Tried) -> dict[str, Any]:
    """One test that was tried, with what was compared with what."""
    compared = [{"values": _cut(one.values), "keys": _cut(one.keys)} for one in tried.compared]
    told = {"line": tried.line, "test": tried.test, "result": tried.result, "compared": compared}
    return told | _given(script=shown(tried.script))


def note_to_json(note: Note) -> dict[str, Any]:
    """A line of a script's log, or what it changed in the message."""
    return {"line": note.line, "text": shown(note.text)} | _given(script=shown(note.script))


def problem_to_json(problem: Problem) -> dict[str, Any]:
    return {
        "line": problem.line,
        "column": problem.column,
        "severity": problem.severity,
        "text": shown(problem.text),
        **_given(code=problem.code, hint=shown(problem.hint), end_line=problem.end_line, end_column=problem.end_column),
        **_given(script=shown(problem.script)),
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
