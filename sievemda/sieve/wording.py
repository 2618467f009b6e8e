"""Pieces of sentences for people: texts in quotes, lists that name the first few, what is there and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from sievemda.sieve.literals import number_text

if TYPE_CHECKING:
    from sievemda.sieve.run import Compared

SHOWN = 100  # characters of a value
_LISTED = 5  # values or keys that are named


def presence(
    compared: Sequence[Compared], result: bool, have: str, lack: str, told: Callable[[Sequence[str]], str] | None = None
) -> str:
    """For a test of whether things are there: it has noted those that are as values, and all as keys."""
    if not compared:
        return ""
    told = told or listed
    found, wanted = compared[-1]
    if result:
        return have.format(told(wanted))
    here = set(found)
    missing = [name for name in wanted if name not in here] or wanted
    return lack.format(told(missing))


def listed(texts: Sequence[str]) -> str:
    """Some texts in quotes, and how many more there are."""
    if not texts:
        return "nothing"
    told = ", ".join(quoted(text) for text in texts[:_LISTED])
    return told if len(texts) <= _LISTED else f"{told} and {len(texts) - _LISTED} more"


def names(texts: Iterable[str]) -> str:
    """Names of fields and the like, as they are."""
    told = [text[:SHOWN] for text in texts]
    return ", ".join(told[:_LISTED]) + (f" and {len(told) - _LISTED} more" if len(told) > _LISTED else "")


def octets(number: int) -> str:
    """A size, with the unit of the language where it is a round one: 102,400 octets (100K)."""
    short = number_text(number)
    if not short.isdigit():
        return f"{number:,} octets ({short})"
    return f"{number:,} octet{'' if number == 1 else 's'}"


def quoted(text: str, room: int = SHOWN) -> str:
    """A text on one line, in quotes, cut where it is long."""
    short = (text if len(text) <= room else text[: room - 1] + "…").replace("\r\n", " ")
    return '"' + "".join([c if c.isprintable() or "\udc80" <= c <= "\udcff" else " " for c in short]) + '"'
