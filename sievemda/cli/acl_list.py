"""`sievemda acl list`, `rights` and `find`: what ACLs say, for mailboxes and for somebody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.acl import AS_WRITTEN
from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import existing, open_store, print_json, print_json_array
from sievemda.cli.progress import shown
from sievemda.cli.selection import Selection, selecting
from sievemda.config import Settings
from sievemda.errors import SievemdaError

if TYPE_CHECKING:
    from sievemda.policy.acl import Acl
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore


@click.command("list", epilog="Example: sievemda acl list user/alice/Lists")
@selecting("NAME...")
@click.option("--json", "as_json", is_flag=True, help="JSON: of one NAME identifier to rights, else an array.")
@click.pass_obj
def list_(settings: Settings, selection: Selection, as_json: bool) -> None:
    """Show the ACL of a mailbox, one `identifier rights` a line; of several, each below its name."""
    store, failures = open_store(settings), Failures()
    name = selection.required().one
    if name is not None:
        acl = existing(store, name).acl()
        if as_json:
            print_json(_as_object(acl))
        else:
            _show(acl, "")
        return
    found = selection.find(store, failures)
    if as_json:
        print_json_array({"name": name, "acl": _as_object(mailbox.acl())} for name, mailbox in found)
    else:
        for name, mailbox in found:
            print(f"{name}:")
            _show(mailbox.acl(), "  ")
    click.get_current_context().exit(failures.code)


def _as_object(acl: Acl) -> dict[str, str]:
    from sievemda.policy.acl import format_rights

    return {identifier: format_rights(rights) for identifier, rights in acl.entries}


def _show(acl: Acl, indent: str) -> None:
    for identifier, rights in _as_object(acl).items():
        print(f"{indent}{printable(identifier)} {rights}")


def printable(identifier: str) -> str:
    """What users with shells write into their files must not steer the terminal."""
    return identifier if identifier.isprintable() else ascii(identifier)[1:-1]


@click.command(context_settings=AS_WRITTEN, epilog="Example: sievemda acl rights user/alice/Lists bob")
@click.argument("name")
@click.argument("identity", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def rights(settings: Settings, name: str, identity: str, as_json: bool) -> None:
    """Show what somebody may do with a mailbox, and which entries say so. ID is a user, or anonymous."""
    from sievemda.policy.acl import format_rights

    store = open_store(settings)
    mailbox = existing(store, name)
    who = _identity(store, identity)
    found = _rights(store, mailbox, who)
    why = dict(_reasons(store, mailbox, who))
    if as_json:
        print_json({"name": store.namespace.format_admin(mailbox.name), "identity": identity, **found, "entries": why})
        return
    print(found["rights"] or "none")
    for identifier, letters in why.items():
        print(f"  {printable(identifier)} {letters}")
    if "admin" in found:
        print(f"  an administrator {format_rights(_admin_rights())}")


def _identity(store: MailStore, text: str) -> str | None:
    """Who is meant; DataError for what is nobody's name."""
    from sievemda.errors import DataError
    from sievemda.policy.acl import ANONYMOUS, check_identifier

    who = store.namespace.identifier(text)
    check_identifier(who)
    if who.startswith(("-", "group:")):
        raise DataError(f"{text} is nobody: say a user, or anonymous")
    return None if who == ANONYMOUS else who


def _rights(store: MailStore, mailbox: Mailbox, who: str | None) -> dict[str, Any]:
    from sievemda.policy.acl import format_rights
    from sievemda.store.authority import Authority

    authority = Authority(store, who)
    found: dict[str, Any] = {"rights": format_rights(authority.rights(mailbox))}
    return found | {"admin": True} if authority.is_admin else found


def _admin_rights() -> frozenset[str]:
    from sievemda.store.authority import ADMIN_RIGHTS

    return ADMIN_RIGHTS


def _reasons(store: MailStore, mailbox: Mailbox, who: str | None) -> Iterator[tuple[str, str]]:
    """The entries that match somebody."""
    from sievemda.policy.acl import ANONYMOUS, ANYONE, AUTHENTICATED, format_rights

    acl = mailbox.acl()
    matching = {ANYONE, ANONYMOUS} if who is None else {ANYONE, AUTHENTICATED, who}
    if who is not None and acl.mentions_groups():
        matching |= {f"group:{group}" for group in store.groups.of(who)}
    for identifier, letters in acl.entries:
        if identifier.removeprefix("-") in matching:
            yield identifier, format_rights(letters)


@click.command(context_settings=AS_WRITTEN, epilog="Example: sievemda acl find bob 'user/alice/*' --right p")
@click.argument("identity", metavar="ID")
@selecting("[PATTERN]...")
@click.option("--right", "wanted", metavar="LETTERS", default="", help="Only where he has all of these.")
@click.option("--named", is_flag=True, help="Only where the ACL has an entry for ID itself; also for group:NAME.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array of objects.")
@click.pass_obj
def find(settings: Settings, identity: str, selection: Selection, wanted: str, named: bool, as_json: bool) -> None:
    """List the mailboxes with which somebody may do anything: one `name rights` a line."""
    from sievemda.policy.acl import parse_rights

    store, failures = open_store(settings), Failures()
    needed = parse_rights(wanted, settings.acl.deleteright)
    found = _found(store, selection, failures, identity, named=named)
    rows = ({"name": name, "rights": letters} for name, letters in found if needed <= parse_rights(letters))
    if as_json:
        print_json_array(rows)
    else:
        for row in rows:
            print(row["name"], row["rights"])
    click.get_current_context().exit(failures.code)


def _found(
    store: MailStore, selection: Selection, failures: Failures, identity: str, *, named: bool
) -> Iterator[tuple[str, str]]:
    from sievemda.policy.acl import check_identifier, format_rights

    entry = store.namespace.identifier(identity)
    check_identifier(entry)
    who = None if named else _identity(store, identity)
    for name, mailbox in shown(selection.find(store, failures), "mailboxes"):
        try:
            letters = mailbox.acl().get(entry) if named else store.rights(mailbox, who)
        except (SievemdaError, OSError) as error:
            failures.tell(error, name)
            continue
        if letters:
            yield name, format_rights(letters)
