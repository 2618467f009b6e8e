"""Where imported folders go: names that the store can have, users and folders made as needed.

A folder may be called elsewhere what it cannot be called here: with a `/`, a control character, a `^`, a name longer
than a file's. What cannot be is replaced by `_`. A name that was changed, and that another folder has then too, gets a
number behind it that is made from its own name, so that it is the same in the next run.

Why the names of all folders are wanted at once: which one is called like another after the change is known only then,
and who has a good name keeps it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from sievemda.errors import AlreadyExists, DataError, NotFound
from sievemda.store import leftovers
from sievemda.store.names import INBOX, MAX_FILE_NAME, MailboxName
from sievemda.store.spelling import encode_utf7, escape, to_disk
from sievemda.upkeep.filling import Filling

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

Path = tuple[str, ...]

_IMPOSSIBLE = re.compile(r"[!\"%/;<>\\^`{|}\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_LONGEST = 100  # octets of a component that is shortened


def possible(top: MailboxName, path: Path) -> MailboxName:
    """The mailbox for a folder of that path that is to lie below `top`; () is `top`, as is INBOX in an account."""
    parts = [_component(part) for part in path]
    if not parts:
        return top
    if parts[-1].endswith("."):
        parts[-1] = parts[-1][:-1] + "_"
    if not top.path and top.owner is None:
        reserved = parts[0][0] in "$.~" or parts[0] == "user" or parts[0].upper() == INBOX or parts == ["DELETED"]
        parts[0] = f"_{parts[0]}" if reserved else parts[0]
    elif not top.path and parts[0].upper() == INBOX:
        if len(parts) == 1:
            return top
        parts[0] = INBOX
    if _is_long(top.child(*parts)):
        parts = [_shortened(part) for part in parts]
    if _is_long(top.child(*parts)):
        parts = [f"_{_digest('/'.join(path))}"]
    return top.child(*parts)


def _is_long(name: MailboxName) -> bool:
    return len(to_disk(name.path).encode()) > MAX_FILE_NAME


def _component(part: str) -> str:
    changed = _IMPOSSIBLE.sub("_", part)
    return "_" * max(len(changed), 1) if changed in {"", ".", ".."} else changed


def _shortened(part: str) -> str:
    if len(encode_utf7(escape(part))) <= _LONGEST:
        return part
    kept = part
    while len(encode_utf7(escape(kept))) > _LONGEST - 9:
        kept = kept[:-1]
    return f"{kept}_{_digest(part)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def arranged(top: MailboxName, paths: Iterable[Path]) -> dict[Path, MailboxName]:
    """The mailboxes for folders that are to lie below `top`; no two get the same, but for INBOX in any spelling."""
    wanted = {path: possible(top, path) for path in dict.fromkeys(paths)}
    taken = {name for path, name in wanted.items() if name == top.child(*path)}
    for path, name in list(wanted.items()):
        if name not in (top, top.child(*path)) and name in taken:
            last = _shortened(f"{name.path[-1]}_{_digest('/'.join(path))}")
            wanted[path] = MailboxName(name.owner, (*name.path[:-1], last), name.domain)
        taken.add(wanted[path])
    return wanted


class Places:
    """Finds the mailboxes that are imported into, and makes what is not there yet."""

    def __init__(self, store: MailStore, *, create: bool = True, dry_run: bool = False) -> None:
        """Without `create` a mailbox that is not there is an error. A `dry_run` makes nothing."""
        self.store = store
        self.made: list[str] = []  # mailboxes, or those that would be, as administrators write them
        self._create = create
        self._dry_run = dry_run

    def name(self, text: str) -> MailboxName:
        """An administrator's name of a mailbox, or a user (`alice`) for his INBOX, when there is one. DataError."""
        namespace = self.store.namespace
        name = namespace.parse_admin(text)
        if name.owner is None and len(name.path) == 1 and self.store.find(name) is None:
            with suppress(DataError):
                userid = namespace.user(name.path[0], name.domain)
                if self.store.user_exists(userid):
                    return MailboxName(userid)
        return name

    def at(self, name: MailboxName) -> Mailbox | None:
        """The mailbox of that name, made when it is not there; None when it would be made.

        NotFound, DataError, OverQuota, StoreTrouble.
        """
        found = self.store.find(name)
        if found is not None:
            return found
        shown = self.store.namespace.format_admin(name)
        if not self._create:
            raise NotFound(f"no mailbox {shown}")
        self.store.namespace.check_new(name)
        if name.owner is not None and name.path:
            self.at(MailboxName(name.owner))
        if shown not in self.made:
            self.made.append(shown)
        if self._dry_run:
            return None
        with suppress(AlreadyExists):
            return self.store.create(name)
        return self.store.find(name)

    def filling(self, mailbox: Mailbox, **options: Any) -> Filling:
        """See `Filling`. A message that is put into a folder that has just moved away follows it."""
        return Filling(mailbox, missed=partial(leftovers.missed, self.store), **options)
