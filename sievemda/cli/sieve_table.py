"""`sieve run` over many messages: how many each rule caught, what would be done with them, and what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sievemda.cli.sieve_explained import places
from sievemda.cli.terminal import Screen, clean
from sievemda.sieve.report import shown, to_json
from sievemda.sieve.wording import quoted

if TYPE_CHECKING:
    from sievemda.mail.message import Message
    from sievemda.sieve.effects import Effect
    from sievemda.sieve.rules import Rule
    from sievemda.sieve.run import Outcome
    from sievemda.sieve.story import Source

Key = tuple[str, int, int]  # script, line and column of a rule
NONE = "none"
_ERRORS = 1_000  # errors that are kept
_TOLD = 50  # errors, and kinds of actions, that are printed
_KINDS = 2_000  # different actions that are counted one by one
_WHERE = ("mailbox", "address", "to", "method", "program")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it is told of: its number, where it was found, its Message-ID and subject."""

    number: int
    where: str
    identifier: str
    subject: str

    def __str__(self) -> str:
        return f"message {self.number} ({self.where}) {self.identifier or 'without Message-ID'} {quoted(self.subject)}"

    def as_json(self) -> dict[str, Any]:
        told = {"where": self.where, "id": self.identifier, "subject": self.subject}
        return {"message": self.number, **{key: shown(value) for key, value in told.items()}}


@dataclass(slots=True)
class Table:
    """Counts over all messages. `wanted` are the lines, or names, of rules whose messages are listed; or `none`."""

    wanted: Sequence[str] = ()
    messages: int = 0
    unread: int = 0
    by_no_rule: int = 0
    implicit_keeps: int = 0
    caught: Counter[Key] = field(default_factory=Counter)
    actions: Counter[tuple[str, str, str, bool]] = field(default_factory=Counter)  # name, key of place, place, implicit
    errors: list[tuple[Letter, str, int, str]] = field(default_factory=list)  # text, line, script
    failed: int = 0
    listed: dict[Key | None, list[Letter]] = field(default_factory=dict)

    def count(self, number: int, where: str, message: Message, outcome: Outcome) -> None:
        """One message that was run."""
        self.messages += 1
        rules: list[Key] = [(entered.script, entered.line, entered.column) for entered in outcome.entered]
        self.caught.update(rules)
        self.by_no_rule += not rules
        self.implicit_keeps += outcome.implicit_keep
        for effect in outcome.carried_out:
            self.actions[self._kind(effect)] += 1
        if outcome.failure is not None:
            problem = outcome.failure
            self._error(letter(number, where, message), problem.text, problem.line, problem.script)
        if self.wanted:
            for key in (*rules,) or (None,):
                self.listed.setdefault(key, []).append(letter(number, where, message))

    def missed(self, number: int, where: str, problem: str) -> None:
        """One message that could not be read."""
        self.unread += 1
        self._error(Letter(number, where, "", ""), problem, 0, "")

    def _error(self, which: Letter, text: str, line: int, script: str) -> None:
        self.failed += 1
        if len(self.errors) < _ERRORS:
            self.errors.append((which, text, line, script))

    def _kind(self, effect: Effect) -> tuple[str, str, str, bool]:
        data = to_json(effect)
        name = data["action"] + (", which would not be done" if data.get("suppressed") else "")
        place = next((key for key in _WHERE if data.get(key)), "")
        kind = name, place, str(data.get(place, "")), bool(data.get("implicit"))
        return kind if kind in self.actions or len(self.actions) < _KINDS else (name, place, "(others)", False)


def letter(number: int, where: str, message: Message) -> Letter:
    identifier, subject = (next(iter(message.values(name)), "")[:200] for name in ("Message-ID", "Subject"))
    return Letter(number, where, identifier, subject)


def _rules(sources: Mapping[str, Source]) -> Iterator[tuple[Key, Rule]]:
    for script, source in sources.items():
        for rule in source.rules:
            yield (script, rule.line, rule.column), rule


def is_wanted(wanted: Sequence[str], script: str, rule: Rule) -> bool:
    """Whether a rule is among those that are asked for: by line, by script and line, or by name."""
    line = str(rule.line)
    return not {line, f"{line}:{rule.column}", f"{script}:{line}", rule.name}.isdisjoint(wanted)


def unknown(wanted: Sequence[str], sources: Mapping[str, Source]) -> list[str]:
    """What is asked for and is no rule."""
    known = list(_rules(sources))
    return [one for one in wanted if one != NONE and not any(is_wanted((one,), key[0], rule) for key, rule in known)]


