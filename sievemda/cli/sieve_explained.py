"""A run for people: rule by rule what was tried and why it matched or did not, then what would be done.

Everything that a script or a message says is cleaned right before it is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from sievemda.cli.terminal import Screen, clean
from sievemda.sieve.report import to_json
from sievemda.sieve.story import FAILED, MATCHED, NO_MATCH, Story, of_keep
from sievemda.sieve.tracing import Deed, Place, Step, Trial
from sievemda.sieve.wording import quoted

if TYPE_CHECKING:
    from sievemda.mail.envelope import Envelope
    from sievemda.mail.message import Message
    from sievemda.sieve.effects import Effect, Note
    from sievemda.sieve.rules import Rule
    from sievemda.sieve.run import Outcome
    from sievemda.sieve.story import Told

_COLOURS: dict[str, dict[str, bool | str]] = {
    MATCHED: {"fg": "green", "bold": True},
    NO_MATCH: {"fg": "yellow"},
    FAILED: {"fg": "red", "bold": True},
}
_MOST = 40  # tests inside a test, commands of a rule, that are told of


def heading(message: Message, envelope: Envelope) -> str:
    """Which message it is, from whom and to whom."""
    subject = next(iter(message.values("Subject")), None)
    known = next(iter(message.values("Message-ID")), "") or "message without Message-ID"
    sender = envelope.sender.reverse_path
    about = quoted(subject) if subject is not None else "no subject"
    return f"{known[:120]}: {about}, from {sender or '<>'} to {envelope.recipient.address}"


def explained(screen: Screen, story: Story, outcome: Outcome, name: str) -> Iterator[str]:
    """All scripts of a run, the user's own under this name, then its actions and the implicit keep."""
    scripts = list(story.sources)
    for script in scripts:
        if len(scripts) > 1:
            known = script or name
            ran = "" if script in story.trace.began else ": not run"
            yield screen.style(clean(f"{known}{ran}"), bold=True, underline=True)
        if script in story.trace.began:
            yield from _script(screen, story, script)
    yield from _notes(screen, "edits", outcome.edits)
    yield from _notes(screen, "log", outcome.notes)
    yield from _actions(screen, outcome)
    yield screen.style("implicit keep", bold=True) + clean(f": {of_keep(outcome, story.trace)}")


def places(rules: Iterable[Rule]) -> dict[Place, str]:
    """What to call the places of rules: by their line, and by the column where a line has several."""
    known = [(rule.line, rule.column) for rule in rules]
    lines = Counter(line for line, _ in known)
    return {place: f"line {place[0]}" + (f":{place[1]}" if lines[place[0]] > 1 else "") for place in known}


def _script(screen: Screen, story: Story, script: str) -> Iterator[str]:
    rules = list(story.rules(script))
    called = places(told.rule for told in rules)
    loose = [(step.node.line, step) for step in islice(story.loose(script), _MOST)]
    for told in rules:
        while loose and loose[0][0] < told.rule.line:
            yield from _deeds(screen, story, [loose.pop(0)[1]], 0)
        yield from _rule(screen, story, told, called[told.rule.line, told.rule.column])
    yield from _deeds(screen, story, [step for _, step in loose], 0)
    if not rules:
        yield "no rules: there is no if in this script"


def _rule(screen: Screen, story: Story, told: Told, called: str) -> Iterator[str]:
    indent = 2 * told.rule.depth
    rule = told.rule
    place = f"{' ' * indent}{called}: "
    name = f"{rule.name}: " if rule.name else ""
    line = screen.cut(clean(place + name + rule.title))
    yield line[: len(place)] + screen.style(line[len(place) :], bold=True)
    often = f" {told.times} of {len(told.trials)} times" if len(told.trials) > 1 else ""
    words = clean(f"{told.result}{often}: {told.why}" if told.why else told.result + often)
    colour = _COLOURS.get(told.result, {"dim": True})
    for number, piece in enumerate(screen.wrapped(words, indent + 4)):
        at = indent + 4 + len(told.result) if not number else 0
        yield screen.style(piece[:at], **colour) + piece[at:] if at else piece
    for trial in told.trials[-1:]:
        yield from _inner(screen, story, trial, indent + 6)
        yield from _filled(screen, trial, indent + 6)
    yield from _deeds(screen, story, told.steps, indent + 4)


