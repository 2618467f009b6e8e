"""`sievemda import news`: netnews into shared folders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import click

from sievemda.cli.complaints import one_line
from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json
from sievemda.cli.progress import shown
from sievemda.cli.seconds import Seconds
from sievemda.config import Settings
from sievemda.errors import SievemdaError, UsageError

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore
    from sievemda.store.names import MailboxName
    from sievemda.upkeep.importing.news.source import Source
    from sievemda.upkeep.importing.news.taking import News

_URL = re.compile(r"(nntps?|news)://(?:([^/@]*)@)?(\[[0-9A-Fa-f:.]+\]|[^/@:\[\]]+)(?::([0-9]{1,5}))?(?:/(.*))?")


@click.command("news", epilog="Example: sievemda import news 'nntp://news.example.org/comp.lang.*'")
@click.argument("source", metavar="DIRECTORY|nntp[s]://[USER@]HOST[:PORT][/WILDMAT]")
@click.argument("wildmats", metavar="[WILDMAT]...", nargs=-1)
@click.option("--prefix", default="news", help="The shared folder below which groups go; '' is none (default: news).")
@click.option("--active", metavar="FILE", help="The list of groups that a news spool has.")
@click.option(
    "--last", type=click.IntRange(1), default=None, help="Of a new group only so many of the latest articles."
)
@click.option("--sync", is_flag=True, help="Make the folders of all groups, and bring no articles.")
@click.option("--remove", is_flag=True, help="Delete folders of groups that are gone; they can be brought back.")
@click.option("--cancels", type=click.Choice(["ignore", "honour"]), default="ignore", help="What of cancel messages.")
@click.option("--password-file", "file", metavar="FILE", help="Its first line is the password of USER.")
@click.option("--max-size", type=click.IntRange(1), default=64 << 20, help="Octets of the largest article to take.")
@click.option("--timeout", type=Seconds(1, 3600), default=120, help="Seconds to wait for the server (120).")
@click.option("--ignore-quota", is_flag=True, help="Take in more than the limits allow.")
@click.option("-n", "--dry-run", is_flag=True, help="Tell what would come.")
@click.option("--json", "as_json", is_flag=True, help="Print what has come as one JSON object.")
@click.pass_obj
def news(settings: Settings, /, source: str, wildmats: tuple[str, ...], **options: Any) -> int:
    """Bring news into shared folders: comp.lang.c becomes news/comp/lang/c, which anyone may read.

    WILDMAT says which groups: 'comp.*,!comp.os.*'. A second run brings what is new. How long articles stay is a matter
    of `sievemda expire`.
    """
    from sievemda.upkeep.importing.news.source import wildmat
    from sievemda.upkeep.importing.news.taking import News, Plan
    from sievemda.upkeep.importing.places import Places

    failures, faults = Failures(), list[dict[str, str]]()

    def tell(error: SievemdaError, about: str) -> None:
        failures.tell(error, about)
        faults.append({"about": about, "error": str(error)})

    store = open_store(settings)
    found, pattern = _source(store, source, options)
    chosen = ",".join((pattern, *wildmats)) if pattern else ",".join(wildmats) or "*"
    keys = ("sync", "remove", "ignore_quota", "dry_run")
    plan = Plan(
        wildmat(chosen),
        options["last"] or 0,
        cancels=options["cancels"] == "honour",
        **{key: options[key] for key in keys},
    )
    places = Places(store, dry_run=plan.dry_run)
    job = News(places, found, _top(store, options["prefix"]), plan, tell)
    for _ in shown(job.run(), "articles"):
        pass
    if options["as_json"]:
        print_json(
            {
                "groups": [taken.shown() for taken in job.taken],
                "made": places.made,
                "removed": job.removed,
                "cancelled": job.cancelled,
                "renamed": job.renamed,
                "failed": faults,
            }
        )
    else:
        for line in _lines(job, dry_run=plan.dry_run):
            click.echo(one_line(line))
    return failures.code


def _lines(job: News, *, dry_run: bool) -> Iterator[str]:
    verb = "would come" if dry_run else "came"
    for taken in job.taken:
        failed = f", {taken.failed} FAILED" if taken.failed else ""
        yield f"{taken.folder} -> {taken.mailbox}: {taken.added} {verb}, {taken.there} there already{failed}"
    for name in job.removed:
        yield f"{name}: {'would be ' if dry_run else ''}deleted, its group is gone"
    for old, new in job.renamed.items():
        yield f"{old} is called {new} here"
    if job.cancelled:
        yield f"{job.cancelled} articles cancelled"
    yield f"{sum(taken.added for taken in job.taken)} articles {verb}"


def _top(store: MailStore, prefix: str) -> MailboxName:
    from sievemda.store.names import MailboxName

    if not prefix:
        return MailboxName(None)
    name = store.namespace.parse_admin(prefix)
    if name.owner is not None:
        raise UsageError(f"{prefix} is no shared folder")
    return name


def _source(store: MailStore, text: str, options: dict[str, Any]) -> tuple[Source, str]:
    """The source, and the pattern in its address."""
    from sievemda.upkeep.importing.news.spool import NewsSpool

    match = _URL.fullmatch(text)
    if match is None:
        if "://" in text or not Path(text).is_dir():
            raise UsageError(f"{text} is neither a directory nor nntp://HOST[:PORT][/WILDMAT]")
        return NewsSpool(Path(text), Path(options["active"]) if options["active"] else None), ""
    if options["active"]:
        raise UsageError("--active is for a directory")
    return _server(store, match, options), unquote(match[5] or "")


def _server(store: MailStore, match: re.Match[str], options: dict[str, Any]) -> Source:
    from sievemda.cli.import_imap import password_for
    from sievemda.upkeep.importing.news.nntp import NewsHost, NewsServer

    user = unquote(match[2] or "")
    if ":" in user:
        raise UsageError("no password in an address, where everybody on this host can see it: --password-file")
    if match[4] and not 0 < int(match[4]) < 65536:
        raise UsageError(f"{match[4]} is no port")
    host = NewsHost(
        match[3].strip("[]"),
        int(match[4] or 0),
        tls=match[1] == "nntps",
        user=user,
        password=password_for(options["file"]) if user else "",
        timeout=options["timeout"],
        longest=options["max_size"],
    )
    store.spool_path(store.default_partition)  # makes the directory
    return NewsServer(host, str(store.layout.stage(store.default_partition)))
