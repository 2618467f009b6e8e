"""Loops over the parts of the message, and the part that they are at: what the extensions of RFC 5703 share.

A loop knows its place as the path of a part, not as the part, because the message may be edited while it runs. It goes
on behind a part that was replaced, not into what replaced it; and when the message was put inside another one, it goes
on with the parts of the message, not with those around it (RFC 5703 §5, §6).

Why the part that a loop is at is also that of an included script: an include stands for the text of that script, and
RFC 5703 §3 speaks of the nearest enclosing loop.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from sievemda.mail.message import Message
from sievemda.mail.mime import Bounds, Part, Path, is_read, tree
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run

_READING, _WRITING = 4, 2  # bits by which the octets of a message are more than what they cost
_EACH = 1_000  # characters that are charged for reading one part


@dataclass(slots=True)
class Loop:
    """One loop under way: the part whose parts it goes through, and where it is."""

    name: str
    top: Path
    path: Path
    replaced: bool = False  # the part that it is at: there is nothing below it for this loop


def bounds(run: Run) -> Bounds:
    return Bounds(run.limits.parts, run.limits.nesting)


def root(run: Run) -> Part:
    """The message as it is now, with its parts."""
    wanted = bounds(run)
    if is_read(run.message, wanted):
        return tree(run.message, wanted)
    run.spend_matching(run.message.stored_size >> _READING)
    top = tree(run.message, wanted)
    run.spend_matching(_EACH * sum(1 for _ in top.walk()))
    return top


def current(run: Run) -> Part:
    """The part that the innermost loop is at, or the message where there is none."""
    top = root(run)
    found = top.at(run.loops[-1].path) if run.loops else top
    return found or top


def loop(run: Run, name: str, line: int) -> Generator[Loop, None, None]:
    """Go through the parts: first the message itself, or inside another loop what is below its part. RFC 5703 §3."""
    if len(run.loops) >= run.limits.loops:
        raise RunError(f"too many foreverypart loops inside each other: the limit is {run.limits.loops}", line)
    here = current(run)
    if run.loops and not here.children:
        return
    state = Loop(name, here.path, (*here.path, 0) if run.loops else ())
    run.loops.append(state)
    depth = len(run.loops)
    try:
        following: Path | None = state.path
        while following is not None:
            run.spend()
            state.path, state.replaced = following, False
            yield state
            following = _following(root(run), state)
    finally:
        del run.loops[depth - 1 :]


def _following(top: Part, state: Loop) -> Path | None:
    """Depth first: the first child, else the next sibling of the part or of one that it is in."""
    path = state.path
    here = top.at(path)
    if here is not None and here.children and not state.replaced:
        return (*path, 0)
    while len(path) > len(state.top):
        parent = top.at(path[:-1])
        if parent is not None and path[-1] + 1 < len(parent.children):
            return (*path[:-1], path[-1] + 1)
        path = path[:-1]
    return None


def pay(run: Run) -> None:
    """Charge the making of another message, which takes as much memory as this one."""
    run.spend_matching(run.message.stored_size >> _WRITING)


def edit_part(run: Run, message: Message, what: str) -> None:
    """Go on with a message in which the current part is another, and there is nothing below it for this loop."""
    run.edit(message, what)
    if run.loops:
        run.loops[-1].replaced = True


def edit_around(run: Run, message: Message, inner: Path, what: str) -> None:
    """Go on with a message that has what was the message so far at this place."""
    run.edit(message, what)
    for state in run.loops:
        state.top, state.path = inner + state.top, inner + state.path
