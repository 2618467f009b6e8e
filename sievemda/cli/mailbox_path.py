"""`sievemda mailbox path`: where what belongs to a mailbox lies, and whose a path is. Options as mbpath has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json_array
from sievemda.cli.selection import names_in
from sievemda.config import Settings
from sievemda.errors import DataError, SievemdaError, UsageError, exit_code

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

_SHOWN = ("data", "meta", "sieve", "home", "stage", "partition", "hash")


@click.command(epilog="Example: sievemda mailbox path --all user/alice/Lists")
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--all", "-a", "all_", is_flag=True, help="Everything, a line `Title: value` each.")
@click.option(
    "--data", "-D", is_flag=True, help="The directory of the messages; this is what is shown without options."
)
@click.option("--meta", "-M", is_flag=True, help="The directory of ACL, keywords, id: the same one.")
@click.option("--sieve", "-S", is_flag=True, help="The directory of the owner's scripts, or the global one.")
@click.option("--home", "-U", is_flag=True, help="The home of the owner.")
@click.option("--stage", is_flag=True, help="Where messages for it are written before they are in place.")
@click.option("--partition", is_flag=True, help="The partition.")
@click.option("--hash", "hash_", is_flag=True, help="The directory in front of `user` with hashimapspool.")
@click.option("--json", "-j", "as_json", is_flag=True, help="One JSON array of objects with everything.")
@click.option("--user", "-u", "users", is_flag=True, help="NAME is a user: his INBOX is meant.")
@click.option("--path", "-p", "paths", is_flag=True, help="NAME is a path: show the name of the mailbox that has it.")
@click.option("--from-file", "file", metavar="FILE", default="", help="Names, one a line; - is standard input.")
@click.option("--local", "-l", is_flag=True, help="Only what is on this machine; there is nothing else.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing of names that are unknown; the exit code does.")
@click.option("--stop", "-s", is_flag=True, help="Stop at the first unknown one.")
@click.pass_obj
def path(
    settings: Settings,
    /,
    names: tuple[str, ...],
    users: bool,
    paths: bool,
    file: str,
    all_: bool,
    quiet: bool,
    stop: bool,
    as_json: bool,
    **wanted: bool,
) -> int:
    """Show the directory of each mailbox, one a line. An unknown one is told, and the exit code is 65."""
    if users and paths:
        raise UsageError("--user and --path: a NAME is one of them")
    asked = [(name, "") for name in names] + (list(names_in(file)) if file else [])
    if not asked:
        raise UsageError("say which: NAME... or --from-file")
    store, failures = open_store(settings), Failures()
    found = _found(store, asked, failures, users=users, paths=paths, quiet=quiet, stop=stop)
    rows = (
        {"name": store.namespace.format_admin(mailbox.name)} | _places(settings, store, mailbox) for mailbox in found
    )
    if as_json:
        print_json_array(rows)
        return failures.code
    shown = [key for key in _SHOWN if wanted.get("hash_" if key == "hash" else key)] or ["data"]
    for row in rows:
        if all_:
            print(f"Name: {row['name']}", *(f"{key.capitalize()}: {row[key] or '-'}" for key in _SHOWN), sep="\n")
        elif paths:
            print(row["name"])
        else:
            print(*(row[key] or "-" for key in shown), sep="\n")
    return failures.code


def _found(
    store: MailStore,
    asked: list[tuple[str, str]],
    failures: Failures,
    *,
    users: bool,
    paths: bool,
    quiet: bool,
    stop: bool,
) -> Iterator[Mailbox]:
    for text, where in asked:
        try:
            yield _one(store, text, users=users, paths=paths)
        except (SievemdaError, OSError) as error:
            if quiet:
                failures.code = failures.code or exit_code(error)
            else:
                failures.tell(error, where)
            if stop:
                return


def _one(store: MailStore, text: str, *, users: bool, paths: bool) -> Mailbox:
    from sievemda.store.names import MailboxName

    if paths:
        found = owner_of(store, Path(text))
        if found is None:
            raise DataError(f"no mailbox has the path {text[:500]}")
        return found
    name = MailboxName(store.namespace.userid(text)) if users else store.namespace.parse_admin(text)
    found = store.find(name)
    if found is None:
        raise DataError(f"no {'user' if users else 'mailbox'} {text}")
    return found


def _places(settings: Settings, store: MailStore, mailbox: Mailbox) -> dict[str, str]:
    from sievemda.store.scripts import FOLDER

    owner, sieve, home = mailbox.name.owner, None, None
    if owner is not None:
        home = mailbox.tree.root.parent if settings.store.mail_home == "" else store.home(owner)
        sieve = home / FOLDER
    elif settings.sieve.sieve_global:
        sieve = settings.place(settings.sieve.sieve_global, f"shared@{mailbox.name.domain or settings.domain}")
    hashed = home is not None and settings.store.hashimapspool and not settings.store.mail_home
    return {
        "data": str(mailbox.path),
        "meta": str(mailbox.path),
        "sieve": str(sieve or ""),
        "home": str(home or ""),
        "stage": str(store.layout.stage(mailbox.partition)),
        "partition": mailbox.partition,
        "hash": home.parent.parent.name if home is not None and hashed else "",
    }


def owner_of(store: MailStore, path: Path) -> Mailbox | None:
    """The mailbox to which a directory or a file belongs; that of a home is the INBOX."""
    try:
        place = path.absolute().resolve()
    except (OSError, ValueError, RuntimeError):
        return None
    around = [place, *place.parents]
    for owner, domain, roots in _trees(store, place):
        if any(root in around for root in roots):
            found = {mailbox.path.resolve(): mailbox for mailbox in store.mailboxes_of(owner, domain)}
            return next((found[each] for each in around if each in found), None) or _of_home(store, owner, place)
    return None


def _of_home(store: MailStore, owner: str | None, place: Path) -> Mailbox | None:
    from sievemda.store.names import MailboxName

    inbox = store.find(MailboxName(owner)) if owner is not None else None
    return inbox if inbox and inbox.path.parent.resolve() == place else None


def _trees(store: MailStore, place: Path) -> Iterator[tuple[str | None, str, list[Path]]]:
    """Whose a path might be: user, domain of shared folders, and below which directories all of theirs lies."""
    for domain in store.layout.domains():
        yield None, domain, [tree.root.resolve() for tree in store.layout.shared(domain)]
    for userid in store.layout.users():
        local = userid.partition("@")[0]
        if local in place.parts or userid in place.parts or store.settings.store.mail_home:
            yield userid, "", [home.resolve() for _, home in store.layout.homes(userid)]
