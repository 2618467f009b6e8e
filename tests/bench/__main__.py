"""`python -m tests.bench [-m MESSAGES] [-r ROUNDS] [-u USERS] [lmtp] [sieve] [scale]`: prints one table per part."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.language import rules, table
from tests.bench.scale import batch, scale
from tests.outcomes.site import Site


def lmtp(messages: int) -> None:
    """Durable deliveries of 4 KiB through the real server, by Postfix's smtp-source."""
    source = shutil.which("smtp-source") or shutil.which("smtp-source", path="/usr/sbin")
    if source is None:
        print("lmtp: smtp-source (of Postfix) is not installed")
        return
    print(f"{'lmtp':32}{'messages':>10}{'seconds':>10}{'per s':>10}{'RSS MiB before':>16}{'after':>8}{'stored':>8}")
    for script in ("", rules(200)):
        for sessions in (1, 16):
            _lmtp_row(source, messages, sessions, script)


def _lmtp_row(source: str, messages: int, sessions: int, script: str) -> None:
    with tempfile.TemporaryDirectory(prefix="bench") as where:
        site = Site(Path(where) / "d", ("duplicatesuppression=no",))
        site.user("bench", script=script)
        site.start()
        try:
            # A first round, so that both rows speak of a server that has warmed up.
            _send(source, site.socket, 200, sessions)
            before, started = _memory(site.process.pid), time.perf_counter()
            _send(source, site.socket, messages, sessions)
            took, after = time.perf_counter() - started, _memory(site.process.pid)
            stored = len(site.files("user/bench")) - 200
        finally:
            site.stop()
    title = f"{sessions} sessions, {'200 rules' if script else 'no script'}"
    print(f"{title:32}{messages:10}{took:10.2f}{messages / took:10.0f}{before:16.1f}{after:8.1f}{stored:8}")


def _send(source: str, socket: Path, messages: int, sessions: int) -> None:
    options = ["-L", "-m", str(messages), "-s", str(sessions), "-l", "4096", "-f", "a@example.net", "-t", "bench@x"]
    subprocess.run([source, *options, f"unix:{socket}"], check=True)


def _memory(pid: int) -> float:
    """Resident MiB of the server with its workers."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pages = sum(int(Path(f"/proc/{p}/statm").read_text().split()[1]) for p in (str(pid), *children))
    return pages * 4096 / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("-r", "--rounds", type=int, default=15, help="of the language, each of which runs all")
    parser.add_argument("-m", "--messages", type=int, default=10_000)
    parser.add_argument("-u", "--users", type=int, default=1000, help="with a hundred mailboxes each")
    parser.add_argument("parts", nargs="*", metavar="lmtp|sieve|scale", default=["sieve", "lmtp", "scale"])
    options = parser.parse_args()
    for part in options.parts:
        if part == "sieve":
            table(options.rounds)
        elif part == "lmtp":
            lmtp(options.messages)
        else:
            scale(options.users, 100)
            batch(options.users)
        print()


if __name__ == "__main__":
    main()
