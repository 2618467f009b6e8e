"""`sievemda mailbox create`: one mailbox, or those that a file names, with rights and a quota.

For whole users with folders there is `account create`. Each mailbox stands for itself: one that cannot be made is told,
and the others are made all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json, print_json_array
from sievemda.cli.progress import shown
from sievemda.cli.selection import names_in
from sievemda.config import Settings
from sievemda.errors import AlreadyExists, DataError, SievemdaError, UsageError

if TYPE_CHECKING:
    from sievemda.policy.quota import Limits
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

Changes = list[tuple[str, str | None]]


@click.command(epilog="Example: sievemda mailbox create user/alice/Junk --special-use '\\Junk'")
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--from-file", "file", metavar="FILE", default="", help="Names, one a line; - is standard input.")
@click.option("--partition", metavar="P", default="", help="Where it is to lie; else where the mailbox above it lies.")
@click.option("--special-use", metavar="USE", default="", help=r"What it is for: \Junk, \Sent, \Archive ...")
@click.option("--acl", metavar="ACL", default="", help="Rights on top of what it gets anyway: 'anyone p|bob lrs'.")
@click.option("--quota", default="", help="Makes it a quota root: 1G, a number of KiB, or 'STORAGE 10000 MESSAGE 50'.")
@click.option("--if-missing", is_flag=True, help="A mailbox that is there already is no mistake.")
@click.option("--json", "as_json", is_flag=True, help="Print what was made: a JSON object, or an array for several.")
@click.pass_obj
def create(
    settings: Settings,
    /,
    names: tuple[str, ...],
    file: str,
    partition: str,
    special_use: str,
    acl: str,
    quota: str,
    if_missing: bool,
    as_json: bool,
) -> int:
    """Make mailboxes; an INBOX is a user."""
    from sievemda.cli.account_csv import limits

    wanted = [(name, "") for name in names] + (list(names_in(file)) if file else [])
    if not wanted:
        raise UsageError("say which: NAME... or --from-file")
    store, failures = open_store(settings), Failures()
    maker = _Maker(store, partition, special_use, _changes(store, acl), limits(quota) if quota else None)
    rows = []
    for name, where in shown(wanted, "mailboxes", len(wanted)):
        try:
            rows.append(maker.make(name))
        except AlreadyExists as error:
            if not if_missing:
                failures.tell(error, where)
        except (SievemdaError, OSError) as error:
            failures.tell(error, where)
    if as_json and len(wanted) > 1:
        print_json_array(rows)
    elif as_json and rows:
        print_json(rows[0])
    return failures.code


class _Maker:
    def __init__(
        self, store: MailStore, partition: str, special_use: str, changes: Changes, limits: Limits | None
    ) -> None:
        self._store = store
        self._where = partition
        self._use = special_use
        self._changes = changes
        self._limits = limits

    def make(self, text: str) -> dict[str, Any]:
        """What was made. One that does not get its rights or its quota is taken away again."""
        store = self._store
        made = store.create(store.namespace.parse_admin(text), partition=self._where, special_use=self._use)
        try:
            self._furnish(made)
        except BaseException:
            store.delete(made.name)
            raise
        return {
            "name": store.namespace.format_admin(made.name),
            "partition": made.partition,
            "special_use": made.special_use,
        }

    def _furnish(self, made: Mailbox) -> None:
        from sievemda.store import rootlist
        from sievemda.store.authority import change_entries

        if self._changes:
            change_entries(self._store, made, self._changes, careful=False)
        if self._limits is not None:
            rootlist.set_limits(self._store, made.name, self._limits)


def _changes(store: MailStore, text: str) -> Changes:
    """`anyone p|bob lrs`; DataError."""
    from sievemda.policy.acl import parse_rights
    from sievemda.store.authority import check_grantee

    found: Changes = []
    for part in filter(None, map(str.strip, text.split("|"))):
        words = part.split()
        if len(words) != 2:
            raise DataError(f"{part[:80]!r} is no entry of an ACL: write IDENTIFIER RIGHTS")
        check_grantee(store, store.namespace.identifier(words[0]))
        parse_rights(words[1].lstrip("+-"))
        found.append((words[0], words[1]))
    return found
