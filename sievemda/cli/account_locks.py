"""`sievemda account locks`: which addresses may not log in for a while, and who fails; and an end of that."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import click

from sievemda.cli.terminal import clean
from sievemda.errors import NotFound, UsageError

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.state.failures import Found

_TIME = "%Y-%m-%d %H:%M:%S"


@click.command(epilog="Example: sievemda account locks --all")
@click.option("--all", "everything", is_flag=True, help="Also who has failed of late and is not locked out.")
@click.option("--clear", metavar="NAME", multiple=True, help="Forget the failures of this address or user.")
@click.option("--clear-all", is_flag=True, help="Forget the failures of everybody.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list of objects; times are seconds since 1970.")
@click.pass_obj
def locks(settings: Settings, everything: bool, clear: tuple[str, ...], clear_all: bool, as_json: bool) -> None:
    """List addresses that are locked out of logging in: `ADDRESS since TIME until TIME failures N` a line.

    Users are never locked out; with --all they are listed too, for answers to wrong passwords wait the longer the more
    there were. An IPv6 address stands for its network of 64 bits.
    """
    from sievemda.state.failures import Failures

    if ((clear or clear_all) and (everything or as_json)) or (clear and clear_all):
        raise UsageError("account locks: either list or clear")
    if clear or clear_all:
        _clear(settings, clear)
        return
    path = settings.failures_path
    found = Failures(path, only_read=True).all() if path.exists() else []
    now = int(time.time())
    shown = [one for one in found if one.until > now or (everything and one.points > 0)]
    if as_json:
        print(json.dumps([_plain(one, now) for one in shown]))
    else:
        sys.stdout.writelines(_line(one, now) for one in shown)


def _clear(settings: Settings, names: tuple[str, ...]) -> None:
    from sievemda.auth.guard import place_of, user_of
    from sievemda.state.failures import ADDRESS, USER, Failures

    failures = Failures(settings.failures_path)
    if not names:
        failures.forget_all()
    for name in names:
        place = place_of(name)
        kind, key = (ADDRESS, place) if place else (USER, user_of(name, settings.site))
        if not settings.failures_path.exists() or not failures.forget(kind, key):
            raise NotFound(f"nothing is held against {clean(name)}")


def _plain(one: Found, now: int) -> dict[str, object]:
    locked = one.until > now
    return {
        "kind": one.kind,
        "name": one.name,
        "locked": locked,
        "since": one.since if locked else None,
        "until": one.until if locked else None,
        "failures": one.total,
        "last": one.instant,
    }


def _line(one: Found, now: int) -> str:
    if one.until > now:
        return f"{clean(one.name)} since {_at(one.since)} until {_at(one.until)} failures {one.total}\n"
    return f"{one.kind} {clean(one.name)} last {_at(one.instant)} failures {one.total}\n"


def _at(instant: int) -> str:
    return time.strftime(_TIME, time.localtime(instant))
