"""`sievemda mailbox move --host`, and `mailbox receive`, which that runs on the other host."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json_array
from sievemda.cli.terminal import is_terminal
from sievemda.errors import SievemdaError, TemporaryTrouble, Unavailable, UsageError

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.moving.leaving import Leaving, Wish
    from sievemda.upkeep.moving.wire import Wire


@dataclass(frozen=True, slots=True)
class Journey:
    """What was said on the command line."""

    host: str
    ssh: str
    remote_command: str
    to: str
    partition: str
    then: str
    forward_to: str
    finish: bool
    abort: bool
    timeout: float

    def wish(self) -> Wish:
        from sievemda.upkeep.moving.leaving import Wish, checked

        return checked(Wish(self.host, self.to, self.partition, self.then, self.forward_to))

    def checked(self, users: list[str]) -> Journey:
        if self.finish and self.abort:
            raise UsageError("--finish and --abort exclude each other")
        if self.to and len(users) > 1:
            raise UsageError("--to is for one user")
        if not (self.finish or self.abort):
            self.wish()
        return self


def go_all(
    settings: Settings,
    store: MailStore,
    users: list[str],
    journey: Journey,
    failures: Failures,
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    journey.checked(users)
    rows = _gone(settings, store, users, journey, failures, dry_run=dry_run)
    if as_json:
        print_json_array(rows)
    else:
        for row in rows:
            sys.stdout.write(f"{row['name']} {row['done']}\n")
    return failures.code


def _gone(
    settings: Settings, store: MailStore, users: list[str], journey: Journey, failures: Failures, *, dry_run: bool
) -> Iterator[dict[str, Any]]:
    from sievemda.store import departures
    from sievemda.store.names import MailboxName
    from sievemda.upkeep.moving.leaving import Leaving

    for userid in users:
        name = store.namespace.format_admin(MailboxName(userid))
        try:
            if dry_run:
                yield {"name": name, "host": journey.host, "done": f"would move to {journey.host}"}
                continue
            with departures.alone(store, userid), ExitStack() as opened:
                leaving = Leaving(settings, store, userid, _say)
                yield {"name": name, "host": journey.host} | _go(leaving, journey, opened)
        except (SievemdaError, OSError) as error:
            failures.tell(error, name)
        finally:
            _say("")


def _go(leaving: Leaving, journey: Journey, opened: ExitStack) -> dict[str, Any]:
    def connect(host: str) -> Wire:
        return opened.enter_context(_connected(journey, host))

    if journey.finish:
        leaving.finish()
        return {"done": "is no more here"}
    if journey.abort:
        leaving.abort(connect)
        return {"done": "stays here"}
    files = leaving.go(journey.wish(), connect)
    return {"files": files, "done": f"moved to {journey.host}"}


def _say(text: str) -> None:
    if is_terminal(sys.stderr):
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


@contextmanager
def _connected(journey: Journey, host: str) -> Iterator[Wire]:
    from sievemda.upkeep.moving.wire import Wire

    try:
        command = [*shlex.split(journey.ssh), host, f"{journey.remote_command} mailbox receive"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    except (OSError, ValueError) as error:
        raise Unavailable(f"{journey.ssh}: {error}") from error
    if process.stdin is None or process.stdout is None:
        raise Unavailable(f"{journey.ssh}: no pipe")
    wire = Wire(process.stdout, process.stdin, host, journey.timeout)
    try:
        yield wire
    except TemporaryTrouble:
        process.kill()  # it may be the one who says nothing
        raise
    finally:
        _end(wire, process)


def _end(wire: Wire, process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        try:
            with wire.patient():
                stream.close()  # type: ignore[union-attr]
        except (OSError, TemporaryTrouble):  # what was not sent is not missed: the other end has gone
            continue
    try:
        process.wait(wire.patience or None)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@click.command(hidden=True, epilog="Example: sievemda mailbox receive < /dev/null")
@click.pass_obj
def receive(settings: Settings) -> None:
    """The other end of `mailbox move --host`, which runs it here and speaks to it through a pipe."""
    from sievemda.upkeep.moving.receiving import serve
    from sievemda.upkeep.moving.wire import Wire

    store = open_store(settings)
    serve(settings, store, Wire(sys.stdin.buffer, sys.stdout.buffer, "the other end"))
