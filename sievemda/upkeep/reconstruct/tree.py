"""What belongs to a whole tree: subscriptions, quota roots, special uses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import SievemdaError
from sievemda.policy.quota import Usage
from sievemda.store import lost, maildirsize, subscriptions
from sievemda.store.files import Damaged, is_directory, read_control_file
from sievemda.store.layout import Tree
from sievemda.store.names import MailboxName
from sievemda.store.subscribed import named_by
from sievemda.upkeep.reconstruct.findings import Work

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.quota import QuotaRoot

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NOT_A_FILE = "it is no file that can be read"


# -- subscriptions -----------------------------------------------------------------------------------------------------


def mend_subscriptions(work: Work, tree: Tree) -> None:
    owner = tree.owner
    if owner is None:
        return
    path = tree.root / subscriptions.FILE_NAME
    shown = work.store.namespace.format_admin(MailboxName(owner))
    try:
        lines = subscriptions.subscribed(tree.root)
    except OSError as error:
        if isinstance(error, Damaged) or path.is_symlink():
            work.mend(shown, "subscriptions", path, _NOT_A_FILE, "taken away", lambda: f"it is {lost.take(tree, path)}")
        else:
            work.failed(shown, "subscriptions", path, _NOT_A_FILE, error)
        return
    sound = _sound(work, owner, lines)
    if sound != lines:

        def write() -> str:
            kept = lost.keep(tree, path)
            subscriptions.keep(tree.root, lambda now: _sound(work, owner, now), work.store.files.message_mode)
            return f"left out; as it was: {kept}"

        what = f"{len(lines) - len(sound)} lines that are no names of mailboxes, or stand there twice"
        work.mend(shown, "subscriptions", path, what, "left out", write)
    for line in sound:
        name = named_by(work.store, owner, line)
        if name is not None and name.owner == owner and work.store.find(name) is None:
            seen = work.store.namespace.format_user(name, owner)
            work.note(shown, "subscriptions", path, f"{seen} is subscribed to, and there is none: that may be")


def _sound(work: Work, owner: str, lines: list[str]) -> list[str]:
    return [
        line
        for line in dict.fromkeys(lines)
        if not _CONTROL.search(line) and line.isprintable() | ("\t" in line) and named_by(work.store, owner, line)
    ]


# -- special uses ------------------------------------------------------------------------------------------------------


def tell_uses(work: Work, mailboxes: list[Mailbox]) -> None:
    """Two folders with one special use may be (RFC 6154 §2), and deliveries take the first of them."""
    first: dict[str, str] = {}
    for mailbox in mailboxes:
        shown = work.store.namespace.format_admin(mailbox.name)
        for use in mailbox.special_use.split() if mailbox.name.owner else ():
            other = first.setdefault(use.lower(), shown)
            if other != shown:
                work.note(
                    shown, "special-use", mailbox.path, f"it is {use}, as {other} is, which is the one that counts"
                )


# -- quotas ------------------------------------------------------------------------------------------------------------


def mend_quotas(work: Work, roots: Iterable[QuotaRoot]) -> None:
    """Count them, as `quota fix` does."""
    for root in {root.path: root for root in roots}.values():
        shown = work.store.namespace.format_admin(root.name)
        try:
            _count(work, root, shown, work.expected.get(root.path, Usage()))
        except (OSError, SievemdaError) as error:
            work.failed(shown, "quota", root.path / maildirsize.FILE_NAME, "it cannot be counted", error)


def _count(work: Work, root: QuotaRoot, shown: str, coming: Usage) -> None:
    path = root.path / maildirsize.FILE_NAME
    limits = root.limits()
    if limits.storage is None and limits.messages is None:
        return
    damage = _damage_of(path)
    count = root.count(write=False)
    before = count.before
    now = _kept(count.usage + coming)
    if damage is None and (before is None or before == now):
        return
    what = damage or f"it says {_said(before)}, and there are {_said(now)}"

    def write() -> str:
        taken = _taken(root) if is_directory(path) else ""
        return f"counted: {_said(_kept(root.count().usage))}{taken}"

    work.mend(shown, "quota", path, what, f"counted: {_said(now)}", write)


def _taken(root: QuotaRoot) -> str:
    """A directory in the place of the file goes out of the way."""
    place = next((below.tree for below in root.look()), root.path)
    tree = Tree(root.name.owner, root.name.domain, "", place)
    return f"; what was there is {lost.take(tree, root.path / maildirsize.FILE_NAME)} now"


def _kept(usage: Usage) -> Usage:
    return Usage(usage.storage, usage.messages)


def _said(usage: Usage | None) -> str:
    return "nothing" if usage is None else f"{usage.storage} octets in {usage.messages} messages"


def _damage_of(path: Path) -> str | None:
    """Why a file tells no usage; None when it does, or says that it does not know."""
    try:
        content = read_control_file(path)
    except Damaged:
        return _NOT_A_FILE
    if content is None:
        return "it is missing"
    known = maildirsize.read(path.parent)
    if known.limits is None:
        return "its limits cannot be read"
    unknown = maildirsize.UNKNOWN.encode() in content or len(content) >= maildirsize.MAX_SIZE
    return None if known.usage is not None or unknown else "its usage cannot be read"


def mend_counter(work: Work, folder: Path, tree: Tree, shown: str) -> None:
    """A file in which an IMAP server counts where nothing is limited: it is made anew by whoever misses it."""
    path = folder / maildirsize.FILE_NAME
    if work.store.files.records.get(folder).limits is not None:
        return
    try:
        content = read_control_file(path)
        sound = content is None or maildirsize.limits_nothing(content)
    except OSError:
        sound = False
    if not sound:
        what = "it tells neither limits nor usage"
        work.mend(shown, "quota", path, what, "taken away", lambda: f"it is {lost.take(tree, path)} now")