def _inner(screen: Screen, story: Story, trial: Trial, indent: int) -> Iterator[str]:
    """The tests inside a test, unless it is one alone, whose reason has been told."""
    inside = list(islice(_below(trial), _MOST + 1))
    if len(inside) < 2:
        return
    for depth, test in inside[:_MOST]:
        answer = {True: "true", False: "false", None: "failed"}[test.result]
        text = clean(
            f"{story.title(test)} is {answer}" + (f": {test.reason}" if test.reason and not test.tests else "")
        )
        yield from screen.wrapped(text, indent + 2 * depth)
    if len(inside) > _MOST:
        yield " " * indent + "and more"


def _below(trial: Trial) -> Iterator[tuple[int, Trial]]:
    waiting = [(0, test) for test in reversed(trial.tests)]
    while waiting:
        depth, test = waiting.pop()
        yield depth, test
        waiting.extend((depth + 1, inner) for inner in reversed(test.tests))


def _filled(screen: Screen, trial: Trial, indent: int) -> Iterator[str]:
    """What strings with variables became, and what match variables were set."""
    told = dict(pair for test in (trial, *(test for _, test in _below(trial))) for pair in test.filled)
    for source, value in islice(told.items(), _MOST):
        yield from screen.wrapped(clean(f"{quoted(source)} became {quoted(value)}"), indent)
    last = next((test for test in (trial, *(test for _, test in _below(trial))) if test.captures), None)
    if last is not None and len(last.captures) > 1:
        values = (f"${{{number}}} is {quoted(value)}" for number, value in enumerate(last.captures) if number)
        yield from screen.wrapped(clean(", ".join(islice(values, 9))), indent)


def _deeds(screen: Screen, story: Story, steps: Sequence[Step], indent: int) -> Iterator[str]:
    for step in steps[:_MOST]:
        for text in _words(story, step):
            for number, line in enumerate(screen.wrapped(clean(text), indent + 3)):
                yield line if number else f"{' ' * indent}-> {line[indent + 3 :]}"
    if len(steps) > _MOST:
        yield " " * indent + f"and {len(steps) - _MOST} commands more"


def _words(story: Story, step: Step) -> Iterator[str]:
    where = f"(line {step.node.line})"
    for deed in step.deeds:
        yield f"{deed_words(deed)} {where}"
    if step.error:
        yield f"{story.title(step)} failed {where}"
    elif (step.node.ends and not step.deeds) or step.node.inclusion() is not None:
        yield f"{story.title(step)} {where}"


def deed_words(deed: Deed) -> str:
    """What a command did."""
    if deed.effect is not None:
        more = {"merged": ", one with the same action before it", "ignored": ", which changes nothing"}
        return action_words(deed.effect) + more.get(deed.kind, "")
    if deed.kind == "set":
        name, _, value = deed.text.partition("\0")
        return f"{name} is now {quoted(value)}"
    if deed.kind == "flags":
        return f"the flags are now {deed.text or 'none'}"
    return f"log: {deed.text[:200]}" if deed.kind == "log" else deed.text


def action_words(effect: Effect) -> str:
    """An action with its data, and why it would not be done when it is suppressed."""
    data = to_json(effect)
    action, suppressed = data.pop("action"), data.pop("suppressed", "")
    action += " (implicit)" if data.pop("implicit", False) else ""
    first = data.pop(next((key for key in ("mailbox", "address", "to", "method") if data.get(key)), ""), None)
    details = [quoted(str(first), 200)] if first else []
    details += [f"{key} {_worded(value)}" for key, value in data.items() if value not in (None, [], False, "")]
    text = " ".join([action, ", ".join(details)]).rstrip()
    return f"{text}; this would not be done: {suppressed}" if suppressed else text


def _worded(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "yes" if value is True else quoted(str(value), 200)


def _actions(screen: Screen, outcome: Outcome) -> Iterator[str]:
    yield screen.style("actions", bold=True)
    done = outcome.carried_out
    for effect in done:
        where = f" ({_place(effect)})" if effect.line else ""
        yield from screen.wrapped(clean(action_words(effect) + where), 2)
    if not done:
        yield "  none"
    if outcome.failure is not None:
        for effect in outcome.effects[:_MOST]:
            if effect not in outcome.settled:
                text = f"not done, because the script failed: {action_words(effect)} ({_place(effect)})"
                yield from screen.wrapped(clean(text), 2)


def _notes(screen: Screen, title: str, notes: Iterable[Note]) -> Iterator[str]:
    for number, note in enumerate(notes):
        if not number:
            yield screen.style(title, bold=True)
        yield from screen.wrapped(clean(f"{_place(note)}: {note.text}"), 2)


def _place(said: Note | Effect) -> str:
    where = f"line {said.line}" if said.line else "no line"
    return f"{said.script} {where}" if said.script else where
