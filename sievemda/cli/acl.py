"""`sievemda acl`: who may do what with a mailbox. Here stand the group and what changes ACLs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from sievemda.cli.failures import Failures
from sievemda.cli.lazy import LazyCommands
from sievemda.cli.mailbox import existing, open_store
from sievemda.cli.progress import shown
from sievemda.cli.selection import WILDCARDS
from sievemda.config import Settings
from sievemda.errors import SievemdaError, UsageError

if TYPE_CHECKING:
    from sievemda.store.authority import Changes
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

# Identifiers may begin with a hyphen (a negative entry), and so may rights (to take away): -h is no option here.
AS_WRITTEN = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
EVERYBODY = "*"  # as an identifier to delete: all that are there
_LAZY = {
    "list": "acl_list:list_",
    "rights": "acl_list:rights",
    "find": "acl_list:find",
    "dump": "acl_load:dump",
    "load": "acl_load:load",
}


@click.group(cls=LazyCommands, lazy=_LAZY, epilog="Example: sievemda acl set user/alice/Lists anyone p")
def acl() -> None:
    """Access control lists (RFC 4314). An identifier is a user, anyone, anonymous or group:NAME; -ID takes away."""


def recursive(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--recursive", is_flag=True, help="Also on all that lies below.")(command)


@acl.command("set", context_settings=AS_WRITTEN, epilog="Example: sievemda acl set user/alice/Lists -fred p")
@click.argument("name")
@click.argument("words", metavar="ID RIGHTS [ID RIGHTS]...", nargs=-1, required=True)
@recursive
@click.pass_obj
def set_(settings: Settings, name: str, words: tuple[str, ...], recursive: bool) -> None:
    """Give identifiers rights: `lrsp` exactly these, `+p` also these, `-p` not these, or a word such as read.

    Words: none, read (lrs), post (lrsp), append (lrsip), write (lrswipkxte), delete (lrxte), all.
    NAME may be a pattern.
    """
    if len(words) % 2:
        raise UsageError(f"{words[-1]!r} has no rights behind it")
    store = open_store(settings)
    _change(store, name, list(zip(words[::2], words[1::2], strict=True)), below=recursive)


@acl.command(context_settings=AS_WRITTEN, epilog="Example: sievemda acl delete user/alice/Lists anyone")
@click.argument("name")
@click.argument("identifiers", metavar="ID...", nargs=-1, required=True)
@recursive
@click.pass_obj
def delete(settings: Settings, name: str, identifiers: tuple[str, ...], recursive: bool) -> None:
    """Take identifiers out of the ACL of a mailbox; '*' is all of them. An owner keeps his implicit rights.

    NAME may be a pattern.
    """
    _change(open_store(settings), name, [(identifier, None) for identifier in identifiers], below=recursive)


@acl.command(epilog="Example: sievemda acl copy user/alice/Lists 'user/alice/Archive/*'")
@click.argument("source", metavar="FROM")
@click.argument("name", metavar="TO")
@recursive
@click.pass_obj
def copy(settings: Settings, source: str, name: str, recursive: bool) -> None:
    """Give a mailbox the ACL of another one, instead of its own; the owner of TO keeps his implicit rights.

    Where FROM has another owner, what it says of him is said of the owner of TO. TO may be a pattern.
    """
    from sievemda.policy.acl import parse_rights

    store = open_store(settings)
    model = existing(store, source)
    entries, former = model.acl(), model.name.owner
    implicit = parse_rights(settings.acl.implicit_owner_rights)

    def change(mailbox: Mailbox) -> None:
        owner = mailbox.name.owner
        acl = entries.renamed(former, owner) if former and owner and former != owner else entries
        mailbox.change_acl(lambda _: acl.kept_for(owner, owner or "", implicit))

    _on_each(store, name, change, below=recursive)


def _change(store: MailStore, name: str, changes: Changes, *, below: bool) -> None:
    """Every identifier and all rights are looked at before the first mailbox is touched."""
    from sievemda.policy.acl import Acl
    from sievemda.store.authority import change_entries, check_grantee

    for identifier, change in changes:
        if change is not None:
            who = store.namespace.identifier(identifier)
            check_grantee(store, who)
            Acl().changed(who, change, store.settings.acl.deleteright)

    def apply(mailbox: Mailbox) -> None:
        wanted = changes
        if any(identifier == EVERYBODY for identifier, _ in changes):
            wanted = [(identifier, None) for identifier, _ in mailbox.acl().entries]
        change_entries(store, mailbox, wanted, careful=False)

    _on_each(store, name, apply, below=below)


def _on_each(store: MailStore, name: str, change: Callable[[Mailbox], None], *, below: bool) -> None:
    """On the mailbox of that name, those that match, those below. With several, one that fails does not stop others."""
    if not below and not WILDCARDS & set(name):
        change(existing(store, name))
        return
    failures = Failures()
    for mailbox in shown([*_meant(store, name, below=below)], "mailboxes"):
        try:
            change(mailbox)
        except (SievemdaError, OSError) as error:
            failures.tell(error, store.namespace.format_admin(mailbox.name))
    click.get_current_context().exit(failures.code)


def _meant(store: MailStore, name: str, *, below: bool) -> Iterator[Mailbox]:
    from sievemda.errors import NotFound

    found = [*store.list(name)] if WILDCARDS & set(name) else [existing(store, name)]
    if not found:
        raise NotFound(f"no mailbox matches {name}")
    seen = set()
    for mailbox in found:
        inside = store.mailboxes_of(mailbox.name.owner, mailbox.name.domain) if below else [mailbox]
        for other in sorted(inside, key=lambda other: other.name.path):
            if mailbox.name.covers(other.name) and other.name not in seen:
                seen.add(other.name)
                yield other
