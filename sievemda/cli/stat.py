"""`sievemda stat`: what the running server does now, and what it has done since it began."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.seconds import Seconds
from sievemda.cli.terminal import clean, is_terminal
from sievemda.errors import TemporaryTrouble, Unavailable, UsageError

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.serve.asking import Figures

_SHORTEST = 0.1  # seconds between two looks
_TIME = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Picture:
    """One look. Times are seconds since 1970, sizes octets."""

    at: float
    figures: Figures
    outbox: dict[str, int]  # messages, and of them those that were tried in vain
    snoozed: int
    partitions: list[dict[str, Any]]


@click.command(epilog="Example: sievemda stat --watch 1 --count 2")
@click.option("--json", "as_json", is_flag=True, help="One JSON object; with --watch one a line.")
@click.option("--sessions", "listed", is_flag=True, help="List the open sessions.")
@click.option("--users", is_flag=True, help="List who has sessions, and how many.")
@click.option(
    "--watch", is_flag=False, flag_value=2.0, type=Seconds(_SHORTEST), metavar="[SECONDS]", help="Again and again."
)
@click.option("--count", type=click.IntRange(min=1), help="With --watch: so often, then end.")
@click.pass_obj
def stat(settings: Settings, as_json: bool, listed: bool, users: bool, watch: float | None, count: int | None) -> int:
    """Show counters, connections and queues of the running server, and the room on its partitions.

    Counters are of all workers since the server began; with --watch the second column is what came a second since the
    last look. Exit code 69 when no server is running, 75 when none of its workers answers; the queues and partitions
    are shown all the same.
    """
    if count is not None and watch is None:
        raise UsageError("stat: --count goes with --watch")
    before: Picture | None = None
    for number, seen in enumerate(_looks(settings, watch, count)):
        if as_json:
            click.echo(json.dumps(_plain(seen), indent=None if watch else 2))
        else:
            _clear_screen(watch, number)
            _show(seen, before, listed=listed, users=users)
        before = seen
    if before is not None and before.figures.workers:
        return os.EX_OK
    if before is not None and before.figures.silent:
        raise TemporaryTrouble(f"the server for {settings.data} is there, and none of its workers answers")
    raise Unavailable(f"no server is running for {settings.data}")


def _looks(settings: Settings, watch: float | None, count: int | None) -> Iterator[Picture]:
    yield _look(settings)
    done = 1
    while watch is not None and (count is None or done < count):
        time.sleep(watch)
        yield _look(settings)
        done += 1


def _look(settings: Settings) -> Picture:
    from sievemda.delivery.outbox import Outbox
    from sievemda.delivery.snoozes import Snoozes
    from sievemda.serve.asking import ask

    waiting, tried = Outbox(settings).waiting()
    queued = {"waiting": waiting, "retried": tried}
    return Picture(time.time(), ask(settings), queued, Snoozes(settings).waiting(), list(_partitions(settings)))


def _partitions(settings: Settings) -> Iterator[dict[str, Any]]:
    from sievemda.store.layout import Layout
    from sievemda.store.names import Namespace

    for name, path in Layout(settings, Namespace(settings)).partitions.items():
        row: dict[str, Any] = {"partition": name, "path": str(path), "size": None, "free": None}
        try:
            found = os.statvfs(path)
        except OSError as error:
            row["error"] = error.strerror
        else:
            row |= {"size": found.f_blocks * found.f_frsize, "free": found.f_bavail * found.f_frsize}
        yield row


def _plain(seen: Picture) -> dict[str, Any]:
    figures = seen.figures
    return {
        "at": seen.at,
        "running": bool(figures.workers or figures.silent),
        "workers": [{"pid": one.pid, "since": one.since, "sessions": len(one.sessions)} for one in figures.workers],
        "silent": figures.silent,
        "counters": figures.counts,
        "connections": _connections(seen),
        "sessions": figures.sessions,
        "users": _users(seen),
        "outbox": seen.outbox,
        "snoozed": seen.snoozed,
        "partitions": seen.partitions,
    }


def _connections(seen: Picture) -> dict[str, int]:
    found = {"lmtp": 0, "managesieve": 0}
    for session in seen.figures.sessions:
        found[session["protocol"]] = found.get(session["protocol"], 0) + 1
    return found


def _users(seen: Picture) -> dict[str, int]:
    """Who has sessions; an MTA that came over a UNIX socket is `postman`."""
    found: dict[str, int] = {}
    for session in seen.figures.sessions:
        if session["user"]:
            found[session["user"]] = found.get(session["user"], 0) + 1
    return dict(sorted(found.items()))


def _clear_screen(watch: float | None, number: int) -> None:
    if watch is None:
        return
    if is_terminal(sys.stdout):
        click.echo("\x1b[H\x1b[2J", nl=False)
    elif number:
        click.echo()


def _show(seen: Picture, before: Picture | None, *, listed: bool, users: bool) -> None:
    figures = seen.figures
    if figures.workers:
        since = time.strftime(_TIME, time.localtime(min(worker.since for worker in figures.workers)))
        pids = " ".join(str(worker.pid) for worker in figures.workers)
        click.echo(f"server: {len(figures.workers)} workers ({pids}), the oldest since {since}")
    else:
        click.echo(f"server: {'no worker answers' if figures.silent else 'not running'}")
    for pid in figures.silent:
        click.echo(f"worker {pid} does not answer")
    click.echo(" ".join(["connections:", *(f"{name}={number}" for name, number in _connections(seen).items())]))
    click.echo(f"outbox: {seen.outbox['waiting']} waiting, {seen.outbox['retried']} of them tried in vain")
    click.echo(f"snoozed: {seen.snoozed}")
    for row in seen.partitions:
        click.echo(f"partition {row['partition']}: {_room(row)}")
    _counters(figures.counts, before, seen.at)
    if users:
        for name, number in _users(seen).items():
            click.echo(f"user {clean(name)}: {number}")
    if listed:
        for session in figures.sessions:
            click.echo(_line(session, seen.at))


def _counters(counts: Mapping[str, int], before: Picture | None, now: float) -> None:
    old = before.figures.counts if before else {}
    for name, number in counts.items():
        rate = f" {max(0, number - old.get(name, 0)) / max(now - before.at, 1e-3):12.1f}/s" if before else ""
        click.echo(f"{name:36} {number:14}{rate}")


def _room(row: Mapping[str, Any]) -> str:
    if row["size"] is None:
        return f"{row['path']}: {row['error']}"
    part = 100 * row["free"] // row["size"] if row["size"] else 0
    return f"{row['free'] >> 20} MiB free of {row['size'] >> 20} ({part} %) at {row['path']}"


def _line(session: Mapping[str, Any], now: float) -> str:
    words = [
        f"session {session['protocol']}",
        f"pid={session['pid']}",
        f"address={session['address'] or 'local'}",
        f"user={clean(session['user']) or '-'}",
        f"seconds={now - session['since']:.0f}",
        f"tls={'yes' if session['tls'] else 'no'}",
    ]
    if "messages" in session:
        words.append(f"messages={session['messages']}")
    return " ".join(words)
