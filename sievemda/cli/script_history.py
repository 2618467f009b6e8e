"""`sievemda script history`, `diff` and `undo`: what has become of somebody's scripts, and back."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.mailbox import print_json
from sievemda.cli.script import keeper_for, problems_of
from sievemda.errors import NotFound

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.scripts.keeper import Keeper
    from sievemda.state.versions import Version

_SHORT = 12  # hexadecimal digits of a digest, as `why` shows it


@click.command(epilog="Example: sievemda script history alice main")
@click.argument("user")
@click.argument("script", required=False, default="")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@click.pass_obj
def history(settings: Settings, user: str, script: str, as_json: bool) -> None:
    """Show who changed the scripts of USER, or one of them, when and from where; the newest change comes last.

    A line is the number of the version, the time, what was done, by whom and from where, the size in octets and the
    digest (SHA-256) of the text, as `sievemda why` shows it. Changes by an editor or another server are noticed at the
    next look: `outside`. What is marked `failed` was never carried out, but its text is kept.
    """
    from sievemda.scripts.undo import concerns

    found = keeper_for(settings, user).history()
    chosen = [version for version in found if not script or concerns(version, script)]
    if as_json:
        print_json([_plain(version) for version in chosen])
        return
    if not chosen:
        raise NotFound(f"nothing is known of changes to {f'script {script}' if script else 'scripts'} of {user}")
    for version in chosen:
        print(_clean(_line(version)))


@click.command(epilog="Example: sievemda script diff alice main 2 3")
@click.argument("user")
@click.argument("script")
@click.argument("versions", metavar="[VERSION [VERSION]]", nargs=-1)
@click.pass_obj
def diff(settings: Settings, user: str, script: str, versions: tuple[str, ...]) -> None:
    """Show what changed in SCRIPT of USER: by the last change, since a VERSION, or from one VERSION to another.

    The form is that of `diff -u`, with colours on a terminal. Nothing is shown when nothing changed.
    """
    from sievemda.scripts.undo import parse_version, text_after

    if len(versions) > 2:
        raise click.UsageError("at most two versions can be compared")
    keeper = keeper_for(settings, user)
    known = [version for version in keeper.history() if version.status == "done"]
    numbers = [parse_version(text) for text in versions]
    if numbers:
        for number in numbers:
            if not any(version.number == number for version in known):
                raise NotFound(f"there is no version {number}")
        now, _ = keeper.known().scripts.get(script, ("", ""))
        first, second = [*numbers, known[-1].number][:2]
        old, new = (text_after(known, script, number, now) for number in (first, second))
        if old is None or new is None or not (old or new):
            raise NotFound(f"nothing is known of script {script} of {user} then")
    else:
        changed = next(
            (v for v in reversed(known) if v.concerns(script) and v.digest != v.before and _is_text(v)), None
        )
        if changed is None:
            raise NotFound(f"nothing is known of changes to script {script} of {user}")
        first, old, second, new = changed.number - 1, changed.before, changed.number, changed.digest
    names = (f"{script}, version {first}", f"{script}, version {second}")
    _show(difflib.unified_diff(_lines(keeper, old), _lines(keeper, new), *names, lineterm=""))


@click.command(epilog="Example: sievemda script undo alice main --to 2")
@click.argument("user")
@click.argument("script", required=False, default="")
@click.option("--to", "to", metavar="VERSION", help="Back to what was after this version.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
@click.pass_obj
def undo(settings: Settings, user: str, script: str, to: str | None, dry_run: bool) -> None:
    """Take back the last change of the scripts of USER, or of SCRIPT; an undo can be undone, too.

    With --to, SCRIPT becomes what it was after that version; without SCRIPT all become what they were then. What was
    uploaded, deleted, renamed, activated and deactivated can be taken back, whoever did it and by what means, as long
    as it is kept (sieve_versions, sieve_versions_days).
    """
    from sievemda.scripts.undo import Undo, parse_version

    keeper = keeper_for(settings, user, "undo")
    number = None if to is None else parse_version(to)
    # what another one stores between the looking and the doing would be overwritten, and nobody would see it
    with nullcontext() if dry_run else keeper.store.locked():
        undoing = Undo(keeper)
        if number is None:
            steps = undoing.last(script)
        else:
            steps = undoing.script_to(script, number) if script else undoing.since(number)
        if not steps:
            print("nothing to undo")
        for step in steps:
            if dry_run:
                print(_clean(f"would be done: {step.told}"))
            else:
                version = step.act()
                print(_clean(f"{step.told}: version {version.number}"))
                _warn(settings, keeper, version)


def _warn(settings: Settings, keeper: Keeper, version: Version) -> None:
    """What came back may not be valid any more, as where an extension was switched off since."""
    text = keeper.text(version.digest) if version.action == "put" else None
    found = problems_of(settings, keeper, text) if text is not None else ()
    for problem in found:
        if problem.severity == "error":
            print(_clean(f"sievemda: {version.script} is not valid, and would not run: {problem}"), file=sys.stderr)


def _is_text(version: Version) -> bool:
    return version.action in ("put", "delete")


def _lines(keeper: Keeper, digest: str | None) -> list[str]:
    if not digest:
        return []
    text = keeper.text(digest)
    if text is None:
        raise NotFound("that text is not kept any more")
    return text.decode("utf-8", "backslashreplace").splitlines()


def _show(lines: Iterator[str]) -> None:
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for number, line in enumerate(lines):
        clean = _clean(line, keep="\t")
        if coloured:
            clean = click.style(clean, bold=True) if number < 2 else click.style(clean, fg=colours.get(line[:1]))
        print(clean)


def _line(version: Version) -> str:
    name = f"{version.script} -> {version.target}" if version.target else version.script or "-"
    digest = f"{version.digest[:_SHORT]}" if version.digest else "-"
    size = f"{version.size:7}" if version.action == "put" else f"{'-':>7}"
    where = {"outside": "outside", "found": "already there"}.get(version.via, f"{version.actor} {version.address}")
    notes: list[str] = [] if version.status == "done" else [version.status]
    notes += [f"undoes {version.undoes}"] if version.undoes else []
    if version.via not in ("outside", "found", "managesieve", "command", "undo"):
        notes.append(version.via)
    when = datetime.fromtimestamp(version.instant).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
    told = f"{version.number:5}  {when}  {version.action:10}  {name}  {where}  {size}  {digest}"
    return f"{told}  ({', '.join(notes)})" if notes else told


def _plain(version: Version) -> dict[str, Any]:
    return {
        "version": version.number,
        "time": version.instant,
        "action": version.action,
        "script": version.script,
        "to": version.target or None,
        "owner": version.owner,
        "user": version.actor or None,
        "address": version.address or None,
        "via": version.via,
        "status": version.status,
        "size": version.size if version.action == "put" else None,
        "sha256": version.digest or None,
        "before": version.before or None,
        "active": list(version.active),
        "undoes": version.undoes or None,
    }


def _clean(text: str, keep: str = "") -> str:
    """What others wrote cannot move the cursor of a terminal."""
    return "".join(c if c.isprintable() or c in keep else "\N{REPLACEMENT CHARACTER}" for c in text)
