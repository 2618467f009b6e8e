"""What `import mbox`, `import maildir` and `import eml` share: their options, and how they tell the outcome."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.complaints import one_line
from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json
from sievemda.cli.main import tell
from sievemda.cli.terminal import is_terminal
from sievemda.config import Settings
from sievemda.errors import DataError, UsageError

if TYPE_CHECKING:
    from sievemda.upkeep.importing.carrying import Outcome
    from sievemda.upkeep.importing.source import Contents

_PAUSE = 0.2  # seconds between two looks of the progress


def bringing(command: Callable[..., Any]) -> Callable[..., Any]:
    """SOURCE... MAILBOX and the options; the command gets the sources and returns what is in one."""

    @click.argument("words", metavar="SOURCE... MAILBOX", nargs=-1, required=True)
    @click.option("--no-create", is_flag=True, help="Mailboxes that are not there are a mistake.")
    @click.option("--again", is_flag=True, help="Put in once more what a mailbox has already.")
    @click.option("--ignore-quota", is_flag=True, help="Take in more than the limits allow.")
    @click.option("--no-flags", is_flag=True, help="Every message comes as new.")
    @click.option("--flag", "flags", metavar="FLAG", multiple=True, help=r"A flag or keyword for all: \Seen, old.")
    @click.option("-n", "--dry-run", is_flag=True, help="Read everything, count, and change nothing.")
    @click.option("--json", "as_json", is_flag=True, help="Print what has come as one JSON object.")
    @click.pass_obj
    @wraps(command)
    def inner(settings: Settings, /, words: tuple[str, ...], **options: Any) -> int:
        from sievemda.mail.flags import is_settable
        from sievemda.upkeep.importing.carrying import Wishes

        if len(words) < 2:
            raise UsageError("say from where and to which mailbox: SOURCE... MAILBOX")
        flags = options.pop("flags")
        if wrong := [flag for flag in flags if not is_settable(flag)]:
            raise UsageError(f"{wrong[0]!r} is no flag and no keyword")
        given = {key: options.pop(key) for key in ("no_create", "no_flags", "as_json", "dry_run")}
        wishes = Wishes(
            given["dry_run"], options.pop("again"), options.pop("ignore_quota"), not given["no_flags"], flags
        )
        job = _Job(settings, words[-1], wishes, create=not given["no_create"])
        for source in words[:-1]:
            job.run(source, lambda source: command(source, **options))
        return job.tell(as_json=given["as_json"])

    return inner


class _Job:
    """Sources, one after the other, that go into one mailbox or below it."""

    def __init__(self, settings: Settings, target: str, wishes: Any, *, create: bool) -> None:
        from sievemda.upkeep.importing.places import Places

        self._places = Places(open_store(settings), create=create, dry_run=wishes.dry_run)
        self._top = self._places.name(target)
        self._wishes = wishes
        self._failures = Failures()
        self._outcomes: list[Outcome] = []
        self._passed_over: list[str] = []

    def run(self, source: str, look: Callable[[str], Contents]) -> None:
        from sievemda.upkeep.importing.carrying import carry

        try:
            contents = look(source)
            if not contents.folders:
                raise DataError(f"{source}: nothing is there that can be imported")
        except (DataError, OSError) as error:
            self._failures.tell(error, "" if isinstance(error, DataError) else source)
            return
        for line in contents.passed_over:
            _say(line)
        self._passed_over += contents.passed_over
        progress = _Progress(sum(folder.octets for folder in contents.folders))
        for outcome in carry(self._places, contents.folders, self._top, self._wishes, progress.tick):
            progress.clear()
            self._outcomes.append(outcome)
            if outcome.error is not None:
                self._failures.tell(outcome.error, "" if outcome.source in str(outcome.error) else outcome.source)
            for problem in outcome.problems:
                self._failures.tell(DataError(problem))
            for keyword, number in outcome.lost.items():
                _say(f"{outcome.mailbox}: no room for the keyword {keyword}, which {number} messages have")

    def tell(self, *, as_json: bool) -> int:
        if as_json:
            print_json(
                {
                    "folders": [outcome.told() for outcome in self._outcomes],
                    "made": self._places.made,
                    "passed_over": self._passed_over,
                }
            )
            return self._failures.code
        for outcome in self._outcomes:
            if outcome.added or outcome.skipped or not outcome.error:
                print(one_line(self._line(outcome)))
        return self._failures.code

    def _line(self, outcome: Outcome) -> str:
        added = f"{outcome.added} messages {'would come' if self._wishes.dry_run else 'came'}"
        called = " (it cannot have its name here)" if outcome.renamed else ""
        return f"{outcome.source} -> {outcome.mailbox}{called}: {added}, {outcome.skipped} were there already"


def _say(line: str) -> None:
    tell(lambda: print(f"sievemda: {one_line(line)}", file=sys.stderr))


class _Progress:
    """One line on standard error, when that is a terminal: messages and octets, and how much there is of them."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._shown = is_terminal(sys.stderr)
        self._started = self._due = time.monotonic()
        self._before = (0, 0)  # of the folders that are done
        self._now = (0, 0)

    def tick(self, messages: int, octets: int) -> None:
        self._now = (messages, octets)
        if not self._shown or (now := time.monotonic()) < self._due:
            return
        self._due = now + _PAUSE
        count, done = (old + new for old, new in zip(self._before, self._now, strict=True))
        rate = count / (now - self._started + 1e-6)
        part = f" ({min(100, 100 * done // self._total)} %)" if self._total else ""
        print(f"\r\x1b[Kmessages: {count}, {done >> 20} MiB{part}, {rate:.0f}/s", end="", file=sys.stderr)

    def clear(self) -> None:
        """A folder is done."""
        count, done = (old + new for old, new in zip(self._before, self._now, strict=True))
        self._before, self._now = (count, done), (0, 0)
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
