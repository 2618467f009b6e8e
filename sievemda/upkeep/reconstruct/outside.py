"""Folders that lie where no mailbox is looked for: moved by hand, or called as no mailbox can be called.

They come back as mailboxes of their tree by one rename, with everything in them; without rights of their own they get
those of the mailbox above. The name is made of the path: `Work/Lists` of nested directories, `Lists` of `.Lists`,
wherever that has gone, since such a name is the whole path of a folder. What cannot stand in a name is replaced.

Why not everything is taken in at once: a home may be somebody's own, with copies of mail that he has put there. In a
Maildir, or with our record or the mark of a folder in it, a directory has been a mailbox; else `force` is needed.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import AlreadyExists, DataError
from sievemda.store import links, lost, maildirsize, record, scripts, subscriptions, withdrawn
from sievemda.store.aclfile import FILE_NAME as ACL_FILE
from sievemda.store.aclfile import forget_list
from sievemda.store.creation import MOVED, nearest_above
from sievemda.store.crossing import transfer
from sievemda.store.files import is_directory, write_new
from sievemda.store.layout import MAILDIR
from sievemda.store.mailbox import Mailbox
from sievemda.store.maildir import PARTS, contents, make_parts
from sievemda.store.names import MailboxName
from sievemda.store.spelling import from_disk
from sievemda.upkeep.reconstruct.findings import Work
from sievemda.upkeep.reconstruct.shape import Wants

if TYPE_CHECKING:
    from sievemda.store.layout import Tree

_OF_DOVECOT = "..DOVECOT-TRASHED"  # what is being deleted
_DEPTH = 12  # directories below one another; nobody nests folders deeper
_BAD = re.compile(r"[\x00-\x1f\x7f-\x9f!\"%/;<>\\`{|}^\u2028\u2029\ud800-\udfff]")
_UNDER_WAY = ("deleted.", "new.", MOVED, ".account.")  # what moves and deletions of ours put into a home
_HOME = {MAILDIR, scripts.FOLDER, withdrawn.AREA, lost.AREA}


@dataclass(frozen=True, slots=True)
class Astray:
    place: Path
    parts: tuple[str, ...]  # of the directories that lead to it, from its tree
    certain: bool = True  # it was a mailbox of this store


def bring_in(work: Work, tree: Tree, wants: Wants = lambda *_: True) -> None:
    """Make mailboxes of the folders of a tree that are none, under names that are wanted."""
    for astray in sorted(_astray(tree), key=lambda found: found.place):
        bring(work, tree, astray, wants)


def relink(work: Work, tree: Tree, wants: Wants = lambda *_: True) -> None:
    """A link that leads nowhere shows the folder again that lies at its place on another partition.

    Also when somebody has taken the dot from its name. And with `force` a folder there that no link shows: an IMAP
    server has deleted its link.
    """
    store = work.store
    shown = {box.path.resolve() for box in store.mailboxes_of(tree.owner, tree.domain)}
    for partition in store.layout.partitions:
        root = store.layout.place(tree.owner, tree.domain, ("x",), partition).parent
        if root == tree.root:
            continue
        for found in _directories(root):
            place = found.with_name(f".{found.name.removeprefix('.')}")
            path = from_disk(place.name)
            if path is None or not is_folder_like(found) or found.resolve() in shown:
                continue
            seen, name = tree.folder(path), MailboxName(tree.owner, path, tree.domain)
            dangling = seen.is_symlink() and not seen.exists()
            if not wants(name, partition) or (place != found and (not dangling or os.path.lexists(place))):
                continue
            if dangling or (work.options.force and not os.path.lexists(seen)):
                what = "no link leads to it" if not dangling else f"the link that should show it leads nowhere: {seen}"
                admin = store.namespace.format_admin(name)
                work.mend(admin, "link", found, what, f"{admin} shows it", _linking(tree, seen, found, place))
                if work.options.dry_run:
                    _expect(work, Mailbox(name, found, partition, tree, store.files))


def _linking(tree: Tree, seen: Path, found: Path, place: Path) -> Callable[[], None]:
    def link() -> None:
        with links.alone(tree):
            if seen.exists() or not is_directory(found) or (place != found and os.path.lexists(place)):
                raise FileNotFoundError(f"{seen} has been moved meanwhile")
            found.rename(place)
            seen.unlink(missing_ok=True)
            links.link(seen, place)

    return link


def bring(work: Work, tree: Tree, astray: Astray, wants: Wants = lambda *_: True) -> None:
    """Make a mailbox of a folder, under a name that is free."""
    store = work.store
    name = _free(work, tree, MailboxName(tree.owner, _path(work, astray.parts), tree.domain))
    if not wants(name, tree.partition):
        return
    shown = store.namespace.format_admin(name)
    what = "a folder lies where no mailbox is looked for"
    if not (astray.certain or work.options.force):
        advice = f"reconstruct -f makes it {shown}; or move it elsewhere"
        work.leave(shown, "outside", astray.place, what, advice)
        return

    def take_in() -> str:
        with links.alone(tree), ExitStack() as held:
            target = tree.folder(name.path)
            if os.path.lexists(target):
                raise AlreadyExists(f"{target} is in the way")
            transfer(store, astray.place, target, held)
        make_parts(target, store.files.folder_mode)
        with suppress(FileExistsError):
            write_new(target / "maildirfolder", b"", store.files.message_mode)
        _give_rights(work, name, target)
        forget_list(tree.root)
        if tree.owner is not None:
            subscriptions.subscribe(tree.root, [name.path], store.files.message_mode)
        return f"discovered {shown}"

    work.mend(shown, "outside", astray.place, what, f"discovered {shown}", take_in)
    if work.options.dry_run:
        _expect(work, Mailbox(name, astray.place, tree.partition, tree, store.files))


def _expect(work: Work, mailbox: Mailbox) -> None:
    """A dry run looks into what would be a mailbox, and counts it."""
    work.coming[mailbox.path] = mailbox
    above = nearest_above(work.store, mailbox.name)
    if not maildirsize.exists(mailbox.path):  # it has no limits of its own
        work.expect(above.quota_root() if above else None, *contents(mailbox.path))


def _give_rights(work: Work, name: MailboxName, target: Path) -> None:
    """Those of the mailbox above, for one that has none of its own."""
    above = nearest_above(work.store, name)
    if above is not None and not os.path.lexists(target / ACL_FILE):
        acl = above.acl()
        work.store.files.acls.change(target, name.owner, lambda _: acl)


# -- looking -----------------------------------------------------------------------------------------------------------


def _astray(tree: Tree) -> Iterator[Astray]:
    yield from _in(tree.root, (), tree, _DEPTH)
    if tree.owner is None:
        return
    home = tree.root.parent
    for place in _directories(home):
        if place.name not in _HOME and not place.name.startswith((*_HOME, *_UNDER_WAY)):
            yield from (
                Astray(found.place, found.parts, _is_marked(found.place))
                for found in _in_one(place, (place.name,), tree, 3)
            )


def _in(directory: Path, parts: tuple[str, ...], tree: Tree, depth: int) -> Iterator[Astray]:
    """Folders below a directory of a tree; those that are mailboxes are looked into, and not among them."""
    for place in _directories(directory):
        if place.name == _OF_DOVECOT or depth == 0:
            continue
        if directory == tree.root and from_disk(place.name):
            yield from _in(place, (place.name,), tree, depth - 1)
        else:
            yield from _in_one(place, (*parts, place.name), tree, depth)


def _in_one(place: Path, parts: tuple[str, ...], tree: Tree, depth: int) -> Iterator[Astray]:
    """A directory that is none of a mailbox: itself, and what is below it. The deepest come first, and out of it."""
    if place.name in PARTS:
        for found in _directories(place):
            if is_folder_like(found):
                yield Astray(found, (*parts[:-1], found.name))
        return
    if depth:
        yield from _in(place, parts, tree, depth - 1)
    if is_folder_like(place):
        yield Astray(place, parts)


def is_folder_like(place: Path) -> bool:
    """Whether messages are, or were, in a directory."""
    return is_directory(place / "cur") or is_directory(place / "new")


def _is_marked(place: Path) -> bool:
    return any(os.path.lexists(place / name) for name in (record.FILE_NAME, "maildirfolder"))


def _directories(directory: Path) -> list[Path]:
    try:
        with os.scandir(directory) as found:
            names = sorted(entry.name for entry in found if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []
    return [directory / name for name in names]


# -- names -------------------------------------------------------------------------------------------------------------


def _path(work: Work, parts: tuple[str, ...]) -> tuple[str, ...]:
    path: list[str] = []
    for part in parts:
        if part in PARTS:
            continue
        if part.startswith("."):
            path = list(from_disk(part) or map(_component, part[1:].split(".")))
        else:
            path.append(_component(part))
    path = [part for part in path if part] or ["Recovered"]
    try:
        work.store.namespace.check_new(MailboxName("x", tuple(path)))
    except DataError:
        path = [part.strip(". ") or "Recovered" for part in path]
        if path[0].upper() == "INBOX":
            path[0] = "Recovered INBOX"
    return tuple(path)


def _component(text: str) -> str:
    """A name as people write it, of octets that may be in some old encoding."""
    octets = os.fsencode(text)
    try:
        decoded = octets.decode()
    except UnicodeDecodeError:
        decoded = octets.decode("latin-1")
    return _BAD.sub("_", decoded).strip(". ")


def _free(work: Work, tree: Tree, name: MailboxName) -> MailboxName:
    *above, last = name.path
    taken = {mailbox.name for mailbox in work.coming.values()}
    for number in itertools.count(1):
        found = MailboxName(name.owner, (*above, last if number == 1 else f"{last} {number}"), name.domain)
        free = found not in taken and not os.path.lexists(tree.folder(found.path))
        if free and work.store.find(found) is None:
            return found
    return name
