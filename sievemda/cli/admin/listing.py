r"""`listmailbox`: names with what LIST says of them, packed down columns as cyradm does.

The flags are those of RFC 3501 §7.2.2, RFC 5258 §3 and RFC 6154 §2. A name at which there is no mailbox, and below
which there are some, is shown with \NonExistent where the pattern matches it and has no `*`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator

from sievemda.cli.admin.options import Arguments
from sievemda.cli.admin.session import Session
from sievemda.cli.admin.subscribing import subscribed_to
from sievemda.cli.terminal import clean, columns
from sievemda.errors import DataError, UsageError
from sievemda.store.mailbox import Mailbox
from sievemda.store.names import MailboxName
from sievemda.store.patterns import Pattern

WIDTH = 79
NOTHING = 1  # the status when nothing matches

_Key = tuple[str | None, tuple[str, ...], str]


def listmailbox(session: Session, arguments: Arguments) -> int:
    if len(arguments.words) > 2:
        raise UsageError("too many arguments")
    pattern = session.pattern("".join(reversed(arguments.words)) if arguments.words else "*")
    if arguments.has("subscribed"):
        lines = _subscribed(session, pattern)
    else:
        lines = list(_existing(session, pattern, special_use=arguments.has("specialuse")))
    for line in packed(lines, _width()):
        session.say(line)
    return 0 if lines else NOTHING


def _width() -> int:
    text = os.environ.get("COLUMNS", "")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text) else WIDTH


def packed(items: list[str], width: int) -> Iterator[str]:
    """The items down columns of one width, two blanks behind each."""
    if not items:
        return
    longest = max(map(columns, items))
    count = max(1, width // (longest + 1))
    rows = -(-len(items) // count)
    for row in range(rows):
        yield "".join(item + " " * (longest + 2 - columns(item)) for item in items[row::rows])


def _subscribed(session: Session, pattern: str) -> list[str]:
    wanted = _pattern(session, pattern)
    return _sorted(session.shown(name) for name in subscribed_to(session) if wanted and wanted.matches(name))


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(map(clean, names), key=lambda name: name.encode("utf-8", "surrogateescape"))


def _existing(session: Session, pattern: str, *, special_use: bool) -> list[str]:
    found = _matching(session, pattern)
    above = [] if "*" in pattern or special_use else _above(session, pattern, found)
    parents = _parents(session, pattern, found) if found else set()
    subscribed = {_key(name) for name in subscribed_to(session)} if found else set()
    rows = [(_shown(session, name), r"\NonExistent \HasChildren") for name in above]
    for mailbox in found:
        uses = _uses(session, mailbox)
        if special_use and not uses:
            continue
        key = _key(mailbox.name)
        flags = [r"\Subscribed"] if key in subscribed else []
        flags.append(r"\HasChildren" if key in parents else r"\HasNoChildren")
        rows.append((_shown(session, mailbox.name), " ".join([*flags, uses] if uses else flags)))
    rows.sort(key=lambda row: row[0].encode("utf-8", "surrogateescape"))
    return [f"{name} ({flags})" for name, flags in rows]


def _uses(session: Session, mailbox: Mailbox) -> str:
    """Its special uses. A record that cannot be read is told, and keeps no other mailbox from being listed."""
    try:
        return mailbox.special_use
    except OSError as error:
        session.complain(f"listmailbox: {_shown(session, mailbox.name)}: {error}")
        return ""


def _matching(session: Session, pattern: str) -> list[Mailbox]:
    """What is no pattern and no name matches nothing."""
    try:
        return [mailbox for mailbox in session.store.list(pattern) if session.sees(mailbox)]
    except DataError:
        return []


def _shown(session: Session, name: MailboxName) -> str:
    return clean(session.shown(name) if name.owner != "" else "user")


def _key(name: MailboxName) -> _Key:
    return name.owner, name.path, name.domain


def _ancestors(name: MailboxName) -> Iterator[MailboxName]:
    """The names above, also where no mailbox is; the one with the owner "" is `user`."""
    lowest = 0 if name.owner is not None else 1
    for length in range(len(name.path) - 1, lowest - 1, -1):
        yield MailboxName(name.owner, name.path[:length], name.domain)
    if name.owner is not None:
        yield MailboxName("")


def _parents(session: Session, pattern: str, found: list[Mailbox]) -> set[_Key]:
    """The names below which there are mailboxes that the acting user sees."""
    everything: Iterable[Mailbox] = found
    if pattern != "*":
        trees = {(mailbox.name.owner, mailbox.name.domain) for mailbox in found}
        everything = (mailbox for tree in trees for mailbox in session.store.mailboxes_of(*tree))
    return {_key(above) for mailbox in everything if session.sees(mailbox) for above in _ancestors(mailbox.name)}


def _above(session: Session, pattern: str, found: list[Mailbox]) -> list[MailboxName]:
    """Names that match, at which no mailbox is, and below which there are some."""
    there = {_key(mailbox.name) for mailbox in found}
    below = _matching(session, f"{pattern}{session.store.namespace.separator}*") if pattern else []
    ancestors = {_key(name): name for mailbox in below for name in _ancestors(mailbox.name)}
    wanted, top = _pattern(session, pattern), _one_level(pattern)
    return [
        name
        for key, name in ancestors.items()
        if key not in there and (top("user") if name.owner == "" else wanted and wanted.matches(name))
    ]


def _pattern(session: Session, pattern: str) -> Pattern | None:
    """None for what names nothing."""
    try:
        return Pattern(session.store.namespace, pattern)
    except DataError:
        return None


def _one_level(pattern: str) -> Callable[[str], object]:
    """Whether a pattern without `*` matches a word."""
    return re.compile(".*".join(map(re.escape, re.split("%+", pattern)))).fullmatch
