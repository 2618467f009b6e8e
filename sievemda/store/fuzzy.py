"""The folder that somebody may have meant (`lmtp_fuzzy_mailbox_match`; semantics, section 2).

Component by component, without regard to case, with hyphen, space and underscore as one character; the longest prefix
of the wanted path that names a folder wins, so `lists.nope` finds `lists`.
"""

from __future__ import annotations

from collections.abc import Iterable

_ALIKE = str.maketrans("- ", "__")


def _blurred(path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.casefold().translate(_ALIKE) for part in path)


def nearest(wanted: tuple[str, ...], there: Iterable[tuple[str, ...]]) -> tuple[str, ...] | None:
    """The path among `there` that is nearest to `wanted`, of several alike the first in order; else None."""
    goal = _blurred(wanted)
    near = [path for path in there if path and _blurred(path) == goal[: len(path)]]
    return min(near, key=lambda path: (-len(path), path), default=None)
