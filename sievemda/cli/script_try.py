"""`sievemda script try`: what a script would do differently with the messages that a user has.

Exit codes are those of `diff`: 0 when nothing differs, 1 when something does; trouble has those of sysexits.h. A look
that was cut short and has found no difference is trouble: nobody knows.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.sieve_input import WRONG
from sievemda.cli.terminal import Screen, clean, color_option, say, screen
from sievemda.errors import DataError, NotFound, UsageError

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.delivery.scripts import Own
    from sievemda.delivery.tryout.tryout import Compared

MOST = 100_000  # messages at once
_KINDS = 20  # changes that are counted in the summary


@dataclass(slots=True)
class Summary:
    """What was found so far."""

    looked_at: int = 0
    differ: int = 0
    unread: int = 0
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)  # what is done, and what would be
    not_run: set[str] = field(default_factory=set)

    def count(self, one: Compared) -> None:
        if one.problem:
            self.unread += 1
            return
        self.looked_at += 1
        self.not_run.update(one.not_run)
        if one.differs:
            self.differ += 1
            self.changes[one.old.sentence, one.new.sentence] += 1


@click.command(
    "try",
    epilog="Example: sievemda script try alice --file alice.sieve --last 50",
)
@click.argument("user")
@click.argument("script", required=False)
@click.option("--file", "file", metavar="FILE", help="The script is in FILE; - is standard input.")
@click.option(
    "--as", "called", metavar="NAME", default="", help="As if FILE were stored as NAME, which says its slot of several."
)
@click.option("--none", "none", is_flag=True, help="Try what no script of the user's would do.")
@click.option(
    "--last", "last", type=click.IntRange(1, MOST), default=50, show_default=True, help="So many messages, the newest."
)
@click.option("--folder", metavar="NAME", default="", help="Only messages of this folder, as the user calls it.")
@click.option("--since", metavar="WHEN", default="", help="Only what came since 2026-11-01 (or a time), or within 7d.")
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True), default=300.0, show_default=True, help="Stop after that."
)
@click.option("--all", "everything", is_flag=True, help="Tell also of messages that make no difference.")
@color_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def try_(
    settings: Settings,
    user: str,
    script: str | None,
    file: str | None,
    called: str,
    none: bool,
    last: int,
    folder: str,
    since: str,
    seconds: float,
    everything: bool,
    color: str,
    as_json: bool,
) -> int:
    """Say which of USER's last messages SCRIPT would treat differently from the script that is active now.

    SCRIPT is the name of one of USER's scripts, or - for standard input. Both run as at a delivery, with the scripts of
    the site before and after them; nothing is done, sent, moved or remembered. `duplicate` and vacation see each
    message as the first, the time is that of its arrival, programs are not run. Sent mail and drafts are left out.

    Where the site has slots for several active scripts (sieve_active_slots), SCRIPT takes the place of the one in its
    slot. What has no name counts as a script that the user has written by hand.

    Exit code 0 when no message is treated differently, 1 when one is, 75 when time was up before one was found.
    """
    from sievemda.assembly import tryout
    from sievemda.auth.names import canonical_user
    from sievemda.delivery.tryout.tryout import Range

    script, file = _chosen(script, file, called, none=none)
    owner, trying = canonical_user(user, settings.site), tryout(settings)
    _check_user(settings, owner)
    old = trying.names(owner)
    new = _wanted(settings, owner, script, file, called)
    until = time.monotonic() + seconds
    cut_short = False

    def go_on() -> bool:
        nonlocal cut_short
        cut_short = time.monotonic() >= until
        return not cut_short

    where, summary, told = screen(color), Summary(), []
    trial = trying.begin(owner, new.name, new.text)
    with closing(trial.run(Range(last, folder, _instant(since)), go_on)) as messages:
        for one in messages:
            summary.count(one)
            if one.problem or one.differs or everything:
                told.append(one.as_json()) if as_json else _tell(one, where)
    if as_json:
        scripts = _scripts(old, new, trying.names(owner, new))
        click.echo(json.dumps(_as_json(user, scripts, summary, told, cut_short=cut_short), indent=2))
    else:
        for line in _summary(summary, cut_short=cut_short):
            say(line, where)
    return WRONG if summary.differ else os.EX_TEMPFAIL if cut_short else 0


def _chosen(script: str | None, file: str | None, called: str, *, none: bool) -> tuple[str | None, str | None]:
    """Script or file, one of them at most; UsageError."""
    if sum((script is not None, file is not None, none)) != 1:
        raise UsageError("name one of: a script, --file FILE, --none")
    if script == "-":
        script, file = None, script
    if called and file is None:
        raise UsageError("--as NAME is for what comes from a file")
    return script, file


def _check_user(settings: Settings, owner: str) -> None:
    from sievemda.store.mailstore import MailStore

    if not MailStore(settings).user_exists(owner):
        raise NotFound(f"there is no user {owner}")


def _wanted(settings: Settings, owner: str, script: str | None, file: str | None, called: str) -> Own:
    """The script that is to be tried. DataError when it is not valid, and its problems are told."""
    from sievemda.cli.script import keeper_for, read_script
    from sievemda.delivery.scripts import Own
    from sievemda.store.script_names import check_name

    if script is not None:
        found = Own(script, keeper_for(settings, owner).store.get(script))
    elif file is not None:
        if called:
            check_name(called)
        found = Own(called, read_script(file))
    else:
        return Own()
    _check(settings, found.text or b"", file or found.name)
    return found


def _check(settings: Settings, text: bytes, called: str) -> None:
    from sievemda.language import language_extensions, language_limits
    from sievemda.sieve.check import check_script

    found = check_script(text, language_limits(settings), language_extensions(settings))
    wrong = [problem for problem in found if problem.severity == "error"]
    for problem in wrong:
        click.echo(clean(f"{called}:{problem}"), err=True)
    if wrong:
        raise DataError(f"{called}: the script is not valid")


def _instant(text: str) -> float:
    """Seconds since 1970 of a time, or of so long ago."""
    from sievemda.policy.age import parse_age

    if not text:
        return 0.0
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        pass
    try:
        return time.time() - parse_age(text)
    except ValueError as e:
        raise UsageError(f"--since: neither a date such as 2026-11-01 nor an age such as 7d: {text[:80]}") from e


def _tell(one: Compared, where: Screen) -> None:
    when = datetime.fromtimestamp(one.arrived).astimezone().strftime("%Y-%m-%d %H:%M")
    if one.problem:
        say(where.cut(clean(f"{when}  in {one.mailbox}: {one.file}: {one.problem}")), where)
        return
    line = where.cut(clean(f"{when}  {one.sender or '(no From)'}: {one.subject or '(no subject)'} [in {one.mailbox}]"))
    say(where.style(line, bold=True), where)
    for name, done in (("active", one.old), ("new", one.new)):
        for piece in where.wrapped(clean(f"{name:7} {done.sentence}"), 4):
            say(piece, where)


def _summary(summary: Summary, *, cut_short: bool) -> Iterator[str]:
    messages = "message" if summary.looked_at == 1 else "messages"
    yield f"{summary.differ:,} of {summary.looked_at:,} {messages} would be treated differently"
    for (old, new), count in summary.changes.most_common(_KINDS):
        yield clean(f"{count:7,}  {new}, not {old}")
    if len(summary.changes) > _KINDS:
        yield f"         and {len(summary.changes) - _KINDS:,} other changes"
    if summary.unread:
        yield f"{summary.unread:,} could not be looked at"
    if summary.not_run:
        yield clean(f"programs that were not run, and count as failed: {', '.join(sorted(summary.not_run))}")
    if cut_short:
        yield "time was up: older messages were not looked at (see --seconds)"


def _scripts(old: tuple[str, ...], new: Own, then: tuple[str, ...]) -> dict[str, Any]:
    """`active` and `new` are the first that is active and the one that is tried, None where there is none.

    A script that has no name has an empty one. Of several that run in a row, the others tell all.
    """
    first = old[0] if old else None
    tried = None if new.text is None else new.name
    return {"active": first, "new": tried, "active_scripts": list(old), "new_scripts": list(then)}


def _as_json(
    user: str, scripts: dict[str, Any], summary: Summary, told: list[dict[str, Any]], *, cut_short: bool
) -> dict[str, Any]:
    return {
        "user": user,
        **scripts,
        "looked_at": summary.looked_at,
        "differ": summary.differ,
        "unread": summary.unread,
        "complete": not cut_short,
        "programs_not_run": sorted(summary.not_run),
        "messages": told,
    }
