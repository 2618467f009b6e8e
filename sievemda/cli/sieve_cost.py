"""What `sieve check --cost` says: the price of each rule, and its share of what one run may spend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sievemda.cli.sieve_input import read
from sievemda.cli.terminal import clean

if TYPE_CHECKING:
    from sievemda.sieve.cost import Cost, Costs
    from sievemda.sieve.limits import Limits


class Pricing:
    """Prices of scripts: for one message, or for each KiB of whatever is tested. Raises `Unreadable`."""

    def __init__(self, limits: Limits, available: frozenset[str] | None, message: str | None) -> None:
        from sievemda.cli.sieve_world import envelope_of
        from sievemda.sieve.compile import ProgramCache
        from sievemda.sieve.rehearsal import message_of

        self._limits = limits
        self._programs = ProgramCache(limits, available)
        self._measured = message is not None
        self._message = message_of(b"" if message is None else read(message))
        self._envelope = envelope_of(self._message, None, None)

    def of(self, file: str, text: bytes) -> Priced:
        """What a valid script costs."""
        from sievemda.cli.sieve_world import Shelf, moment
        from sievemda.mail.message import Message
        from sievemda.sieve.cost import measured, worst
        from sievemda.sieve.rehearsal import Imagined
        from sievemda.sieve.rules import rules

        program, found = self._programs.get(text), rules(text, self._limits)
        beside = () if file == "-" else (Path(file).absolute().parent,)
        facts = Imagined(moment(None), scripts=Shelf(beside).loader(self._programs.get))
        if not self._measured:
            return Priced(file, worst(program, found, self._envelope, facts, self._limits))
        message = Message(self._message.data)  # whatever has been read of it before is not free for the next script
        return Priced(file, measured(program, found, message, self._envelope, facts, self._limits))


class Priced:
    """The costs of a script, for people and for programs."""

    def __init__(self, file: str, costs: Costs) -> None:
        self._file, self._costs = file, costs

    def lines(self) -> Iterator[str]:
        """A heading, a line for each rule, what the rest and all of it costs."""
        costs, most = self._costs, self._costs.most
        budget = f"one run may spend {most.instructions:,} instructions and {most.characters:,} characters"
        if costs.octets is None:
            yield clean(f"{self._file}: at most, for each KiB in every field and part that is tested; {budget}")
        else:
            yield clean(f"{self._file}: for a message of {costs.octets:,} octets; {budget}")
        yield f"{'line':>6}{'instructions':>14}{'characters':>14}{'share':>10}  rule"
        for rule, cost in costs.rules:
            yield clean(f"{rule.line:6}{_figures(cost)}  {'  ' * rule.depth}{rule.called}")
        yield f"{'':6}{_figures(costs.total)}  all of it, with what stands outside of rules"
        if costs.octets is None and costs.lasts:
            yield f"{'':6}the characters last for {costs.lasts:,} KiB in each of them"
        if costs.failure:
            yield clean(f"{'':6}the run ended with an error: {costs.failure}")

    def data(self) -> dict[str, Any]:
        """Figures of each rule; `octets` is null for the worst case for each KiB."""
        costs = self._costs
        rules = [
            {"line": rule.line, "column": rule.column, "rule": clean(rule.called), **_data(cost)}
            for rule, cost in costs.rules
        ]
        budget = {"instructions": costs.most.instructions, "characters": costs.most.characters}
        told = {"octets": costs.octets, "rules": rules, "total": _data(costs.total), "budget": budget}
        return told | ({"failure": clean(costs.failure)} if costs.failure else {})


def _figures(cost: Cost) -> str:
    return f"{cost.instructions:14,}{cost.characters:14,}{cost.share:10.4%}"


def _data(cost: Cost) -> dict[str, Any]:
    return {"instructions": cost.instructions, "characters": cost.characters, "share": round(cost.share, 9)}
