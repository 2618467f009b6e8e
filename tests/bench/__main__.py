"""`python -m tests.bench [-m MESSAGES] [lmtp] [sieve]`: prints one table per part."""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from sievemda.mail.address import Address
from sievemda.mail.envelope import Envelope, Recipient, Sender
from sievemda.mail.message import Message
from sievemda.sieve.compile import compile_script
from sievemda.sieve.limits import Limits
from sievemda.sieve.run import run
from sievemda.sieve.testing.bench import Bench
from tests.outcomes.site import Site


def lmtp(messages: int) -> None:
    """Durable deliveries of 4 KiB through the real server, by Postfix's smtp-source."""
    source = shutil.which("smtp-source") or shutil.which("smtp-source", path="/usr/sbin")
    if source is None:
        print("lmtp: smtp-source (of Postfix) is not installed")
        return
    print(f"{'lmtp':32}{'messages':>10}{'seconds':>10}{'per s':>10}{'RSS MiB before':>16}{'after':>8}{'stored':>8}")
    for script in ("", RULES(200)):
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


def RULES(number: int) -> str:  # noqa: N802
    """A script of so many rules of which none matches."""
    rules = (f'if header :contains "subject" "word{n}" {{ fileinto "F{n}"; }}\n' for n in range(number))
    return 'require "fileinto";\n' + "".join(rules)


def sieve() -> None:
    """Compiling and running, inside one process."""
    print(f"{'sieve':32}{'compile ms':>12}{'run ms':>10}")
    header = b"From: a@example.net\nTo: b@example.org\nSubject: " + b"x" * 60 + b"\n" + b"X-Y: z\n" * 20
    message = header + b"\n" + b"line of text\n" * 300
    limits = Limits(script_size=1 << 22)
    bench = Bench(Path("bench.svtest"))
    envelope = Envelope(Sender(None), Recipient(Address("b", "example.org")))
    compile_script("keep;", limits)  # loads the grammar
    for number in (10, 200, 5000):
        text = RULES(number)
        compiling = _median(lambda text=text: compile_script(text, limits), 3 if number > 1000 else 15)
        program = compile_script(text, limits)
        running = _median(lambda p=program: run(p, Message(message), envelope, bench, limits), 15)
        print(f"{f'{number} rules, 4 KiB message':32}{compiling:12.2f}{running:10.3f}")


def _median(call, times: int) -> float:
    """Milliseconds."""
    figures = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        figures.append((time.perf_counter() - started) * 1000)
    return statistics.median(figures)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("-m", "--messages", type=int, default=10_000)
    parser.add_argument("parts", nargs="*", metavar="lmtp|sieve", default=["sieve", "lmtp"])
    options = parser.parse_args()
    for part in options.parts:
        sieve() if part == "sieve" else lmtp(options.messages)
        print()


if __name__ == "__main__":
    main()
