"""`sievemda quota notify`: tell the owners of full mailboxes, by rules."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json
from sievemda.cli.progress import shown
from sievemda.config import Settings
from sievemda.errors import SievemdaError, UsageError

if TYPE_CHECKING:
    from sievemda.delivery.fullness.rules import NoticeRule
    from sievemda.delivery.fullness.watch import Notice
    from sievemda.store.mailstore import MailStore


@click.command(epilog="Example: sievemda quota notify --rules /etc/sievemda/quota-rules.toml --dry-run 'user/*'")
@click.argument("pattern", default="*")
@click.option("--rules", "file", metavar="FILE", help="Rules (TOML); else quota_rules, else what quota_warnings says.")
@click.option("-n", "--dry-run", is_flag=True, help="Say who would be told, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array of objects.")
@click.pass_obj
def notify(settings: Settings, pattern: str, file: str | None, dry_run: bool, as_json: bool) -> int:
    """Look at the quota roots that match, and tell whom the rules name of those that fill up.

    What was told is remembered at each root, so that nobody is told twice of the same level before the interval of the
    rule is over, whether this command runs or `serve` does it.
    """
    store, failures = open_store(settings), Failures()
    rules = _rules(settings, store, file)
    found = _notices(settings, store, pattern, rules, failures, dry_run=dry_run)
    if as_json:
        print_json([_as_json(notice) for notice in found])
    else:
        for notice in found:
            print(_line(notice, dry_run=dry_run))
    return os.EX_TEMPFAIL if failures.number else 0


def _rules(settings: Settings, store: MailStore, file: str | None) -> tuple[NoticeRule, ...]:
    from sievemda.delivery.fullness.rules import read_rules, site_rule, site_template

    site_template(settings)  # before anybody is told

    path = Path(file) if file is not None else settings.quota.quota_rules
    if path is not None:
        return read_rules(path, store.namespace)
    rule = site_rule(settings)
    if rule is None:
        raise UsageError("there are no rules: give --rules FILE, or set quota_rules or quota_warnings")
    return (rule,)


def _notices(
    settings: Settings,
    store: MailStore,
    pattern: str,
    rules: tuple[NoticeRule, ...],
    failures: Failures,
    *,
    dry_run: bool,
) -> Iterator[Notice]:
    from sievemda.delivery.fullness.watch import Watch

    watch = Watch(settings, store)
    for root in shown(store.roots(pattern), "quota roots"):
        try:
            yield from watch.look(root, rules, dry=dry_run)
        except (OSError, SievemdaError) as error:
            failures.tell(error, store.namespace.format_admin(root.name))


def _line(notice: Notice, *, dry_run: bool) -> str:
    rule = f", {notice.rule}" if notice.rule else ""
    verb = (
        ("would be reminded" if dry_run else "reminded")
        if notice.reminder
        else ("would be told" if dry_run else "told")
    )
    return f"{notice.root}: {notice.percent}% ({notice.level}{rule}): {verb}: {', '.join(notice.letter.to)}"


def _as_json(notice: Notice) -> dict[str, Any]:
    return {
        "root": notice.root,
        "rule": notice.rule,
        "level": notice.level,
        "percent": notice.percent,
        "reminder": notice.reminder,
        "to": list(notice.letter.to),
        "message_id": notice.letter.message_id or None,
    }
