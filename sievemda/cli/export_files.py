"""`sievemda export mbox`, `export maildir` and `export eml`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.complaints import one_line
from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json
from sievemda.cli.terminal import is_terminal
from sievemda.config import Settings
from sievemda.errors import UsageError

if TYPE_CHECKING:
    from sievemda.upkeep.exporting.writing import Exported, Format

_FORMATS = ("mboxrd", "mboxo", "mboxcl2")
_PAUSE = 0.2  # seconds between two looks of the progress


def _sending(command: Callable[..., Format]) -> Callable[..., Any]:
    """MAILBOX... TARGET and the options that all formats have; the command makes the format."""

    @click.argument("words", metavar="MAILBOX... TARGET", nargs=-1, required=True)
    @click.option("-r", "--recursive", is_flag=True, help="With the mailboxes below; TARGET is a directory.")
    @click.option("-n", "--dry-run", is_flag=True, help="Say what would be written, and where.")
    @click.option("--json", "as_json", is_flag=True, help="Print what was written as one JSON object.")
    @click.pass_obj
    @wraps(command)
    def inner(settings: Settings, /, words: tuple[str, ...], **options: Any) -> int:
        from sievemda.upkeep.exporting.choice import choose

        if len(words) < 2:
            raise UsageError("say what and where to: MAILBOX... TARGET")
        store, failures = open_store(settings), Failures()
        choice = choose(store, words[:-1], recursive=options.pop("recursive"))
        if not choice.single:
            failures.note_if_away(store)
        dry_run, as_json = options.pop("dry_run"), options.pop("as_json")
        if not choice.single and words[-1] != "-" and Path(words[-1]).exists() and not Path(words[-1]).is_dir():
            raise UsageError(f"{words[-1]} is no directory, and there is more than one mailbox")
        form = command(words[-1], single=choice.single, **options)
        return _run(choice, form, failures, dry_run=dry_run, as_json=as_json, quiet=words[-1] == "-")

    return inner


def _run(choice: Any, form: Format, failures: Failures, *, dry_run: bool, as_json: bool, quiet: bool) -> int:
    from sievemda.upkeep.exporting.writing import export

    results, progress = [], _Progress()
    for result in export(choice, form, progress.tick, dry_run=dry_run):
        progress.clear()
        results.append(result)
        if result.error is not None:
            failures.tell(result.error, result.mailbox)
    if as_json and not quiet:
        keys = ("mailbox", "target", "renamed", "messages", "gone")
        rows = [{key: getattr(each, key) for key in keys} for each in results if not each.error]
        print_json({"mailboxes": rows, "failed": [each.mailbox for each in results if each.error]})
    elif not quiet:
        for result in results:
            if not result.error:
                print(one_line(_line(result, dry_run=dry_run)))
    return failures.code


def _line(result: Exported, *, dry_run: bool) -> str:
    called = " (a file cannot have its name)" if result.renamed else ""
    gone = f", {result.gone} were removed meanwhile" if result.gone else ""
    would = " would be written" if dry_run else ""
    return f"{result.mailbox} -> {result.target}{called}: {result.messages} messages{would}{gone}"


class _Progress:
    """One line on standard error, when that is a terminal: messages and octets."""

    def __init__(self) -> None:
        self._shown = is_terminal(sys.stderr)
        self._started = self._due = time.monotonic()
        self._count = self._octets = 0

    def tick(self, octets: int) -> None:
        self._count, self._octets = self._count + 1, self._octets + octets
        if self._shown and (now := time.monotonic()) >= self._due:
            self._due = now + _PAUSE
            rate = self._count / (now - self._started + 1e-6)
            line = f"\r\x1b[Kmessages: {self._count}, {self._octets >> 20} MiB, {rate:.0f}/s"
            print(line, end="", file=sys.stderr)

    def clear(self) -> None:
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


@click.command("mbox", epilog="Example: sievemda export mbox user/alice alice.mbox")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="mboxrd", show_default=True, help="Its dialect.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option("--append", is_flag=True, help="Add to files that are there.")
@_sending
def mbox(target: str, *, single: bool, form: str, force: bool, append: bool) -> Format:  # noqa: ARG001
    """Write a mailbox as an mbox file, or several into a directory; TARGET - is standard output.

    Flags, keywords and UIDs stand in Status, X-Status, X-Keywords and X-UID. A file appears when it is whole.
    """
    from sievemda.upkeep.exporting.writing import AsMbox, AsStream

    if force and append:
        raise UsageError("either --force or --append")
    if target == "-":
        return AsStream(sys.stdout.buffer.write, form)
    return AsMbox(Path(target), form, force, append)


@click.command("maildir", epilog="Example: sievemda export maildir -r user/alice copy/alice")
@_sending
def maildir(target: str, *, single: bool) -> Format:  # noqa: ARG001
    """Write a mailbox as a Maildir, or a user as a tree of them, with flags, keywords, dates and subscriptions.

    What a Maildir that is there has already is not written again.
    """
    from sievemda.upkeep.exporting.maildir import AsMaildir

    if target == "-":
        raise UsageError("a Maildir is a directory: standard output cannot be one")
    return AsMaildir(Path(target))


@click.command("eml", epilog="Example: sievemda export eml -r user/alice messages/alice")
@_sending
def eml(target: str, *, single: bool) -> Format:  # noqa: ARG001
    """Write each message into a file of its own, and each mailbox into a directory; what is there stays.

    The file `flags` beside them has a line for each message that is not new: its name, a tab, flags and keywords.
    """
    from sievemda.upkeep.exporting.eml import AsEml

    if target == "-":
        raise UsageError("standard output cannot be a directory of messages")
    return AsEml(Path(target))
