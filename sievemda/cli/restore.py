"""`sievemda restore`: what archives have back into the store, or told."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.backup_watch import Watch, each_told, moment, sized
from sievemda.cli.mailbox import open_store, print_json
from sievemda.config import Settings
from sievemda.errors import ConfigurationError, DataError, NotFound, UsageError

if TYPE_CHECKING:
    from typing import BinaryIO

    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.backup.restoring import Result


@click.command(epilog="Example: sievemda restore alice.tar.gz user/alice/Lists --into user/alice/Restored")
@click.argument("source", metavar="SOURCE")
@click.argument("words", metavar="[NAME]...", nargs=-1)
@click.option("--user", "users", metavar="USER", multiple=True, help="All of a user; may be repeated.")
@click.option("--at", metavar="WHEN", default="", help="As it was then: 2026-11-22T13:00, or 7d for a week ago.")
@click.option("--base", "bases", metavar="ARCHIVE", multiple=True, help="What SOURCE builds on, if it is elsewhere.")
@click.option("--map", "rules", metavar="OLD=NEW", multiple=True, help="Another name, for all below it, too.")
@click.option("--map-file", metavar="FILE", default="", help="Such pairs, one a line; - is standard input.")
@click.option("--into", metavar="NAME", default="", help="Everything below this mailbox, which is made if needed.")
@click.option("--list", "listing", is_flag=True, help="Restore nothing, and say what there is.")
@click.option("--dry-run", "-n", is_flag=True, help="Change nothing, and say what would be done.")
@click.option("--no-acl", is_flag=True, help="New mailboxes get the rights of those above them.")
@click.option("--settings", "with_settings", is_flag=True, help="Rights, quota, scripts of what is there already, too.")
@click.option("--ignore-quota", is_flag=True, help="Restore messages for which a quota has no room.")
@click.option("--json", "as_json", is_flag=True, help="What was done as JSON.")
@click.option("--verbose", "-v", is_flag=True, help="With --list each message; else each that is missing.")
@click.pass_context
def restore(context: click.Context, /, source: str, words: tuple[str, ...], listing: bool, **how: Any) -> int:
    """Bring back what `backup` has written; messages that are there already are skipped.

    SOURCE is an archive, a directory of them (the last full one counts, with the incremental ones that build on it),
    or - for standard input. NAME is a mailbox with all below it, or a pattern, as it is called in the archive. Exit
    code 65: something of the archive is damaged or missing, and what is whole came back; 67: it has no such mailbox;
    75: a limit or a lock is in the way, run it again.
    """
    from sievemda.upkeep.backup.choosing import Chosen
    from sievemda.upkeep.backup.mapping import spellings

    if not source:
        raise UsageError("SOURCE is empty")
    store = open_store(_settings(context, needed=not listing))
    chosen = Chosen(spellings(store.settings), words, how["users"])
    at = moment(how["at"]) if how["at"] else None
    watch = Watch("restore", verbose=how["verbose"])
    if listing:
        from sievemda.cli.restore_list import listed

        return listed(store, source, chosen, at, watch, verbose=how["verbose"], as_json=how["as_json"])
    with ExitStack() as opened:
        archives, complete = _opened(source, at, how["bases"], opened, watch)
        result = _restored(store, archives, chosen, watch, how)
    watch.done()
    if not (result.matched or result.damaged) and (words or how["users"]):
        raise NotFound(f"no such mailbox in {source}: restore --list shows which are")
    return _tell(result, watch, complete=complete, how=how)


def _settings(context: click.Context, *, needed: bool) -> Settings:
    """To list what is in an archive those that anybody has will do."""
    try:
        settings: Settings = context.meta["sievemda.load"]()
    except ConfigurationError:
        if needed or context.find_root().params["file"] or context.find_root().params["data"]:
            raise
        return Settings()
    return settings


def _opened(
    source: str, at: float | None, bases: tuple[str, ...], opened: ExitStack, watch: Watch
) -> tuple[list[tuple[BinaryIO, str]], bool]:
    """The archives of a chain with their names, and whether none is missing."""
    from sievemda.given import open_given
    from sievemda.upkeep.backup import archives

    if source == "-":
        if at is not None or bases:
            raise UsageError("standard input has one archive: --at and --base are for files")
        return [(sys.stdin.buffer, "standard input")], True
    chain, missing, others = archives.chosen_chain(Path(source), at, [Path(base) for base in bases])
    if missing:
        watch.note(f"{chain[0].path} builds on archive {missing}, which is not beside it: what that has is missing")
    for other in others:
        scope = " ".join(other.head.scope) or "everything"
        watch.note(f"{other.path} is of something else ({scope}), and is not read")
    found = [(opened.enter_context(open_given(archive.path)), str(archive.path)) for archive in chain]
    return found, not missing


def _restored(
    store: MailStore, archives: list[tuple[BinaryIO, str]], chosen: Any, watch: Watch, how: dict[str, Any]
) -> Result:
    from sievemda.cli.selection import names_in
    from sievemda.upkeep.backup.mapping import Renaming
    from sievemda.upkeep.backup.placing import Manner
    from sievemda.upkeep.backup.restoring import restore as put_back

    rules = [*how["rules"], *(text for text, _ in (names_in(how["map_file"]) if how["map_file"] else ()))]
    renaming = Renaming(store.settings, rules, how["into"])
    manner = Manner(
        acl=not how["no_acl"],
        dry_run=how["dry_run"],
        settings=how["with_settings"],
        ignore_quota=how["ignore_quota"],
    )
    return put_back(store, archives, chosen, renaming, manner, watch)


def _tell(result: Result, watch: Watch, *, complete: bool, how: dict[str, Any]) -> int:
    """What was done; 65 when something of the archive could not be read."""
    damaged = result.damaged or not complete or bool(result.earlier)
    if damaged:
        each_told(
            [f"{name}: it is missing" for name in result.missing], result.missed, watch.note, verbose=how["verbose"]
        )
    if result.lost_keywords:
        watch.note(f"no room for keywords: {' '.join(sorted(result.lost_keywords))[:400]}")
    if how["as_json"]:
        print_json(
            {
                "restored": result.restored,
                "skipped": result.skipped,
                "octets": result.octets,
                "made": result.made,
                "missing": result.missed if damaged else 0,
                "earlier": result.earlier,
                "damaged": damaged,
                "failed": watch.failures.number,
            }
        )
    else:
        would = "would be " if how["dry_run"] else ""
        line = (
            f"{result.restored} messages ({sized(result.octets)}) {would}restored, {result.skipped} were there already"
        )
        print(f"{line}, {len(result.made)} mailboxes {would}made")
        if result.earlier:
            watch.note(f"{result.earlier} messages are in an earlier archive, on which this one builds")
    return watch.failures.code or (DataError.exit_code if damaged else 0)
