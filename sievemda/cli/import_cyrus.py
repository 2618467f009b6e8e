"""`sievemda import cyrus`: the directories of a Cyrus IMAP server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sievemda.cli.complaints import one_line
from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json
from sievemda.cli.progress import shown
from sievemda.config import Settings
from sievemda.errors import DataError, SievemdaError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sievemda.upkeep.importing.cyrus.lists import Lists
    from sievemda.upkeep.importing.cyrus.spool import Spool


@click.command(
    "cyrus",
    epilog="Example: sievemda import cyrus /var/spool/cyrus/mail --config-dir /var/lib/cyrus --sieve /var/spool/sieve",
)
@click.argument("spool")
@click.option("--config-dir", "config", metavar="DIR", help="Its configdirectory: seen states, quotas, subscriptions.")
@click.option("--mailboxes", metavar="FILE", help="Its list: a dump of ctl_mboxlist -d, or mailboxes.db.")
@click.option("--sieve", metavar="DIR", help="Its sievedir, for scripts.")
@click.option("--user", "users", metavar="PATTERN", multiple=True, help="Only these users: alice, a*, *@example.org.")
@click.option("--ignore-quota", is_flag=True, help="Take in more than the limits allow.")
@click.option("-n", "--dry-run", is_flag=True, help="Tell what would come.")
@click.option("--json", "as_json", is_flag=True, help="Print what has come as one JSON object.")
@click.pass_obj
def cyrus(
    settings: Settings,
    /,
    spool: str,
    config: str | None,
    mailboxes: str | None,
    sieve: str | None,
    users: tuple[str, ...],
    ignore_quota: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Bring the mailboxes of a partition of Cyrus: messages with flags, keywords and dates, and rights.

    With its other directories come quotas, subscriptions and scripts. The server should be stopped, or SPOOL a copy.
    Nothing changes there, and a second run brings what is new.
    """
    from sievemda.upkeep.importing.cyrus.people import People
    from sievemda.upkeep.importing.cyrus.spool import Source, Spool
    from sievemda.upkeep.importing.places import Places

    for directory in filter(None, (spool, config, sieve)):
        if not Path(directory).is_dir():
            raise UsageError(f"{directory} is no directory")
    source = Source(
        Path(spool), _lists(mailboxes, config), People(_path(config), _path(sieve)), tuple(map(str.lower, users))
    )
    failures, faults, notes = Failures(), list[dict[str, str]](), list[str]()

    def tell(error: SievemdaError, about: str) -> None:
        failures.tell(error, about)
        faults.append({"about": about, "error": str(error)})

    def note(text: str) -> None:
        notes.append(text)
        click.echo(f"sievemda: {one_line(text)}", err=True)

    places = Places(open_store(settings), dry_run=dry_run)
    job = Spool(places, source, _checker(settings), tell, note, ignore_quota=ignore_quota, dry_run=dry_run)
    for _ in shown(job.run(), "messages"):
        pass
    if as_json:
        rows = [taken.shown() for taken in job.taken]
        print_json({"folders": rows, "renamed": job.renamed, "made": places.made, "notes": notes, "failed": faults})
    else:
        for line in _lines(job, dry_run=dry_run):
            click.echo(line)
    return failures.code


def _lines(job: Spool, *, dry_run: bool) -> Iterator[str]:
    verb = "would come" if dry_run else "came"
    for taken in job.taken:
        parts = [f"{taken.added} {verb}", f"{taken.there} there already"]
        parts += taken.followed()
        parts += [f"{taken.failed} FAILED"] * bool(taken.failed)
        parts += [f"no room for keyword {name} of {count} messages" for name, count in taken.lost.items()]
        yield one_line(f"{taken.folder} -> {taken.mailbox}: {', '.join(parts)}")
    for old, new in job.renamed.items():
        yield one_line(f"{old} is called {new} here")
    yield f"{sum(taken.added for taken in job.taken)} messages {verb}"


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _lists(file: str | None, config: str | None) -> Lists:
    """The list that is named, or the one in the configdirectory; an empty one when there is none."""
    from sievemda.upkeep.importing.cyrus.lists import Lists, read

    if file is None and config is not None and (Path(config) / "mailboxes.db").is_file():
        file = str(Path(config) / "mailboxes.db")
    if file is None:
        return Lists()
    try:
        return read(Path(file))
    except OSError as error:
        raise DataError(f"{file}: {error.strerror or error}") from error


def _checker(settings: Settings) -> Callable[[bytes], str]:
    """What is wrong with a script here; nothing when it can run."""

    def check(text: bytes) -> str:
        from sievemda.language import language_extensions, language_limits
        from sievemda.sieve.check import check_script

        problems = check_script(text, language_limits(settings), language_extensions(settings))
        return next((str(problem) for problem in problems if problem.severity == "error"), "")

    return check
