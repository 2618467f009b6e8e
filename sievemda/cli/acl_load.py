"""`sievemda acl dump` and `load`: ACLs as lines of a file, for other programs and for large changes.

A line is `NAME ID RIGHTS [ID RIGHTS]...`, with what has spaces in it quoted as for a shell. Loading reads everything
first: a mistake in one line, and nothing is changed.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import existing, open_store
from sievemda.cli.progress import shown
from sievemda.cli.selection import Selection, names_in, selecting
from sievemda.config import Settings
from sievemda.errors import DataError, SievemdaError

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

_Line = tuple[str, "Mailbox", list[tuple[str, str]]]


@click.command(epilog="Example: sievemda acl dump 'user/*' > acls")
@selecting("[PATTERN]...")
@click.pass_obj
def dump(settings: Settings, selection: Selection) -> None:
    """Print ACLs, one mailbox a line, in the form that `acl load` reads."""
    from sievemda.policy.acl import format_rights

    store, failures = open_store(settings), Failures()
    for name, mailbox in selection.find(store, failures):
        words = [name]
        for identifier, rights in mailbox.acl().entries:
            words += [identifier, format_rights(rights)]
        if len(words) > 1:
            print(shlex.join(words))
    click.get_current_context().exit(failures.code)


@click.command(epilog="Example: sievemda acl load acls")
@click.argument("file", metavar="FILE")
@click.option("--replace", is_flag=True, help="Take out the entries that a line does not name.")
@click.option("--dry-run", is_flag=True, help="Look at all lines and change nothing.")
@click.pass_obj
def load(settings: Settings, file: str, replace: bool, dry_run: bool) -> None:
    """Change ACLs by the lines of FILE (- is standard input): `NAME ID RIGHTS [ID RIGHTS]...`, as for `acl set`.

    All lines are looked at first: with a mistake in one of them nothing is changed.
    """
    store, failures = open_store(settings), Failures()
    lines = _understood(store, file, failures)
    if not failures.code and not dry_run:
        for where, mailbox, changes in shown(lines, "mailboxes", len(lines)):
            try:
                _apply(store, mailbox, changes, replace=replace)
            except (SievemdaError, OSError) as error:
                failures.tell(error, where)
    click.get_current_context().exit(failures.code)


def _understood(store: MailStore, file: str, failures: Failures) -> list[_Line]:
    lines = []
    for text, where in names_in(file):
        try:
            name, *words = shlex.split(text)
            if not words or len(words) % 2:
                raise DataError("a line is NAME ID RIGHTS [ID RIGHTS]...")
            changes = list(zip(words[::2], words[1::2], strict=True))
            _check(store, changes)
            lines.append((where, existing(store, name), changes))
        except ValueError as error:
            failures.tell(DataError(f"not to be split into words: {error}"), where)
        except (SievemdaError, OSError) as error:
            failures.tell(error, where)
    return lines


def _check(store: MailStore, changes: list[tuple[str, str]]) -> None:
    from sievemda.policy.acl import Acl
    from sievemda.store.authority import check_grantee

    for identifier, rights in changes:
        who = store.namespace.identifier(identifier)
        check_grantee(store, who)
        Acl().changed(who, rights, store.settings.acl.deleteright)


def _apply(store: MailStore, mailbox: Mailbox, changes: list[tuple[str, str]], *, replace: bool) -> None:
    from sievemda.store.authority import Changes, change_entries

    wanted: Changes = changes
    if replace:
        named = {store.namespace.identifier(identifier) for identifier, _ in changes}
        wanted = [*((who, None) for who, _ in mailbox.acl().entries if who not in named), *changes]
    change_entries(store, mailbox, wanted, careful=False)
