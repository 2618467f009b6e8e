"""Which quota root counts for a mailbox (semantics, section 7).

The nearest root at or above a folder counts, by components of its name, and takes its subtree out of an outer one. A
folder is a root when its record has limits or its `maildirsize` has. With virtual domains the last resort is the root
of the domain, `@example.org`, whose files lie in the domain's directory on the default partition:
`PARTITION/domain/example.org/maildirsize`. The default domain has none, as for Cyrus.

A root may stand where no mailbox is. Its directory is then without `cur`, so that it is no mailbox to us; when the
mailbox is made, it finds its limits.

Why a root in a folder is looked at twice: users may have shells. A link that one has put in place of a folder must not
have deliveries added to a file elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from sievemda.store import maildirsize
from sievemda.store.layout import Layout, Tree
from sievemda.store.names import MailboxName
from sievemda.store.quota import Below, QuotaRoot, is_limiting
from sievemda.store.record import Records
from sievemda.store.survey import Survey, survey

UserTree = Callable[[str], Tree | None]  # of a user by his id, if there is one


class Roots:
    """Finds quota roots; thread-safe, and knows nothing that it has not just seen."""

    def __init__(self, layout: Layout, records: Records, mode: int, user_tree: UserTree) -> None:
        self._layout = layout
        self._records = records
        self._mode = mode
        self._user_tree = user_tree

    def nearest(self, name: MailboxName, tree: Tree) -> QuotaRoot | None:
        """The root that counts for a mailbox, there or not: itself, else the nearest above it that is one.

        Where nothing limits a user, it is his INBOX when an IMAP server counts there, to help it count.
        """
        for length in range(len(name.path), 0, -1):
            if self.is_root(name.path[:length], tree):
                return self.at(MailboxName(name.owner, name.path[:length], name.domain), tree)
        counter = None
        if name.owner is not None:
            limited = self._records.get(tree.root).limits is not None
            counter = tree.root if not limited and maildirsize.exists(tree.root) else None
            if limited or (counter and maildirsize.read(counter).limits is not None):
                return self.at(MailboxName(name.owner), tree)
        domain = domain_of(name)
        if domain and is_limiting(self.domain_path(domain), self._records):
            return self.domain(domain, counter)
        return self.at(MailboxName(name.owner), tree) if counter else None

    def is_root(self, path: tuple[str, ...], tree: Tree) -> bool:
        """Whether a folder of a tree, there or not, is a root."""
        return is_limiting(tree.folder(path), self._records) and (not path or self._is_real(tree, path))

    def is_limited(self, root: QuotaRoot) -> bool:
        """Whether it is a root, and not only a place that could become one or in which an IMAP server counts."""
        return is_limiting(root.path, self._records)

    def _is_real(self, tree: Tree, path: tuple[str, ...]) -> bool:
        return self._layout.folder(tree, path) is not None

    def at(self, name: MailboxName, tree: Tree, seen: Below | None = None) -> QuotaRoot:
        """A folder as a root, which it may become; `seen` is what was just seen below it."""
        found = self._layout.folder(tree, name.path) if name.path else None
        return QuotaRoot(
            name,
            found[0] if found else tree.folder(name.path),
            lambda: [_below(self._survey(tree, name.path), name.path)],
            partial(self._outer, name, tree),
            self._records,
            self._mode,
            seen=seen,
        )

    def all_in(self, tree: Tree) -> Iterator[QuotaRoot]:
        """The roots in a tree, in no order, from one look at it."""
        seen = self._survey(tree)
        for path in seen.roots:
            yield self.at(MailboxName(tree.owner, path, tree.domain), tree, _below(seen, path))

    def _survey(self, tree: Tree, below: tuple[str, ...] = ()) -> Survey:
        return survey(tree, self._records, self._is_real, below)

    def _outer(self, name: MailboxName, tree: Tree) -> QuotaRoot | None:
        above = name.parent
        if above is not None:
            return self.nearest(above, tree)
        domain = domain_of(name)
        return self.domain(domain) if domain and is_limiting(self.domain_path(domain), self._records) else None

    # -- domains -----------------------------------------------------------------------------------------------------

    def domain(self, domain: str, counter: Path | None = None) -> QuotaRoot:
        """The root of a domain, which it may become."""
        return QuotaRoot(
            MailboxName(None, (), domain),
            self.domain_path(domain),
            lambda: self._below_domain(domain),
            lambda: None,
            self._records,
            self._mode,
            counter,
        )

    def _below_domain(self, domain: str) -> Iterator[Below]:
        """Shared folders once each: one on another partition is in the tree there, and linked into the first one."""
        seen: set[tuple[str, ...]] = set()
        for tree in self._layout.shared(domain):
            found = self._survey(tree)
            yield Below(tree.root, [folder for folder in found.without_root() if folder.path not in seen])
            seen |= {folder.path for folder in found.folders}
        for userid in sorted(set(self._layout.users())):
            if userid.partition("@")[2] == domain and (own := self._user_tree(userid)):
                yield Below(own.root, self._survey(own).without_root())

    def domain_path(self, domain: str) -> Path:
        return next(self._layout.shared(domain)).root.parent


def _below(seen: Survey, path: tuple[str, ...]) -> Below:
    return Below(seen.tree, seen.below(path), apart=not path and any(seen.roots))


def domain_of(name: MailboxName) -> str:
    """The domain of a mailbox; "" is the default one."""
    return name.domain or (name.owner or "").partition("@")[2]
