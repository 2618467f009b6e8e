"""`sieve run --trace`: every command and test in the order in which control came to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sievemda.cli.sieve_explained import deed_words
from sievemda.cli.terminal import Screen, clean
from sievemda.sieve.tracing import Step, Trial
from sievemda.sieve.wording import quoted

if TYPE_CHECKING:
    from sievemda.sieve.limits import Limits
    from sievemda.sieve.story import Story

_PLACE = 8  # columns of line:column


def trace_lines(screen: Screen, story: Story, limits: Limits, size: int, name: str) -> Iterator[str]:
    """Place, what it is, and what came of it; then what the whole has cost of the budget. `size` is the message's."""
    yield screen.style("trace", bold=True)
    script = ""
    for moment in story.trace.moments:
        assert isinstance(moment, Step | Trial)
        if moment.script != script:
            script = moment.script
            yield clean(f"  in {script or name}:")
        yield from _moment(screen, story, moment)
    if story.trace.is_full:
        yield "  the rest is not told: the run was too long"
    last = story.trace.moments
    instructions = max((moment.instructions for moment in last), default=0)
    characters = max((moment.characters for moment in last), default=0)
    most = limits.matching + limits.looks * size
    budget = f"{instructions:,} of {limits.instructions:,} instructions, {characters:,} of {most:,} characters"
    yield from screen.wrapped(f"budget: {budget}", 2)


def _moment(screen: Screen, story: Story, moment: Step | Trial) -> Iterator[str]:
    place = f"{moment.node.line}:{moment.node.column}".ljust(_PLACE)
    indent = "  " * (moment.depth + 1)
    part = f" (part {moment.part})" if moment.part else ""
    line = f"{place}{indent}{clean(story.title(moment))}{part}"
    yield (
        screen.cut(line)
        if not isinstance(moment, Trial)
        else screen.cut(line, screen.width - 9) + _answer(screen, moment)
    )
    for text in (*_came(moment), *_spent(moment)):
        for piece in screen.wrapped(clean(text), _PLACE + len(indent) + 4):
            yield screen.style(piece, dim=True)


def _spent(moment: Step | Trial) -> Iterator[str]:
    """What the run has spent when it is over; of what has others inside, those say so."""
    if not (isinstance(moment, Trial) and moment.tests) and not (isinstance(moment, Step) and moment.trials):
        yield f"[{moment.instructions:,} instructions, {moment.characters:,} characters]"


def _answer(screen: Screen, trial: Trial) -> str:
    if trial.result is None:
        return ": " + screen.style("failed", fg="red")
    return ": " + (screen.style("true", fg="green") if trial.result else screen.style("false", fg="yellow"))


def _came(moment: Step | Trial) -> Iterator[str]:
    for source, value in moment.filled:
        yield f"{quoted(source)} became {quoted(value)}"
    if isinstance(moment, Trial):
        if moment.reason:
            yield moment.reason
        for number, value in enumerate(moment.captures):
            yield f"${{{number}}} is now {quoted(value)}"
    elif moment.taken is not None:
        yield f"enters the branch of line {moment.taken[0]}"
    for deed in moment.deeds:
        yield deed_words(deed)
    if moment.error:
        yield f"error: {moment.error}"
