"""`sievemda quota state`: what a quota root remembers: since when it is full, who was told of what, what follows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.mailbox import open_store, print_json
from sievemda.config import Settings

if TYPE_CHECKING:
    from sievemda.store.quota import QuotaRoot


@click.command(epilog="Example: sievemda quota state user/alice")
@click.argument("root")
@click.option("--json", "as_json", is_flag=True, help="One JSON object; times in seconds since 1970.")
@click.pass_obj
def state(settings: Settings, root: str, as_json: bool) -> None:
    """Show how full a quota root is, since when it is over its limit, when the grace period ends, who was told.

    Since when it is over is known where quota_warnings or quota_grace are set.
    """
    from sievemda.errors import NotFound
    from sievemda.store import rootlist

    store = open_store(settings)
    found = store.quota_root(rootlist.root_name(store.namespace, root))
    if found is None:
        raise NotFound(f"{root} is not a quota root")
    told = {"root": store.namespace.format_admin(found.name), **_state(settings, found)}
    if as_json:
        print_json(told)
        return
    for line in _lines(told):
        print(line)


def _state(settings: Settings, root: QuotaRoot) -> dict[str, Any]:
    import time

    from sievemda.delivery.fullness.rules import site_rule
    from sievemda.policy import grace
    from sievemda.policy.quota import PRINTED, exceeded
    from sievemda.policy.warnings import shown, standings_of
    from sievemda.store.quota_state import QuotaStates

    now, limits, usage = int(time.time()), root.limits(), root.known()
    kept = QuotaStates(settings.store.message_mode).get(root.path)
    rule = site_rule(settings)
    over = bool(exceeded(limits, usage))
    since = kept.full_since if 0 < kept.full_since <= now else 0
    end = grace.ends(settings.quota.quota_grace, since, now) if since and settings.quota.quota_grace else 0
    return {
        "usage": {
            each.resource: {"used": each.used, "limit": each.limit, "percent": each.percent}
            for each in standings_of(limits, usage, PRINTED)
        },
        "level": shown(rule.rule.step(standings_of(limits, usage, rule.resources), kept.of(""), now).reached)
        if rule
        else None,
        "over": over,
        "full_since": since or None,
        "grace_ends": end or None,
        "refusal": _refusal(settings, since, now) if over or since else None,
        "told": {name: {"level": shown(told.level), "at": told.at} for name, told in sorted(kept.told.items())},
    }


def _refusal(settings: Settings, since: int, now: int) -> str:
    from sievemda.policy import grace

    permanent = settings.delivery.lmtp_over_quota_perm_failure
    for_good = grace.is_for_good(permanent=permanent, grace=settings.quota.quota_grace, full_since=since, now=now)
    return "permanent" if for_good else "temporary"


def _lines(told: dict[str, Any]) -> list[str]:
    lines = [f"root: {told['root']}"]
    for resource, each in told["usage"].items():
        unit = " octets" if resource in ("STORAGE", "ANNOTATION-STORAGE") else ""
        lines.append(f"{resource}: {each['used']} of {each['limit']}{unit} ({each['percent']}%)")
    lines += [
        f"level: {told['level'] or '- (nobody is warned)'}",
        f"full since: {_time(told['full_since']) if told['full_since'] else 'over its limit' if told['over'] else '-'}",
        f"grace ends: {_time(told['grace_ends'])}",
        f"mail is refused: {told['refusal'] or 'no'}",
    ]
    for name, last in told["told"].items():
        lines.append(f"told{' by ' + name if name else ''}: {last['level']} at {_time(last['at'])}")
    return lines


def _time(instant: int | None) -> str:
    return datetime.fromtimestamp(instant).astimezone().strftime("%Y-%m-%d %H:%M:%S %z") if instant else "-"
