"""The order of a run: what was cut short, the shape of each tree, its folders one by one, then the tree as a whole.

Why quotas come last in a tree: the sizes that are counted stand in names, and those are mended first.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from sievemda.errors import NotFound, SievemdaError, TemporaryTrouble
from sievemda.store import rootlist
from sievemda.store.names import MailboxName
from sievemda.upkeep.reconstruct import areas, attributes, controls, outside, put_away, shape, tree, user_scripts
from sievemda.upkeep.reconstruct.findings import Work
from sievemda.upkeep.reconstruct.identities import Identities
from sievemda.upkeep.reconstruct.locks import mend_locks
from sievemda.upkeep.reconstruct.messages import Messages
from sievemda.upkeep.reconstruct.numbering import mend_numbering
from sievemda.upkeep.reconstruct.scope import Scope
from sievemda.upkeep.reconstruct.shared import mend_sharing
from sievemda.upkeep.reconstruct.strays import mend_strays

if TYPE_CHECKING:
    from sievemda.store.layout import Tree
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.store.quota import QuotaRoot


def reconstruct(work: Work, scope: Scope, *, waiting: Callable[[], None] = lambda: None) -> None:
    """Go through it all; what cannot be done is told as a finding. `waiting` is called when another run is at work.

    NotFound, when all is through, for names of which there is no mailbox. TemporaryTrouble: a disk is away.
    """
    store = work.store
    store.layout.check_there()
    with _alone(store, waiting) if not work.options.dry_run else nullcontext():
        folders = work.options.wants("folders")
        if folders:
            areas.finish_moves(work)
        if folders and scope.whole:
            areas.clear_stages(work)
        known = Identities()
        for owner, domain in scope.owners(store.layout):
            try:
                _owner(work, scope, known, owner, domain)
            except (OSError, SievemdaError) as error:
                work.failed(owner or domain, "unreadable", store.layout.partition(store.default_partition), "", error)
        if scope.whole:
            if work.options.wants("quotas"):
                tree.mend_quotas(work, _domains(work))
            if work.options.wants("rights"):
                mend_sharing(work)
            if folders:
                areas.tell_orphans(work)
    if missed := scope.missed(work.named if work.options.dry_run else set()):
        raise NotFound(f"no mailbox {', '.join(missed)}")


@contextmanager
def _alone(store: MailStore, waiting: Callable[[], None]) -> Iterator[None]:
    """While no other run is at work. The lock is on the directory of the first partition, and dies with its process."""
    root = store.layout.partition(store.default_partition)
    try:
        fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:  # nothing is there yet
        yield
        return
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(fd, fcntl.LOCK_EX)
        except OSError as error:
            raise TemporaryTrouble(f"{root} cannot be locked: {error}") from error
        yield
    finally:
        os.close(fd)


def _owner(work: Work, scope: Scope, known: Identities, owner: str | None, domain: str) -> None:
    """One user, or the shared folders of a domain."""
    store, options = work.store, work.options
    if options.wants("folders"):
        for found in shape.mend_tree(work, owner, domain, scope.may_want):
            outside.relink(work, found, scope.may_want_lost)
            outside.bring_in(work, found, scope.may_want_lost)
    if options.wants("messages") and scope.may_want_lost(MailboxName(owner, (), domain), ""):
        _put_away(work, owner, domain)
    coming = [box for box in work.coming.values() if (box.name.owner, box.name.domain) == (owner, domain)]
    mailboxes = sorted([*store.mailboxes_of(owner, domain), *coming], key=lambda each: each.name.path)
    wanted = [mailbox for mailbox in mailboxes if scope.wants(mailbox.name, mailbox.partition)]
    for mailbox in wanted:
        _mailbox(work, known, mailbox)
    everything = scope.whole or any(mailbox.name.is_inbox for mailbox in wanted)
    if everything:
        for found in _trees(mailboxes):
            _tree(work, found)
    if everything and options.wants("folders"):
        tree.tell_uses(work, mailboxes)
    if options.wants("quotas"):
        roots = rootlist.roots_of(store, owner, domain) if everything else _roots(wanted)
        tree.mend_quotas(work, (root for root in roots if not root.is_domain))


def _put_away(work: Work, owner: str | None, domain: str) -> None:
    own = work.store.user_tree(owner) if owner is not None else None
    for found in [own] if own else work.store.layout.shared(domain) if owner is None else []:
        put_away.bring_back(work, found)


def _domains(work: Work) -> Iterator[QuotaRoot]:
    """The roots of domains, for which the messages of all users count."""
    for domain in work.store.layout.domains():
        yield from (root for root in rootlist.roots_of(work.store, None, domain) if root.is_domain)


def _roots(mailboxes: list[Mailbox]) -> Iterator[QuotaRoot]:
    """Those that count for these."""
    for mailbox in mailboxes:
        if root := mailbox.quota_root():
            yield root


def _trees(mailboxes: list[Mailbox]) -> list[Tree]:
    return list({mailbox.tree.root: mailbox.tree for mailbox in mailboxes}.values())


def _tree(work: Work, found: Tree) -> None:
    name = work.store.namespace.format_admin(MailboxName(found.owner)) if found.owner else found.domain
    tasks = (
        ("subscriptions", tree.mend_subscriptions),
        ("scripts", user_scripts.mend_scripts),
        ("rights", attributes.mend_attributes),
    )
    for area, mend in tasks:
        if work.options.wants(area):
            try:
                mend(work, found)
            except (OSError, SievemdaError) as error:
                work.failed(name, area, found.root, f"its {area} cannot be looked at", error)


def _mailbox(work: Work, known: Identities, mailbox: Mailbox) -> None:
    shown = work.store.namespace.format_admin(mailbox.name)
    try:
        _mend(work, known, mailbox, shown)
    except (OSError, SievemdaError) as error:
        work.failed(shown, "unreadable", mailbox.path, "it cannot be looked at", error)
    work.mailboxes += 1
    work.done(shown)


def _mend(work: Work, known: Identities, mailbox: Mailbox, shown: str) -> None:
    options = work.options
    mend_locks(work, shown, mailbox.path, mailbox.tree)
    if options.wants("rights"):
        controls.mend_record(work, mailbox, shown)
        controls.mend_rights(work, mailbox, shown)
    if options.wants("folders"):
        known.meet(work, mailbox, shown)
    if options.wants("messages"):
        mend_strays(work, mailbox, shown)
        messages = Messages(work, mailbox, shown)
        messages.mend()
        controls.mend_keywords(work, mailbox, shown, messages.letters)
        mend_numbering(work, mailbox, shown)
    if options.wants("quotas"):
        tree.mend_counter(work, mailbox.path, mailbox.tree, shown)
    if options.drop_indexes:
        controls.drop_indexes(work, mailbox, shown)
