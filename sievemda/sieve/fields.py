"""Which header fields a test looks at, when tags of extensions have a say in it.

Without such a tag a test reads the fields of the message by name. With them the way is: the entities whose headers are
looked at (`:mime`, `:anychild`), of these the fields of those names, of these the ones that are picked (`:index`,
`:last`), and of each what the tag wants of it (`:type`, `:param`).

The order of the fields is that of the list of names, and for one name the order of appearance: RFC 5260 §6 counts them
so ("in the order specified by the header-list").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sievemda.mail.header import decode
from sievemda.mail.message import Message
from sievemda.sieve.matching import EACH
from sievemda.sieve.node import Option
from sievemda.sieve.run import Run


class Occurrence(NamedTuple):
    """One field of one entity."""

    name: str
    raw: bytes


def entities(run: Run, options: Sequence[Option]) -> Sequence[Message]:
    """Whose headers are looked at."""
    found: Sequence[Message] = (run.shown,)
    for option in options:
        found = option.entities(run, found, options)
    return found


def occurrences(run: Run, names: Sequence[str], options: Sequence[Option]) -> Sequence[Occurrence]:
    """The fields of these names that the tags choose, name by name."""
    headers = entities(run, options)
    found: Sequence[Occurrence] = [
        Occurrence(name, raw) for name in names for header in headers for raw in header.raw_values(name)
    ]
    run.spend_matching(EACH * (len(found) + len(names) * len(headers)))
    for option in options:
        found = option.pick(found, options)
    return found


def field_values(run: Run, names: Sequence[str], options: Sequence[Option]) -> Sequence[str]:
    """What a test compares: the decoded fields, or what the tags take out of them."""
    return [value for found in occurrences(run, names, options) for value in _values(run, found, options)]


def _values(run: Run, found: Occurrence, options: Sequence[Option]) -> Sequence[str]:
    run.spend_matching(len(found.raw))
    for option in options:
        taken = option.extract(run, found)
        if taken is not None:
            return taken
    return (decode(found.raw),)
