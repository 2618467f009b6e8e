"""What a site has, in the order of names as administrators write them, without holding all of it.

Users are opened one after the other as their names come up, so that memory does not grow with their number.
"""

from __future__ import annotations

import heapq
import itertools
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.store.patterns import Pattern
    from sievemda.store.quota import QuotaRoot

Named = TypeVar("Named", "Mailbox", "QuotaRoot")
_log = logging.getLogger(__name__)


def in_order(
    store: MailStore, wanted: Pattern, of: Callable[[str | None, str], Iterator[Named]]
) -> Iterator[tuple[str, Named]]:
    """What is found at each source, sorted, merged with what is left of those before; few overlap.

    `of` gives what a user, or a domain's shared folders, have.
    """
    named, matches, order = store.namespace.format_admin, wanted.matches, itertools.count()
    pending: list[tuple[str, int, Named, Iterator[tuple[str, int, Named]]]] = []
    for start, owner, domain in sorted(_sources(store, wanted)):
        yield from _until(pending, start)
        found = _seen(of(owner or None, domain), owner or domain)
        rows = iter(sorted((named(each.name), next(order), each) for each in found if matches(each.name)))
        for name, number, each in rows:
            heapq.heappush(pending, (name, number, each, rows))
            break
    yield from _until(pending, None)


def _sources(store: MailStore, wanted: Pattern) -> Iterator[tuple[str, str, str]]:
    """Where mailboxes that match may be: the first name to expect there, user id, domain of shared folders.

    What lies on a disk that is away is missing in a list, and that is told.
    """
    if not wanted.is_name:
        store.layout.tell_if_away()
    if wanted.user:
        yield "", wanted.user, ""
        return
    for domain in store.layout.domains():
        yield "", "", domain
    for userid in set(store.layout.users()):
        if wanted.may_match_below(userid):
            yield store.namespace.join(("user", userid.partition("@")[0])), userid, ""


def _until(
    pending: list[tuple[str, int, Named, Iterator[tuple[str, int, Named]]]], end: str | None
) -> Iterator[tuple[str, Named]]:
    """What comes before a name, out of a heap of sorted rows, each with those behind it; None: all."""
    while pending and (end is None or pending[0][0] < end):
        name, _, found, others = pending[0]
        yield name, found
        for following, number, each in others:
            heapq.heapreplace(pending, (following, number, each, others))
            break
        else:
            heapq.heappop(pending)


def _seen(found: Iterator[Named], whose: str) -> Iterator[Named]:
    """One whose home cannot be read is no reason not to list the others."""
    try:
        yield from found
    except OSError as error:
        _log.error("%s: cannot list the mailboxes: %s", whose or "shared folders", error)
