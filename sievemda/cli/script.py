"""`sievemda script`: the Sieve scripts of users, as ManageSieve stores them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from sievemda.cli.lazy import LazyCommands
from sievemda.errors import DataError, NotFound
from sievemda.given import read_given

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.scripts.keeper import Keeper
    from sievemda.sieve.problems import Problem


@click.group(
    cls=LazyCommands,
    lazy={
        "diff": "script_history:diff",
        "history": "script_history:history",
        "try": "script_try:try_",
        "undo": "script_history:undo",
    },
    epilog="Example: sievemda script put alice main alice.sieve",
)
def script() -> None:
    """Sieve scripts of users: store, activate, look at, take back.

    In place of a USER, /global, /before and /after are the administrator's own, in sieve_global, sieve_before and
    sieve_after.
    """


@script.command(epilog="Example: sievemda script put alice main alice.sieve")
@click.argument("user")
@click.argument("name")
@click.argument("file", default="-")
@click.pass_obj
def put(settings: Settings, user: str, name: str, file: str) -> None:
    """Store FILE (or standard input) as script NAME of USER, inactive unless it replaces the active one.

    A script with mistakes is not stored; they are listed as FILE:LINE:COLUMN: error: TEXT.
    """
    from sievemda.store.script_names import check_name

    keeper = keeper_for(settings, user)
    check_name(name)
    text = read_script(file)
    limit = settings.sieve.script_limit
    if len(text) > limit:
        raise DataError(f"{file}: larger than {limit} octets (sieve_maxscriptsize)")
    problems = problems_of(settings, keeper, text)
    for problem in problems:
        hint = f" ({problem.hint})" if problem.hint else ""
        click.echo(f"{file}:{problem}{hint}", err=True)
    if any(problem.severity == "error" for problem in problems):
        raise DataError(f"{file}: not stored")
    keeper.put(name, text, max_scripts=settings.sieve.sieve_maxscripts)


@script.command(epilog="Example: sievemda script activate alice main")
@click.argument("user")
@click.argument("name")
@click.pass_obj
def activate(settings: Settings, user: str, name: str) -> None:
    """Make NAME the script that mail for USER runs through, in place of the one before.

    Where the site has slots for several (sieve_active_slots), it takes the place of the one in its slot.
    """
    keeper_for(settings, user).activate(name)


@script.command(epilog="Example: sievemda script deactivate alice")
@click.argument("user")
@click.argument("name", required=False, default="")
@click.pass_obj
def deactivate(settings: Settings, user: str, name: str) -> None:
    """Let mail for USER run through no script; with NAME, of several active ones only not through this."""
    keeper = keeper_for(settings, user)
    if name and keeper.store.called(name) not in keeper.known().active:
        raise NotFound(f"no script {name} of {user} is active")
    keeper.deactivate(keeper.store.called(name) if name else "")


@script.command("list", epilog="Example: sievemda script list alice")
@click.argument("user")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@click.pass_obj
def list_(settings: Settings, user: str, as_json: bool) -> None:
    """List the scripts of USER, one a line; ACTIVE stands behind the active one."""
    keeper = keeper_for(settings, user)
    keeper.look()
    found = keeper.store.list()
    if as_json:
        click.echo(json.dumps([{"name": s.name, "active": s.active} for s in found], indent=2))
        return
    for s in found:
        click.echo(f"{s.name} ACTIVE" if s.active else s.name)


@script.command(epilog="Example: sievemda script get alice main > main.sieve")
@click.argument("user")
@click.argument("name")
@click.option("--version", "version", metavar="VERSION", help="As it was after this one of `script history`.")
@click.pass_obj
def get(settings: Settings, user: str, name: str, version: str | None) -> None:
    """Print script NAME of USER as it was stored, or as it once was."""
    keeper = keeper_for(settings, user)
    text = keeper.store.get(name) if version is None else _former(keeper, name, version)
    sys.stdout.flush()
    sys.stdout.buffer.write(text)


@script.command(epilog="Example: sievemda script delete alice old")
@click.argument("user")
@click.argument("name")
@click.pass_obj
def delete(settings: Settings, user: str, name: str) -> None:
    """Delete script NAME of USER; the active one must be deactivated first."""
    keeper_for(settings, user).delete(name)


@script.command(epilog="Example: sievemda script rename alice main holidays")
@click.argument("user")
@click.argument("old")
@click.argument("new")
@click.pass_obj
def rename(settings: Settings, user: str, old: str, new: str) -> None:
    """Rename script OLD of USER to NEW; an active script stays active."""
    keeper_for(settings, user).rename(old, new)


def keeper_for(settings: Settings, user: str, via: str = "command") -> Keeper:
    """The scripts of a user, or of a repository, for whoever started this program. NotFound."""
    from sievemda.auth.names import canonical_user
    from sievemda.scripts.opening import keeper_of, on_command_line, open_versions
    from sievemda.scripts.repositories import is_repository
    from sievemda.store.mailstore import MailStore

    store = MailStore(settings)
    userid = user if is_repository(user) else canonical_user(user, settings.site)
    if not is_repository(user) and not store.user_exists(userid):
        store.layout.check_there()
        raise NotFound(f"there is no user {user}")
    return keeper_of(settings, store, open_versions(settings), userid, on_command_line(via))


def problems_of(settings: Settings, keeper: Keeper, text: bytes) -> tuple[Problem, ...]:
    """What is wrong with a script, by what its owner may use and has."""
    from sievemda.language import language_extensions, language_limits, trusted_extensions
    from sievemda.managesieve.knowledge import known_of
    from sievemda.managesieve.library import Repository
    from sievemda.scripts.repositories import is_repository
    from sievemda.sieve.check import check_script
    from sievemda.store.mailstore import MailStore

    limits, library = language_limits(settings), Repository(settings, keeper.userid, keeper.store)
    if is_repository(keeper.userid):
        return check_script(text, limits, trusted_extensions(settings), library)
    known = known_of(settings, MailStore(settings), keeper.userid)
    return check_script(text, limits, language_extensions(settings), library, known)


def _former(keeper: Keeper, name: str, version: str) -> bytes:
    from sievemda.scripts.undo import parse_version, text_after

    number, versions = parse_version(version), keeper.history()
    this = next((each for each in versions if each.number == number), None)
    if this is None:
        raise NotFound(f"there is no version {number}")
    if this.script == name and this.status != "done":
        digest: str | None = this.digest  # it was never stored, and is kept all the same
    else:
        now, _ = keeper.known().scripts.get(name, ("", ""))
        digest = text_after([each for each in versions if each.status == "done"], name, number, now)
        if digest == "" and this.action == "delete" and this.script == name:
            digest = this.before
    text = keeper.text(digest or "")
    if text is None:
        raise NotFound(f"there was no script {name} at version {number}, or its text is not kept any more")
    return text


def read_script(file: str) -> bytes:
    """The text in a file; `-` is standard input. DataError."""
    try:
        return sys.stdin.buffer.read() if file == "-" else read_given(file)
    except OSError as e:
        raise DataError(f"{file}: {e.strerror}") from e
