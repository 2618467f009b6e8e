"""`sievemda import imap`: the folders of accounts on an IMAP server."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json
from sievemda.cli.progress import shown
from sievemda.cli.seconds import Seconds
from sievemda.config import Settings
from sievemda.errors import DataError, NotFound, SievemdaError, UsageError

if TYPE_CHECKING:
    from sievemda.upkeep.importing.imap.account import Account, Choice
    from sievemda.upkeep.importing.imap.connection import Login, Server
    from sievemda.upkeep.importing.places import Places

PASSWORD = "SIEVEMDA_IMPORT_PASSWORD"  # noqa: S105 - the name of a variable
_SCHEMES = ("imap", "imaps")
_MAX_PASSWORD = 1000  # octets
_URL = re.compile(r"([a-z]+)://(?:([^/]*)@)?(\[[0-9A-Fa-f:.]+\]|[^/@:\[\]]+)(?::([0-9]{1,5}))?(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """An IMAP URL (RFC 5092 §3) as far as it matters here."""

    user: str
    host: str
    port: int
    folder: str
    tls: bool

    @classmethod
    def parse(cls, text: str) -> Address:
        match = _URL.fullmatch(text)
        if match is None or match[1] not in _SCHEMES:
            raise UsageError(f"{text[:200]!r} is no address: write imaps://USER@HOST[:PORT][/FOLDER]")
        user = unquote((match[2] or "").partition(";")[0])
        if ":" in (match[2] or ""):
            raise UsageError("no password in an address, where everybody on this host can see it: --password-file")
        if match[4] and not 0 < int(match[4]) < 65536:
            raise UsageError(f"{match[4]} is no port")
        folder = unquote((match[5] or "").partition(";")[0]).strip("/")
        return cls(user, match[3].strip("[]"), int(match[4] or 0), folder, match[1] == "imaps")


def _day(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> date | None:
    try:
        return None if value is None else date.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no day: write 2024-12-31") from error


def _maps(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    for value in values:
        if "=" not in value.strip("="):
            raise click.BadParameter(f"{value!r} is not OLD=NEW")
    return tuple((value.partition("=")[0].strip("/"), value.partition("=")[2].strip("/")) for value in values)


@click.command("imap", epilog="Example: sievemda import imap imaps://alice@old.example.org --password-file alice.pw")
@click.argument("address", metavar="imap[s]://[USER@]HOST[:PORT][/FOLDER]")
@click.argument("mailbox", required=False, default="")
@click.option("--password-file", "file", metavar="FILE", help=f"Its first line; else ${PASSWORD}, or standard input.")
@click.option("--accounts", metavar="FILE", help="Many accounts: CSV with the columns user, password and mailbox.")
@click.option("--admin-user", "admin", metavar="ADMIN", default="", help="Log in as ADMIN on behalf of each user.")
@click.option("--tls/--no-tls", default=None, help="TLS from the beginning, as with imaps; or none at all.")
@click.option("--starttls", is_flag=True, help="Insist on STARTTLS (as is done anyway, but to this host itself).")
@click.option("--ca-file", metavar="FILE", help="Certificates to trust in place of the system's.")
@click.option("--insecure", is_flag=True, help="Take any certificate.")
@click.option(
    "--folders", "only", metavar="PATTERN", multiple=True, help="Only these; * and % as in LIST, levels by /."
)
@click.option("--exclude", "without", metavar="PATTERN", multiple=True, help="All but these.")
@click.option("--map", "maps", metavar="OLD=NEW", multiple=True, callback=_maps, help="Call a folder something else.")
@click.option("--since", metavar="DAY", callback=_day, help="Only what arrived on that day or later: 2024-12-31.")
@click.option("--expunge", is_flag=True, help="Remove what was expunged there, but for copies that were touched here.")
@click.option("--acl", is_flag=True, help="Bring the rights along, too.")
@click.option("--quota", is_flag=True, help="Bring the limits along, where there are none here.")
@click.option("--ignore-quota", is_flag=True, help="Take in more than the limits here allow.")
@click.option("--timeout", type=Seconds(1, 3600), default=120, help="Seconds to wait for the server (120).")
@click.option("--max-size", type=click.IntRange(1), default=1 << 30, help="Octets of the largest message to take.")
@click.option("-n", "--dry-run", is_flag=True, help="Tell what would come.")
@click.option("--json", "as_json", is_flag=True, help="Print what has come as one JSON object.")
@click.pass_obj
def imap(settings: Settings, /, address: str, mailbox: str, **options: Any) -> int:
    """Bring all folders of an account on an IMAP server, with flags, keywords, dates and subscriptions.

    They go to user/USER, or to MAILBOX and below it; with a FOLDER that one alone goes into MAILBOX. Nothing changes on
    the server. A second run brings what is new, and flags that changed there: import, send new mail here, import again.
    """
    from sievemda.upkeep.importing.places import Places

    where = Address.parse(address)
    server, choice = _server(where, options), _choice(where, options)
    places = Places(open_store(settings), dry_run=choice.dry_run)
    job = _Job(places, server, choice, where.folder)
    for login, target in _logins(where, mailbox, options):
        job.run(login, target)
    return job.tell(as_json=options["as_json"])


class _Job:
    """Accounts, one after the other."""

    def __init__(self, places: Places, server: Server, choice: Choice, folder: str) -> None:
        self._places = places
        self._server = server
        self._choice = choice
        self._folder = folder
        self._failures = Failures()
        self._faults: list[dict[str, str]] = []
        self._done: list[tuple[Login, Account]] = []

    def run(self, login: Login, target: str) -> None:
        from sievemda.upkeep.importing.imap.account import Account
        from sievemda.upkeep.importing.imap.connection import check_login

        def tell(error: SievemdaError, about: str) -> None:
            self._failures.tell(error, f"{login.user}: {about}")
            self._faults.append({"user": login.user, "about": about, "error": str(error)})

        try:
            check_login(login)
            text = target or self._default(login.user)
            name = self._places.name(text)
            if name.owner is None and self._places.store.find(name) is None:
                raise NotFound(f"there is no shared folder {text}; the INBOX of a user is user/NAME")
            account = Account(self._places, self._server, login, name, self._choice, tell)
            self._done.append((login, account))
            for _ in shown(account.run(), f"{login.user}: messages"):
                pass
        except (SievemdaError, OSError) as error:
            self._failures.tell(error, login.user)
            self._faults.append({"user": login.user, "about": "", "error": str(error)})

    def _default(self, user: str) -> str:
        """The user of that name here; of `user*master` the user, without a domain where there are none."""
        name = user.partition("*")[0]
        namespace = self._places.store.namespace
        if not namespace.virtual:
            name = name.partition("@")[0]
        path = [self._folder] if self._folder and self._folder.upper() != "INBOX" else []
        from sievemda.store.names import MailboxName

        return namespace.format_admin(
            MailboxName(namespace.userid(name), tuple("/".join(path).split("/") if path else ()))
        )

    def tell(self, *, as_json: bool) -> int:
        if as_json:
            print_json(
                {
                    "accounts": [
                        {
                            "user": login.user,
                            "folders": [taken.shown() for taken in account.taken],
                            "renamed": account.renamed,
                        }
                        for login, account in self._done
                    ],
                    "made": self._places.made,
                    "failed": self._faults,
                }
            )
            return self._failures.code
        for login, account in self._done:
            for line in _lines(login, account, dry_run=self._choice.dry_run):
                click.echo(line)
        return self._failures.code


def _lines(login: Login, account: Account, *, dry_run: bool) -> Iterator[str]:
    from sievemda.cli.complaints import one_line

    verb = "would come" if dry_run else "came"
    for taken in account.taken:
        parts = [f"{taken.added} {verb}", f"{taken.there} there already"]
        parts += taken.followed()
        parts += [f"{taken.failed} FAILED"] * bool(taken.failed)
        parts += [f"no room for keyword {name} of {count} messages" for name, count in taken.lost.items()]
        yield one_line(f"{taken.folder} -> {taken.mailbox}: {', '.join(parts)}")
    for old, new in account.renamed.items():
        yield one_line(f"{old} is called {new} here")
    yield f"{login.user}: {sum(taken.added for taken in account.taken)} messages {verb}"


def _choice(where: Address, options: dict[str, Any]) -> Choice:
    from sievemda.upkeep.importing.imap.account import Choice

    if where.folder and options["only"]:
        raise UsageError("either a folder in the address or --folders")
    if options["since"] and options["expunge"]:
        raise UsageError("--expunge must see all messages: not with --since")
    keys = ("without", "maps", "since", "acl", "quota", "ignore_quota", "dry_run", "expunge")
    only = (where.folder,) if where.folder else options["only"]
    return Choice(only=only, **{key: options[key] for key in keys})


def _server(where: Address, options: dict[str, Any]) -> Server:
    from sievemda.upkeep.importing.imap.connection import Server

    tls = "tls" if where.tls or options["tls"] else "starttls" if options["starttls"] else ""
    if options["tls"] is False:
        if tls:
            raise UsageError("either TLS or --no-tls")
        tls = "none"
    trusted = _trusted(options["ca_file"], insecure=options["insecure"])
    return Server(where.host, where.port, tls, trusted, options["timeout"], options["max_size"])


def _trusted(file: str | None, *, insecure: bool) -> Any:
    if not (file or insecure):
        return None
    import ssl

    from sievemda.given import open_given

    try:
        if file:
            open_given(file).close()
        context = ssl.create_default_context(cafile=file)
    except OSError as error:
        raise DataError(f"{file}: {error.strerror or error}") from error
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


# -- who ---------------------------------------------------------------------------------------------------------------


def _logins(where: Address, mailbox: str, options: dict[str, Any]) -> Iterator[tuple[Login, str]]:
    from sievemda.upkeep.importing.imap.connection import Login

    if options["accounts"]:
        if where.user or mailbox:
            raise UsageError("either --accounts, or a user in the address and MAILBOX")
        yield from _listed(options, options["admin"])
        return
    if not where.user:
        raise UsageError("say whose account: imaps://USER@HOST, or --accounts")
    yield Login(where.user, password_for(options["file"]), options["admin"]), mailbox


def _listed(options: dict[str, Any], admin: str) -> Iterator[tuple[Login, str]]:
    """The accounts of a CSV file; without a column of passwords there is one for all, an administrator's."""
    import csv
    import io

    from sievemda.given import read_given
    from sievemda.upkeep.importing.imap.connection import Login

    file = options["accounts"]
    try:
        text = (sys.stdin.buffer.read() if file == "-" else read_given(file)).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: {getattr(error, 'strerror', None) or error}") from error
    if rows and "user" not in rows[0]:
        raise DataError(f"{file}: the first line must name the columns user, password and mailbox")
    ask: Callable[[], str] = lambda: ""  # noqa: E731
    if rows and "password" not in rows[0]:
        common = password_for(options["file"])
        ask = lambda: common  # noqa: E731
    for row in rows:
        if row["user"]:
            yield Login(row["user"].strip(), row.get("password") or ask(), admin), (row.get("mailbox") or "").strip()


def password_for(file: str | None) -> str:
    """DataError when there is none."""
    from sievemda.given import open_given

    try:
        if file:
            with open_given(file) as stream:
                line = stream.readline(_MAX_PASSWORD)
        elif found := os.environ.get(PASSWORD):
            line = found.encode("utf-8", "surrogateescape")
        elif sys.stdin.isatty():
            return str(click.prompt("Password", hide_input=True, err=True))
        else:
            line = sys.stdin.buffer.readline(_MAX_PASSWORD)
        password = line.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise DataError(f"{file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError("the password is not UTF-8") from error
    if not password:
        raise UsageError(f"no password: --password-file, ${PASSWORD}, or the first line of standard input")
    return password
