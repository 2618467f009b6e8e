"""`sievemda quota`: limits, and how much of them is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.lazy import LazyCommands
from sievemda.cli.mailbox import open_store, print_json
from sievemda.config import Settings
from sievemda.policy.quota import PRINTED, Limits, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sievemda.store.mailstore import MailStore

_LAZY = {
    "report": "quota_report:report",
    "fix": "quota_fix:fix",
    "notify": "quota_notify:notify",
    "state": "quota_state:state",
}


@click.group(cls=LazyCommands, lazy=_LAZY, epilog="Example: sievemda quota set user/alice STORAGE 1048576 MESSAGE 9000")
def quota() -> None:
    """Quota of a mailbox and all that lies below it; @example.org is a domain as the last resort."""


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

    RESOURCE is STORAGE (in KiB), MESSAGE, MAILBOX (number of folders) or ANNOTATION-STORAGE (in KiB); -1 is no limit.
    A mailbox must have that name or lie below it; a + in front of ROOT sets the quota all the same.
    """
    from sievemda.store import rootlist

    wanted = Limits.parse(limits)
    store = open_store(settings)
    name = rootlist.root_name(store.namespace, root.removeprefix(rootlist.FORCE))
    rootlist.set_limits(store, name, wanted, force=root.startswith(rootlist.FORCE))


@quota.command("list", epilog="Example: sievemda quota list 'user/a*'")
@click.argument("pattern", default="*")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: root to resources; sizes in octets.")
@click.pass_obj
def list_(settings: Settings, pattern: str, as_json: bool) -> None:
    """Show limits and usage of the roots that match, counted afresh."""
    from sievemda.errors import NotFound
    from sievemda.store import rootlist

    store = open_store(settings)
    if not {"*", "%"} & set(pattern) and store.quota_root(rootlist.root_name(store.namespace, pattern)) is None:
        raise NotFound(f"{pattern} is not a quota root")
    rows = _rows(store, pattern)
    if as_json:
        print_json({name: _as_json(limits, usage) for name, limits, usage in rows})
        return
    print(HEADER)
    for name, limits, usage in rows:
        print(table(name, limits, usage))


@quota.command("root", epilog="Example: sievemda quota root user/alice/Lists")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="A JSON string, or null.")
@click.pass_obj
def root_(settings: Settings, name: str, as_json: bool) -> None:
    """Print the root that counts for a mailbox; nothing when none does."""
    from sievemda.cli.mailbox import existing
    from sievemda.store import rootlist

    store = open_store(settings)
    found = rootlist.nearest(store, existing(store, name).name)
    shown = store.namespace.format_admin(found.name) if found else None
    if as_json:
        print_json(shown)
    elif shown:
        print(shown)


def _rows(store: MailStore, pattern: str) -> Iterator[tuple[str, Limits, Usage]]:
    for root in store.roots(pattern):
        yield store.namespace.format_admin(root.name), root.limits(), root.usage(fresh=True)


HEADER = f"{'Quota':>8} {'% Used':>8} {'Used':>8} {'Resource':>20} Root"


def table(name: str, limits: Limits, usage: Usage) -> str:
    """Cyrus' report of one root: a line for each resource."""
    return "\n".join(
        f"{_limit(limits, usage, resource)} {usage.printed(resource):8} {resource:>20} {name}" for resource in PRINTED
    )


def _limit(limits: Limits, usage: Usage, resource: str) -> str:
    """The first two columns of Cyrus' report: limit and percentage; blank without a limit, just 0 for a limit of 0."""
    limit = limits.of(resource)
    if limit is None:
        return " " * 17
    if limit == 0:
        return f" {0:7}" + " " * 9
    return f" {limits.printed(resource):7} {usage.of(resource) * 100 // limit:8}"


def _as_json(limits: Limits, usage: Usage) -> dict[str, Any]:
    return {resource: {"used": usage.of(resource), "limit": limits.of(resource)} for resource in PRINTED}
