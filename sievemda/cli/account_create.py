"""`sievemda account create`: one account, or a list of ten thousand.

Each account is there as a whole or not at all, and what is there already is passed over: a list that was interrupted,
or had mistakes in it, is gone through again with the same command.

Why passwords come hashed in a long list: hashing is meant to take time, some fifty milliseconds each, so that ten
thousand take ten minutes; and a file of passwords is a danger to everybody in it.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.account_csv import Line, Reader, lines, told
from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json
from sievemda.cli.progress import shown
from sievemda.config import Settings
from sievemda.errors import AlreadyExists, DataError, SievemdaError, UsageError

if TYPE_CHECKING:
    from sievemda.auth.users import Users
    from sievemda.store.accounts import Account
    from sievemda.store.mailstore import MailStore


@click.command(epilog="Example: sievemda account create --csv staff.csv --quota 1G --folders 'Sent \\Sent|Junk \\Junk'")
@click.argument("users", metavar="[USER]...", nargs=-1)
@click.option("--csv", "file", metavar="FILE", default="", help="A line for each account; - is standard input.")
@click.option("--folders", default="", help=r"Folders of each account: 'Sent \Sent|Junk \Junk|Lists/Work'.")
@click.option("--quota", default="", help="1G, a number of KiB, or 'STORAGE 1048576 MESSAGE 5000'.")
@click.option("--acl", default="", help="Who else may do what: 'Junk anyone p|INBOX bob lrs'.")
@click.option("--partition", metavar="P", default="", help="Where they are to lie.")
@click.option("--script", metavar="FILE", default="", help="Sieve script that becomes the active one.")
@click.option("--password-stdin", is_flag=True, help="Password of the one USER: the first line of standard input.")
@click.option("--update", is_flag=True, help="Accounts that are there get what they lack, and the rest as given.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done, and every mistake.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as one JSON object.")
@click.pass_obj
def create(
    settings: Settings,
    /,
    users: tuple[str, ...],
    file: str,
    password_stdin: bool,
    update: bool,
    dry_run: bool,
    as_json: bool,
    **defaults: str,
) -> int:
    r"""Make accounts: INBOX, folders, quota, rights, script and password of each, as a whole or not at all.

    The first line of the CSV names its columns, of user, password, folders, quota, acl, partition and script; the
    options hold where a line says nothing. A password may be hashed: {SCRAM-SHA-256}..., {ARGON2ID}$argon2id$...;
    {PLAIN} or nothing in front says that it is not.
    """
    if bool(users) == bool(file):
        raise UsageError("say which: USER..., or --csv FILE")
    if password_stdin and len(users) != 1:
        raise UsageError("--password-stdin is for one USER")
    store = open_store(settings)
    base = Path(file).absolute().parent if file and file != "-" else Path.cwd()
    if defaults["script"]:
        defaults["script"] = str(Path(defaults["script"]).absolute())
    batch = _Batch(settings, store, Reader(settings, store, defaults, base), update=update, dry_run=dry_run)
    if file:
        where = "standard input" if file == "-" else file
        for line in shown(lines(file), "accounts"):
            batch.take(line, f"{where}:{line.number}")
    else:
        password = _password() if password_stdin else ""
        for user in users:
            batch.take(Line(0, {"user": user, "password": password}), "")
    batch.tell(as_json=as_json, quiet=bool(users) and len(users) == 1)
    if users and len(users) == 1 and batch.counts["skipped"]:
        raise AlreadyExists(f"user {users[0]} is there already (--update gives him what he lacks)")
    return batch.failures.code


def _password() -> str:
    from sievemda.cli.account import read_password

    return read_password()


@dataclass
class _Batch:
    settings: Settings
    store: MailStore
    reader: Reader
    update: bool
    dry_run: bool
    failures: Failures = field(default_factory=Failures)
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[dict[str, Any]] = field(default_factory=list)
    _seen: dict[str, int] = field(default_factory=dict)

    def take(self, line: Line, where: str) -> None:
        """Do what a line says, or tell why not; the next one is not concerned."""
        try:
            if line.fault:
                raise DataError(line.fault)
            self.counts[self._done(line)] += 1
        except (SievemdaError, OSError) as error:
            self.failures.tell(error, where)
            self.failed.append({"line": line.number, "user": line.values.get("user", ""), "error": told(error)})

    def _done(self, line: Line) -> str:
        from sievemda.store import accounts

        account = self.reader.account(line.values)
        if earlier := self._seen.get(account.userid):
            raise DataError(f"user {account.userid} stands in line {earlier} already")
        self._seen[account.userid] = line.number
        credentials = self._credentials(line.values.get("password", ""))
        there = self.store.user_exists(account.userid)
        if there and not self.update:
            return "skipped"
        if self.dry_run:
            return "updated" if there else "made"
        if there:
            from sievemda.scripts.opening import noted

            with noted(self.settings, self.store, account.userid, "account"):
                accounts.furnish(self.store, account)
            self._keep(account, credentials)
            return "updated"
        return self._make(account, credentials)

    def _make(self, account: Account, credentials: dict[str, str]) -> str:
        """The password first: the account is there when its home is, and then it is whole."""
        from sievemda.store import accounts

        before = self._users.kept(account.userid) if credentials else {}
        self._keep(account, credentials)
        try:
            accounts.make(self.store, account)
        except BaseException as error:
            if credentials and not self.store.user_exists(account.userid):
                self._users.keep(account.userid, before)
            if isinstance(error, AlreadyExists):
                return "skipped"
            raise
        if account.script is not None:
            from sievemda.scripts.opening import arrived

            arrived(self.settings, self.store, account.userid, "account")
        return "made"

    def _credentials(self, password: str) -> dict[str, str]:
        if not password:
            return {}
        from sievemda.auth.hashes import hashed
        from sievemda.auth.hashes import plain as in_plain_text
        from sievemda.auth.passwords import credentials_for, usable

        kept = hashed(password)
        if kept is not None:
            return kept
        plain = usable(in_plain_text(password))
        return {} if self.dry_run else credentials_for(plain)

    def _keep(self, account: Account, credentials: dict[str, str]) -> None:
        if credentials:
            self._users.keep(account.userid, credentials)

    @property
    def _users(self) -> Users:
        from sievemda.cli.account import users_of

        return users_of(self.settings)

    def tell(self, *, as_json: bool, quiet: bool) -> None:
        counts = {what: self.counts[what] for what in ("made", "updated", "skipped")}
        if as_json:
            print_json(counts | {"failed": self.failed})
        elif not quiet or self.dry_run:
            words = [f"{number} {what}" for what, number in (counts | {"failed": len(self.failed)}).items() if number]
            print(", ".join(words) or "nothing to do", *["(dry run)"] * self.dry_run, file=sys.stderr)
