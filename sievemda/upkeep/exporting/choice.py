"""Which mailboxes are exported, and where each goes at the target.

One mailbox that is named goes to the target itself. With what lies below it, the target is what a mail program has as
its directory of folders; of several mailboxes it has such a directory for each user in `user/NAME`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sievemda.errors import NotFound

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.store.names import MailboxName


@dataclass(frozen=True, slots=True)
class Chosen:
    mailbox: Mailbox
    shown: str  # as administrators write it
    base: tuple[str, ...]  # the directory of folders at the target
    folder: tuple[str, ...]  # in that; () is an INBOX, or the one mailbox that was named


@dataclass(frozen=True, slots=True)
class Choice:
    chosen: list[Chosen]
    single: bool  # one mailbox that was named, and nothing below it


def choose(store: MailStore, words: Sequence[str], *, recursive: bool) -> Choice:
    """NotFound when a name is that of no mailbox, or a pattern matches none; DataError for what can be no name."""
    patterns = [word for word in words if {"*", "%"} & set(word)]
    if len(words) == 1 and not patterns:
        top = _named(store, words[0])
        if not recursive:
            return Choice([Chosen(top, store.namespace.format_admin(top.name), (), ())], single=True)
        above = max(len(top.name.path) - 1, 0)  # a folder that is not an INBOX is called by its own name
        return Choice(
            [
                Chosen(box, store.namespace.format_admin(box.name), (), box.name.path[above:])
                for box in sorted(_below(store, top), key=lambda box: box.name.path)
            ],
            single=False,
        )
    found: dict[MailboxName, Mailbox] = {}
    for word in words:
        boxes = list(store.list(word)) if word in patterns else [_named(store, word)]
        if not boxes:
            raise NotFound(f"no mailbox matches {word}")
        for box in boxes:
            found[box.name] = box
            if recursive:
                found |= {each.name: each for each in _below(store, box)}
    ordered = sorted(found.items(), key=_key)
    return Choice(
        [Chosen(box, store.namespace.format_admin(name), _base(name), name.path) for name, box in ordered],
        single=False,
    )


def _below(store: MailStore, top: Mailbox) -> list[Mailbox]:
    boxes = store.mailboxes_of(top.name.owner, top.name.domain)
    return [box for box in boxes if top.name.covers(box.name)]


def _named(store: MailStore, word: str) -> Mailbox:
    mailbox = store.find(store.namespace.parse_admin(word))
    if mailbox is None:
        raise NotFound(f"no mailbox {word}")
    return mailbox


def _base(name: MailboxName) -> tuple[str, ...]:
    if name.owner is None:
        return ("shared", name.domain) if name.domain else ("shared",)
    return "user", name.owner


def _key(item: tuple[MailboxName, Mailbox]) -> tuple[str, str, tuple[str, ...]]:
    return item[0].owner or "", item[0].domain, item[0].path
