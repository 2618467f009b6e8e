"""The directories of which mailboxes consist: `cur`, `new` and `tmp`, what marks a folder, and who may use them.

Why this comes first: a folder without `cur` is none to anybody who looks for mailboxes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from sievemda.store import aclfile, keywords, links, maildirsize, quota_state, record, rootlist, subscriptions, uidlist
from sievemda.store.files import is_directory, write_new
from sievemda.store.layout import MAILDIR, Tree
from sievemda.store.maildir import PARTS, is_folder, make_parts
from sievemda.store.names import MailboxName
from sievemda.store.spelling import from_disk, to_disk
from sievemda.upkeep.reconstruct.access import mend_access
from sievemda.upkeep.reconstruct.findings import Work

Wants = Callable[[MailboxName, str], bool]  # of a name and a partition
_LIMITS = {maildirsize.FILE_NAME, quota_state.FILE_NAME, record.FILE_NAME}  # of a root where no mailbox is
_COURIER = "courierimapuiddb"
_MARK = "maildirfolder"
_SIGNS = (record.FILE_NAME, subscriptions.FILE_NAME, aclfile.FILE_NAME, uidlist.FILE_NAME, "new", "tmp")  # of an INBOX
_CONTROLS = (
    aclfile.FILE_NAME, keywords.FILE_NAME, maildirsize.FILE_NAME, record.FILE_NAME, subscriptions.FILE_NAME,
    uidlist.FILE_NAME,
)  # fmt: skip


def mend_tree(work: Work, owner: str | None, domain: str, wants: Wants = lambda *_: True) -> list[Tree]:
    """Make usable what is no mailbox for the want of a directory, of those wanted; the trees of that owner."""
    trees = list(_trees(work, owner, domain))
    for tree in trees:
        if owner is not None and (wants(MailboxName(owner), tree.partition) or not is_folder(tree.root)):
            _mend_folder(work, MailboxName(owner), tree.root)
        _spell(work, tree, wants)
        for path in list(_named(work, tree, wants)):
            name = MailboxName(owner, path, domain)
            found = work.store.layout.folder(tree, path)
            if found is not None and not _is_reserved(found[0]) and wants(name, found[1]):
                _mend_folder(work, name, found[0], mark=True)
    return trees


def _trees(work: Work, owner: str | None, domain: str) -> Iterator[Tree]:
    """Where the folders are; also of somebody whose INBOX is none any more."""
    layout = work.store.layout
    if owner is None:
        yield from layout.shared(domain)
        return
    found = []
    for partition, home in layout.homes(owner):
        _reach(work, owner, home)
        root = layout.inside(home) and layout.maildir(owner, home)
        if root and not rootlist.is_bare(root) and (signs := sum(os.path.lexists(root / name) for name in _SIGNS)):
            where = layout.partition_of(root) if root != home / MAILDIR else partition
            found.append((signs, Tree(owner, "", where, root)))
    if tree := work.store.user_tree(owner):
        yield tree
    elif found:
        yield max(found, key=lambda one: one[0])[1]


def _reach(work: Work, owner: str, home: Path) -> None:
    """A home and a Maildir whose owner may not use them hide everything."""
    shown = work.store.namespace.format_admin(MailboxName(owner))
    for path in (home, home / MAILDIR):
        try:
            found = path.lstat()
            if stat.S_ISDIR(found.st_mode):
                mend_access(work, shown, path, found, found)  # whose a home is, and what is in it, others say
        except OSError:
            return


def _named(work: Work, tree: Tree, wants: Wants) -> Iterator[tuple[str, ...]]:
    """What looks like a folder of the tree and may be wanted, in the order of names."""
    try:
        names = sorted(os.listdir(tree.root))  # noqa: PTH208 - of very many
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if name[0] == "." and (path := from_disk(name)):
            mailbox = MailboxName(tree.owner, path, tree.domain)
            if (tree.root / name).is_symlink() or wants(mailbox, tree.partition):
                _usable(work, work.store.namespace.format_admin(mailbox), tree.root / name)
                yield path


def _spell(work: Work, tree: Tree, wants: Wants) -> None:
    """Names in UTF-8, as Courier has them: Dovecot shows such a folder and cannot open it."""
    if not uidlist.is_read_by_dovecot(tree.root) or os.path.lexists(tree.root / _COURIER):
        return
    for name in sorted(os.listdir(tree.root)):  # noqa: PTH208 - of very many
        path = from_disk(name) if name[0] == "." else None
        if not path or (usual := to_disk(path)) == name or os.path.lexists(tree.root / usual):
            continue
        mailbox = MailboxName(tree.owner, path, tree.domain)
        if wants(mailbox, tree.partition):
            shown = work.store.namespace.format_admin(mailbox)
            what = "its name is spelled as Courier does, and Dovecot reads this tree"
            work.mend(shown, "spelling", tree.root / name, what, f"renamed to {usual}", _respelling(tree, name, usual))


def _respelling(tree: Tree, name: str, usual: str) -> Callable[[], None]:
    def rename() -> None:
        with links.alone(tree):
            if os.path.lexists(tree.root / usual):
                raise FileNotFoundError(usual)
            (tree.root / name).rename(tree.root / usual)

    return rename


def _usable(work: Work, shown: str, path: Path) -> None:
    try:
        found = path.lstat()
        if stat.S_ISDIR(found.st_mode):
            mend_access(work, shown, path, found, path.parent.lstat())
    except OSError as error:
        work.failed(shown, "mode", path, "it cannot be looked at", error)


def _is_reserved(folder: Path) -> bool:
    """Whether it was made for limits alone, before there is a mailbox; an empty one has lost all it had."""
    try:
        names = set(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return False
    return bool(names) and names <= _LIMITS


def _missing(folder: Path) -> list[str]:
    return [part for part in PARTS if not os.path.lexists(folder / part)]


def _mend_folder(work: Work, name: MailboxName, folder: Path, *, mark: bool = False) -> None:
    shown = work.store.namespace.format_admin(name)
    store = work.store
    try:
        for part in PARTS:
            _part(work, shown, folder / part)
        _readable(work, shown, folder)
        if missing := _missing(folder):
            what = f"no {' and no '.join(missing)} in it"
            work.mend(shown, "parts", folder, what, "made", lambda: make_parts(folder, store.files.folder_mode))
        if mark and not os.path.lexists(folder / _MARK):
            how = "made"
            what = f"no {_MARK} in it, which marks a folder of a tree"
            work.mend(
                shown, "mark", folder, what, how, lambda: write_new(folder / _MARK, b"", store.files.message_mode)
            )
    except OSError as error:
        work.failed(shown, "parts", folder, "it cannot be looked at", error)


def _readable(work: Work, shown: str, folder: Path) -> None:
    """The control files of a folder."""
    parent = folder.lstat()
    for name in _CONTROLS:
        try:
            found = (folder / name).lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(found.st_mode):
            mend_access(work, shown, folder / name, found, parent)


def _part(work: Work, shown: str, path: Path) -> None:
    if not os.path.lexists(path):
        return
    if is_directory(path):
        mend_access(work, shown, path, path.lstat(), path.parent.lstat())
        return
    what = "a link stands where a directory must be" if path.is_symlink() else "a file stands where a directory must be"
    work.leave(shown, "parts", path, what, "look at it, move it away, and run this again")
