"""`sievemda backup`: mailboxes into an archive, full or with what is new; and whether an archive is whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.backup_watch import Watch, moment, sized
from sievemda.cli.mailbox import open_store, print_json
from sievemda.cli.main import discard
from sievemda.cli.terminal import is_terminal
from sievemda.config import Settings
from sievemda.errors import DataError, NotFound, SievemdaError, StoreTrouble, UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.backup.archives import Target
    from sievemda.upkeep.backup.base import Base
    from sievemda.upkeep.backup.choosing import Chosen, ChosenTree
    from sievemda.upkeep.backup.entries import Head, Totals


@click.command(epilog="Example: sievemda backup user/alice alice.tar.gz")
@click.argument("words", metavar="[NAME]... TARGET", nargs=-1, required=True)
@click.option("--user", "users", metavar="USER", multiple=True, help="All of a user; may be repeated.")
@click.option("--partition", metavar="P", default="", help="Only what lies on this partition.")
@click.option("--incremental", "-i", is_flag=True, help="What is new since the last one in the directory TARGET.")
@click.option("--base", metavar="ARCHIVE", default="", help="What is new since that one, wherever it is.")
@click.option("--since", metavar="WHEN", default="", help="Only messages that arrived since: 2026-11-22, or 7d.")
@click.option("--gzip/--no-gzip", "packed", default=None, help="Compress; a file whose name ends in gz is anyway.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--dry-run", "-n", is_flag=True, help="Write nothing, and say what would be written.")
@click.option("--verify", is_flag=True, help="Write nothing: read the archive TARGET and compare all digests.")
@click.option("--json", "as_json", is_flag=True, help="What was written as JSON.")
@click.option("--verbose", "-v", is_flag=True, help="Tell of each message that vanished meanwhile, or is damaged.")
@click.pass_context
def backup(context: click.Context, /, words: tuple[str, ...], verify: bool, as_json: bool, **how: Any) -> int:
    """Put mailboxes, with all that belongs to them, into an archive, while mail goes on arriving.

    NAME is a mailbox with all below it, or a pattern: `*` stands for anything, `%` for anything within one level.
    Without any, everything goes in. TARGET is a file, a directory that gets one archive a run, or - for standard
    output. Exit code 65: an archive is damaged; 67: there is no such mailbox; 73: the file is there already; 74: a
    message could not be read, or the archive not be written.
    """
    watch = Watch("verify" if verify else "backup", verbose=how["verbose"])
    *names, target = words
    if not target:
        raise UsageError("TARGET is empty")
    if verify:
        if names or any(how[option] for option in ("users", "incremental", "base", "dry_run")):
            raise UsageError("--verify takes an archive, or a directory of them, and nothing else")
        return _verify(target, watch, as_json=as_json)
    if target == "-" and is_terminal(sys.stdout) and not how["dry_run"]:
        raise UsageError("an archive is nothing for a terminal: name a file, or send it through a pipe")
    settings: Settings = context.meta["sievemda.load"]()  # --verify needs none
    store = open_store(settings)
    try:
        report = _run(store, tuple(names), target, watch, how)
    except BrokenPipeError as error:  # who reads no more has not got the archive, unlike one who reads a list
        watch.clear()
        discard(sys.stdout)
        raise StoreTrouble("nobody reads the archive any more: it is not whole") from error
    watch.done()
    _tell(report, as_json=as_json, to_stderr=target == "-" and not how["dry_run"])
    return watch.failures.code


def _run(store: MailStore, names: tuple[str, ...], target: str, watch: Watch, how: dict[str, Any]) -> dict[str, Any]:
    from sievemda.upkeep.backup import archives
    from sievemda.upkeep.backup.choosing import Chosen, chosen_trees, places
    from sievemda.upkeep.backup.writing import new_head, write_archive

    if how["partition"]:
        store.layout.partition(how["partition"])
    chosen = Chosen(store.namespace, names, how["users"])
    trees = chosen_trees(store, chosen, how["partition"])
    trees = _all_there(store, chosen, trees, watch, how["partition"], given=bool(names))
    since = moment(how["since"]) if how["since"] else None
    scope = _scope(names, how)
    directory = Path(target) if target.endswith("/") or (target != "-" and Path(target).is_dir()) else None
    base_file = _base_file(directory, scope, watch, how)
    with archives.base_of(base_file) if base_file else nullcontext() as base:
        if base is not None:
            _check_base(base, str(base_file), since)
        head = new_head(
            base.head.id if base else "", scope, since, places(store, chosen) if not how["partition"] else ()
        )
        with _target(target, directory, head, how) as out:
            totals = write_archive(
                store, trees, out.stream, head, base=base, index=out.index, watcher=watch, dry_run=how["dry_run"]
            )
    return _report(head, totals, out, base_file)


def _all_there(
    store: MailStore, chosen: Chosen, trees: Iterator[ChosenTree], watch: Watch, partition: str, *, given: bool
) -> Iterator[ChosenTree]:
    """The trees; what was named and is not there is told. NotFound when nothing is left."""
    for name in chosen.named:
        if store.find(name) is None and not any(name.covers(one.name) for one in store.mailboxes_of(name.owner)):
            store.layout.check_there()
            watch.failed("", NotFound(f"no mailbox {store.namespace.format_admin(name)}"))
    watch.failures.note_if_away(store, partition)
    first = next(trees, None)
    if first is None and (given or chosen.named):
        raise NotFound("there is no such mailbox: nothing was written")
    return chain(() if first is None else (first,), trees)


def _scope(names: tuple[str, ...], how: dict[str, Any]) -> tuple[str, ...]:
    """What was asked for, in a form in which the same is the same."""
    users = [f"--user {user}" for user in how["users"]]
    partition = [f"--partition {how['partition']}"] if how["partition"] else []
    since = ["--since"] if how["since"] else []
    return (*sorted({*names, *users}), *partition, *since)


def _base_file(directory: Path | None, scope: tuple[str, ...], watch: Watch, how: dict[str, Any]) -> Path | None:
    from sievemda.upkeep.backup.archives import last_like

    if how["base"]:
        path = Path(how["base"])
        found = last_like(path, scope) if path.is_dir() else None
        if path.is_dir() and found is None:
            raise NotFound(f"no backup of the same in {path}")
        return found.path if found else path
    if not how["incremental"]:
        return None
    if directory is None:
        raise UsageError("--incremental goes by what is in a directory: name one as TARGET, or the archive with --base")
    found = last_like(directory, scope) if directory.is_dir() else None
    if found is None:
        watch.note(f"no backup of the same in {directory}: this one is full")
    return found.path if found else None


def _check_base(base: Base, name: str, since: float | None) -> None:
    """DataError when nothing can build on an archive."""
    if not base.head.id:
        raise DataError(f"the beginning of {name} is damaged, so that nothing can build on it")
    if base.head.since is not None and since is None:
        raise DataError(f"{name} has only messages since a certain day, so that nothing can build on it")


def _target(target: str, directory: Path | None, head: Head, how: dict[str, Any]) -> AbstractContextManager[Target]:
    from sievemda.upkeep.backup import archives

    if how["dry_run"]:
        return archives.to_file(Path(os.devnull), compressed=False)
    if target == "-":
        return archives.to_stream(sys.stdout.buffer, compressed=bool(how["packed"]))
    if directory is not None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return archives.to_directory(directory, head, compressed=bool(how["packed"]))
    return archives.to_file(Path(target), compressed=how["packed"], force=how["force"])


def _report(head: Head, totals: Totals, out: Target, base: Path | None) -> dict[str, Any]:
    return {
        "id": head.id,
        "kind": head.kind,
        "base": str(base) if base else None,
        "file": str(out.path) if out.path else None,
        "size": out.path.stat().st_size if out.path else None,
        **asdict(totals),
    }


def _tell(report: dict[str, Any], *, as_json: bool, to_stderr: bool) -> None:
    if as_json and not to_stderr:
        print_json(report)
        return
    gone = f"; {report['gone']} were removed meanwhile" if report["gone"] else ""
    size = f", {sized(report['size'])}" if report["size"] is not None else ""
    line = (
        f"{report['kind']}: {report['folders']} folders, {report['messages']} messages, {report['contents']} of them in"
        f" it ({sized(report['octets'])}){gone}"
    )
    line += f": {report['file']}{size}" if report["file"] else ""
    if not to_stderr:
        print(line)
    elif is_terminal(sys.stderr):
        print(line, file=sys.stderr)


# -- verify ------------------------------------------------------------------------------------------------------------


def _verify(target: str, watch: Watch, *, as_json: bool) -> int:
    """Read archives to their ends; each is told, the exit code is 65 when one is damaged."""
    from sievemda.upkeep.backup.archives import files_in

    path = Path(target)
    files = files_in(path) if target != "-" and path.is_dir() else [path]
    if not files:
        raise NotFound(f"no backup in {path}")
    results = [_verified(file, watch) for file in files]
    watch.done()
    if as_json:
        print_json(results)
    for found in [] if as_json else results:
        state = f"{found['damaged']} damaged" if found["damaged"] else "whole"
        print(f"{found['file']}: {state}, {found['messages']} messages ({sized(found['octets'])})")
    return watch.failures.code or (DataError.exit_code if any(found["damaged"] for found in results) else 0)


def _verified(file: Path, watch: Watch) -> dict[str, Any]:
    from sievemda.given import open_given
    from sievemda.upkeep.backup.checking import check

    name = "standard input" if str(file) == "-" else str(file)
    try:
        with nullcontext(sys.stdin.buffer) if str(file) == "-" else open_given(file) as stream:
            return check(stream, name, watch)
    except (OSError, SievemdaError) as error:
        watch.failed("", error)
        return {"file": name, "messages": 0, "octets": 0, "damaged": 1, "missing": 0}
