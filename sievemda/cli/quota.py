"""`sievemda quota`: limits, and how much of them is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.mailbox import existing, open_store, print_json
from sievemda.config import Settings
from sievemda.policy.quota import PRINTED, Limits, Usage

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore


@click.group(epilog="Example: sievemda quota set user/alice STORAGE 1048576 MESSAGE 100000")
def quota() -> None:
    """Quota of a mailbox and all that lies below it."""


@quota.command(
    "set",
    context_settings={"ignore_unknown_options": True},
    epilog="Example: sievemda quota set user/alice STORAGE 10000",
)
@click.argument("root")
@click.argument("limits", metavar="[RESOURCE LIMIT]...", nargs=-1)
@click.pass_obj
def set_(settings: Settings, root: str, limits: tuple[str, ...]) -> None:
    """Replace all limits of ROOT; nothing after ROOT lifts every limit.

    RESOURCE is STORAGE (in KiB), MESSAGE, MAILBOX (number of folders) or ANNOTATION-STORAGE (in KiB).
    """
    wanted = Limits.parse(limits)
    store = open_store(settings)
    store.make_root(existing(store, root.removeprefix("+"))).set_limits(wanted)


@quota.command("list", epilog="Example: sievemda quota list 'user/a*'")
@click.argument("pattern", default="*")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: root to resources; used in octets.")
@click.pass_obj
def list_(settings: Settings, pattern: str, as_json: bool) -> None:
    """Show limits and usage of the roots that match, counted afresh."""
    from sievemda.errors import NotFound

    store = open_store(settings)
    rows = _report(store, pattern)
    if not {"*", "%"} & set(pattern) and store.quota_root(store.namespace.parse_admin(pattern)) is None:
        raise NotFound(f"{pattern} is not a quota root")
    if as_json:
        print_json({name: _as_json(limits, usage) for name, limits, usage in rows})
        return
    print(f"{'Quota':>8} {'% Used':>8} {'Used':>8} {'Resource':>20} Root")
    for name, limits, usage in rows:
        for resource in PRINTED:
            print(f"{_limit(limits, usage, resource)} {usage.printed(resource):8} {resource:>20} {name}")


def _report(store: MailStore, pattern: str) -> Iterator[tuple[str, Limits, Usage]]:
    for root in store.roots(pattern):
        yield store.namespace.format_admin(root.name), root.limits(), root.usage(fresh=True)


def _limit(limits: Limits, usage: Usage, resource: str) -> str:
    """The first two columns of Cyrus' report: limit and percentage; blank without a limit, just 0 for a limit of 0."""
    limit = limits.of(resource)
    if limit is None:
        return " " * 17
    if limit == 0:
        return f" {0:7}" + " " * 9
    return f" {limits.printed(resource):7} {usage.of(resource) * 100 // limit:8}"


def _as_json(limits: Limits, usage: Usage) -> dict[str, Any]:
    return {resource: {"used": usage.of(resource), "limit": limits.printed(resource)} for resource in PRINTED}
