"""What many mailboxes cost: users times folders are made without a sync, listed, and delivered to.

A delivery into one of them is compared with one into a site of ten users, in turns, so that what else the machine does
falls on both.
"""

from __future__ import annotations

import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.outcomes.site import Client, Site, message

COMMANDS = (
    ("mailbox", "list"),
    ("mailbox", "list", "user/user500/*"),
    ("mailbox", "list", "--json"),
    ("mailbox", "list", "--sizes"),
    ("quota", "report"),
)
PAIRS = 400  # deliveries that are compared
_PARTS = ("cur", "new", "tmp")


def build(data: Path, users: int, folders: int) -> None:
    """Users with an INBOX, so many folders below it, an ACL, an id and a quota each."""
    for number in range(users):
        root = data / "mail" / "user" / f"user{number}" / "Maildir"
        for name in ("", *(f".Folder {folder}" for folder in range(folders - 1))):
            _folder(root / name, f"user{number}", inbox=not name)


def _folder(path: Path, owner: str, *, inbox: bool) -> None:
    for part in _PARTS:
        (path / part).mkdir(parents=True, mode=0o700)
    (path / "dovecot-acl").write_text(f"user={owner} lrwstipekxa\n")
    record: dict[str, object] = {"id": os.urandom(12).hex(), "rights": {owner: "n"}}
    if inbox:
        (path / "maildirsize").write_text("1048576000S\n0 0\n")
        record["limits"] = {"storage": 1048576000}
    else:
        (path / "maildirfolder").touch()
    (path / "sievemda-mailbox").write_text(json.dumps(record) + "\n")


def scale(users: int, folders: int) -> None:
    """One table of commands, and the cost of a delivery beside that on a small site."""
    with tempfile.TemporaryDirectory(prefix="scale") as where:
        large, small = Path(where) / "large", Path(where) / "small"
        build(large, users, folders)
        build(small, 10, 10)
        print(f"{f'{users} users, {users * folders} mailboxes':40}{'seconds':>10}{'RSS MiB':>10}{'lines':>10}")
        for command in COMMANDS:
            print("{:40}{:10.2f}{:10.1f}{:10}".format(" ".join(command), *_measured(large, command)))
        _deliveries(large, small)


def _measured(data: Path, command: tuple[str, ...]) -> tuple[float, float, int]:
    """Seconds, resident MiB at most, lines of output."""
    started = time.perf_counter()
    program = [sys.executable, "-m", "sievemda", "--data", str(data), *command]
    with subprocess.Popen(program, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = sum(1 for _ in process.stdout)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - started, usage.ru_maxrss / 1024, lines


def _deliveries(large: Path, small: Path) -> None:
    sites = [Site(large), Site(small)]
    took: list[list[float]] = [[], []]
    with ExitStack() as stack:
        for site in sites:
            site.start()
            stack.callback(site.stop)
        clients = [stack.enter_context(Client(site.socket)) for site in sites]
        for client in clients:
            client.hello()
        for number in range(PAIRS):
            for which in (0, 1) if number % 2 else (1, 0):
                started = time.perf_counter()
                replies = clients[which].transaction([f"user{number % 10}@example.org"], message(f"<{number}@x>"))
                took[which].append(time.perf_counter() - started)
                assert replies[0].startswith("250"), replies
    big, few = (statistics.median(times[PAIRS // 10 :]) * 1000 for times in took)
    print(f"a delivery, in turns (median): {big:.2f} ms, with ten users {few:.2f} ms, ratio {big / few:.2f}")


def batch(users: int) -> None:
    """Accounts from a CSV: five folders, a quota, an ACL and a hashed password each."""
    keys = ",".join([base64.b64encode(bytes(32)).decode()] * 2)
    password = f"{{SCRAM-SHA-256}}4096,c2FsdA==,{keys}"
    with tempfile.TemporaryDirectory(prefix="batch") as where:
        file = Path(where) / "users.csv"
        rows = "".join(f'user{number},"{password}"\n' for number in range(users))
        file.write_text(f"user,password\n{rows}")
        defaults = ("--folders", r"Sent \Sent|Drafts \Drafts|Junk \Junk|Trash \Trash|Lists", "--quota", "1G")
        command = ("account", "create", "--csv", str(file), *defaults, "--acl", "Junk anyone p")
        print(f"{f'{users} accounts of six mailboxes':40}{'seconds':>10}{'RSS MiB':>10}{'per s':>10}")
        for title in ("made", "passed over, being there"):
            seconds, memory, _ = _measured(Path(where) / "d", command)
            print(f"{title:40}{seconds:10.2f}{memory:10.1f}{users / seconds:10.0f}")
