"""Which header fields a test looks at, when tags of extensions have a say in it.

Without such a tag a test reads the fields of the message by name. With them the way is: the entities whose headers are
looked at (`:mime`, `:anychild`), of these the fields of those names in order of appearance, of these the ones that are
picked (`:index`, `:last`), and of each what the tag wants of it (`:type`, `:param`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sievemda.mail.header import decode
from sievemda.mail.message import Message
from sievemda.sieve.node import Option
from sievemda.sieve.run import Run


class Occurrence(NamedTuple):
    """One field of one entity."""

    name: str
    raw: bytes


def entities(run: Run, options: Sequence[Option]) -> Sequence[Message]:
    """Whose headers are looked at."""
    found: Sequence[Message] = (run.message,)
    for option in options:
        found = option.entities(run, found, options)
    return found


def occurrences(run: Run, names: Sequence[str], options: Sequence[Option]) -> Sequence[Occurrence]:
    """The fields of these names that the tags choose, in order of appearance."""
    wanted = {name.lower() for name in names}
    found: Sequence[Occurrence] = [
        Occurrence(field.name, field.raw)
        for entity in entities(run, options)
        for field in entity.fields
        if field.name.lower() in wanted
    ]
    for option in options:
        found = option.pick(found, options)
    return found


def field_values(run: Run, names: Sequence[str], options: Sequence[Option]) -> Sequence[str]:
    """What a test compares: the decoded fields, or what the tags take out of them."""
    return [value for found in occurrences(run, names, options) for value in _values(run, found.raw, options)]


def _values(run: Run, raw: bytes, options: Sequence[Option]) -> Sequence[str]:
    run.spend_matching(len(raw))
    for option in options:
        taken = option.extract(run, raw)
        if taken is not None:
            return taken
    return (decode(raw),)