def table_lines(screen: Screen, table: Table, sources: Mapping[str, Source], name: str) -> Iterator[str]:
    """The table for people."""
    unread = f", {table.unread:,} could not be read" if table.unread else ""
    yield screen.style(clean(f"{table.messages:,} messages through {name}{unread}"), bold=True)
    yield from _caught(screen, table, sources)
    yield screen.style("actions", bold=True)
    for (action, place, where, implicit), count in table.actions.most_common(_TOLD):
        what = f"{action} {quoted(where)}" if place else action
        yield screen.cut(clean(f"{count:9,}  {what}{' (implicit)' if implicit else ''}"))
    if len(table.actions) > _TOLD:
        yield f"           and {len(table.actions) - _TOLD:,} other kinds"
    yield f"  {table.implicit_keeps:,} fell to the implicit keep, {table.by_no_rule:,} were caught by no rule"
    yield from _errors(screen, table)
    yield from _listed(screen, table, sources)


def _caught(screen: Screen, table: Table, sources: Mapping[str, Source]) -> Iterator[str]:
    yield screen.style("   caught  by", bold=True)
    script, nothing = "", []
    called = {script: places(source.rules) for script, source in sources.items()}
    for key, rule in _rules(sources):
        place = called[key[0]][rule.line, rule.column]
        if key[0] != script:
            script = key[0]
            yield clean(f"  in {script}:")
        count = table.caught[key]
        name = f"{rule.name}: " if rule.name else ""
        line = screen.cut(clean(f"{count:9,}  {'  ' * rule.depth}{place}: {name}{rule.title}"))
        yield line if count else screen.style(line, fg="yellow")
        if not count:
            nothing.append(f"{script + ' ' if script else ''}{place}")
    if nothing:
        yield from screen.wrapped(clean(f"rules that caught nothing: {', '.join(nothing)}"), 2)


def _errors(screen: Screen, table: Table) -> Iterator[str]:
    if not table.failed:
        return
    yield screen.style(f"errors: {table.failed:,}", fg="red", bold=True)
    for which, text, line, script in table.errors[:_TOLD]:
        place = f"{script + ' ' if script else ''}line {line}: " if line else ""
        yield from screen.wrapped(clean(f"{which}: {place}{text}"), 2)
    if table.failed > _TOLD:
        yield f"  and {table.failed - _TOLD:,} more"


def _listed(screen: Screen, table: Table, sources: Mapping[str, Source]) -> Iterator[str]:
    for key, rule in _rules(sources):
        if is_wanted(table.wanted, key[0], rule):
            yield screen.style(clean(f"caught by line {rule.line} {rule.called}"), bold=True)
            yield from _letters(screen, table.listed.get(key, []))
    if NONE in table.wanted:
        yield screen.style("caught by no rule", bold=True)
        yield from _letters(screen, table.listed.get(None, []))


def _letters(screen: Screen, letters: Sequence[Letter]) -> Iterator[str]:
    for each in letters:
        yield screen.cut(clean(f"  {each}"))
    if not letters:
        yield "  no message"


def table_json(table: Table, sources: Mapping[str, Source]) -> dict[str, Any]:
    """The table for programs."""
    return {
        "messages": table.messages,
        "unread": table.unread,
        "rules": [_rule_json(table, key, rule) for key, rule in _rules(sources)],
        "actions": [_action_json(kind, count) for kind, count in table.actions.most_common()],
        "implicit_keep": table.implicit_keeps,
        "caught_by_no_rule": table.by_no_rule,
        **({"no_rule": [each.as_json() for each in table.listed.get(None, [])]} if NONE in table.wanted else {}),
        "errors": [
            each.as_json() | {"text": shown(text), "line": line} | ({"script": shown(script)} if script else {})
            for each, text, line, script in table.errors
        ],
        "failed": table.failed,
    }


def _rule_json(table: Table, key: Key, rule: Rule) -> dict[str, Any]:
    told: dict[str, Any] = {"line": rule.line, "column": rule.column, "depth": rule.depth}
    told |= {"name": shown(rule.name), "title": shown(rule.title), "caught": table.caught[key]}
    if is_wanted(table.wanted, key[0], rule):
        told["messages"] = [each.as_json() for each in table.listed.get(key, [])]
    return told | ({"script": shown(key[0])} if key[0] else {})


def _action_json(kind: tuple[str, str, str, bool], count: int) -> dict[str, Any]:
    action, place, where, implicit = kind
    return {"action": action, **({place: where} if place else {}), "implicit": implicit, "count": count}
