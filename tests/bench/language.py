"""The language in numbers: compiling, running, and Pigeonhole's sieve-test beside it.

Figures are medians of rounds in which everything is measured in turn, so that a busy machine slows all of them alike.
sieve-test is a program: scripts are compiled for it beforehand, as they are for ours, and each run is followed by one
of an empty script, the processor time of which is taken away. Where that time varies more than the script takes, the
table says n/a.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sievemda.delivery.tried import pack
from sievemda.mail.address import Address
from sievemda.mail.envelope import Envelope, Recipient, Sender
from sievemda.mail.message import Message
from sievemda.sieve.bind import Binder
from sievemda.sieve.compile import ProgramCache, compile_script
from sievemda.sieve.limits import Limits
from sievemda.sieve.parse import parse
from sievemda.sieve.rehearsal import Imagined
from sievemda.sieve.run import run
from sievemda.sieve.vocabulary import registry
from tests.outcomes.site import Client, Site, message

Work = Callable[[], object]
LOOKED_UP, PLAIN = Limits(script_size=1 << 22), Limits(script_size=1 << 22, lookup=0)
HEADER = b"From: a@example.net\nTo: b@example.org\nSubject: " + b"x" * 60 + b"\n" + b"X-Y: z\n" * 20
MAIL = {"4 KiB": HEADER + b"\n" + b"line of text\n" * 300, "1 MiB": HEADER + b"\n" + b"line of text\n" * 80_000}
ENVELOPE = Envelope(Sender(None), Recipient(Address("b", "example.org")))
FACTS = Imagined(datetime(2026, 3, 1, 12, 0, tzinfo=UTC))


def rules(number: int, test: str = 'header :contains "subject" "word{n}"') -> str:
    """A script of so many rules of which none matches."""
    lines = (f'if {test.format(n=n)} {{ fileinto "F{n}"; }}\n' for n in range(number))
    return 'require "fileinto";\n' + "".join(lines)


def chain(number: int) -> str:
    """One `if` with so many branches on one field."""
    links = (f'elsif header :is "from" "u{n}@example.org" {{ fileinto "F{n}"; }}\n' for n in range(number))
    return 'require "fileinto";\n' + "".join(links).removeprefix("els")


def listed(kind: str, number: int) -> str:
    """One test with so many keys."""
    star = "*" if kind == "matches" else ""
    keys = ", ".join(f'"{star}u{n}@e.org"' for n in range(number))
    return f'if header :{kind} "from" [{keys}] {{ stop; }}'


def sized(octets: int) -> str:
    """A script as people have them, of about that size."""
    text = 'require ["fileinto", "imap4flags"];\n'
    rule = (
        '# rule:[Rule {n}]\nif anyof (header :contains "subject" ["word{n}", "other {n}"], address :is :domain "from"'
        ' "example{n}.org")\n{{\n\tfileinto "Folder {n}";\n\taddflag "\\\\Seen";\n\tstop;\n}}\n'
    )
    number = 0
    while len(text) < octets:
        text += rule.format(n=number)
        number += 1
    return text


ROWS = {
    **{f"{number} rules": rules(number) for number in (10, 200, 5000)},
    "200 rules, address :domain": rules(200, 'address :domain :is "from" "d{n}.example"'),
    "200 rules, allof of two": rules(200, 'allof (header :contains "subject" "word{n}", header "from" "a")'),
    "200 rules, never looked up (not)": rules(200, 'not header :contains "subject" "x"'),
    "if with 1000 branches": chain(1000),
    "header :is, 1000 keys": listed("is", 1000),
    "header :contains, 500 keys": listed("contains", 500),
    "header :matches, 500 keys": listed("matches", 500),
}  # fmt: skip


def compiling(rounds: int) -> None:
    print(f"{'compiling, ms':32}{'parse':>10}{'bind':>10}{'kept':>10}")
    for size in (2, 40):
        text = sized(size * 1024).encode()
        calls, cache = parse(text, LOOKED_UP), ProgramCache(LOOKED_UP)
        cache.get(text)
        took = _in_turn(
            rounds,
            [
                lambda text=text: parse(text, LOOKED_UP),
                lambda calls=calls: Binder(LOOKED_UP, registry().public).script(calls),
                lambda cache=cache, text=text: cache.get(text),
            ],
        )
        print(f"{f'{size} KiB of script':32}{took[0]:10.2f}{took[1]:10.2f}{took[2]:10.3f}")
    print()


def running(rounds: int) -> None:
    """Each script on each message: with look-up and without, and what a tenth of a durable delivery is."""
    theirs = Pigeonhole() if shutil.which("sieve-test") and shutil.which("sievec") else None
    delivery = durable(rounds * 5)
    print(f"one durable delivery: {delivery:.2f} ms (4 KiB, no script, one connection)")
    columns = f"{'ours':>9}{'plain':>9}{'gain':>8}{'theirs':>9}{'ratio':>8}{'of one delivery':>17}"
    print(f"{'running, ms':34}{'message':>8}{columns}")
    try:
        for title, script in ROWS.items():
            for size, data in MAIL.items():
                _running_row(title, script, size, data, rounds, theirs, delivery)
    finally:
        if theirs:
            theirs.close()
    print()


def _running_row(
    title: str, script: str, size: str, data: bytes, rounds: int, theirs: Pigeonhole | None, delivery: float
) -> None:
    program, other = compile_script(script, LOOKED_UP), compile_script(script, PLAIN)
    works: list[Work] = [
        lambda: run(program, Message(data), ENVELOPE, FACTS, LOOKED_UP),
        lambda: run(other, Message(data), ENVELOPE, FACTS, PLAIN),
    ]
    works[0]()  # makes the plan
    more: list[float] = []
    pair = theirs.pair(script, data) if theirs else None
    ours, plain = _in_turn(rounds, works, lambda: more.append(pair()) if pair else None)
    them = certain(more)
    told = f"{title:34}{size:>8}{ours:9.3f}{plain:9.3f}{plain / ours:8.1f}"
    told += f"{'n/a':>9}{'n/a':>8}" if them is None else f"{them:9.2f}{them / ours:8.1f}"
    print(f"{told}{ours / delivery:17.1%}")


def certain(figures: Sequence[float]) -> float | None:
    """The median of what was measured, when it is more than it is likely to be wrong by."""
    if len(figures) < 2:
        return None
    middle = statistics.median(figures)
    spread = statistics.median(abs(figure - middle) for figure in figures)
    error = 2 * 1.86 * spread / len(figures) ** 0.5  # two standard errors of a median, when spread is that of noise
    return middle if middle > error else None


def journal(rounds: int) -> None:
    """What the journal takes for the tests of 200 rules."""
    print(f"{'tests for the journal, ms':32}{'ours':>10}{'plain':>10}")
    ours, plain = (
        run(compile_script(ROWS["200 rules"], limits), Message(MAIL["4 KiB"]), ENVELOPE, FACTS, limits).tests
        for limits in (LOOKED_UP, PLAIN)
    )
    took = _in_turn(rounds, [lambda: pack(ours), lambda: pack(plain)])
    print(f"{'200 rules':32}{took[0]:10.3f}{took[1]:10.3f}\n")


class Pigeonhole:
    """sieve-test, which refuses to run as root."""

    def __init__(self) -> None:
        self._place = Path(tempfile.mkdtemp(prefix="sievemda-"))
        self._place.chmod(0o777)
        settings = f"mail_location = maildir:{self._place}/mail\nplugin {{\n  sieve_max_script_size = 8M\n}}\n"
        (self._place / "dovecot.conf").write_text(settings)
        drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        self._drop = drop if os.geteuid() == 0 else []

    def pair(self, script: str, data: bytes) -> Callable[[], float]:
        """Milliseconds more that the processor has with the script than with one that does nothing, once each."""
        (self._place / "m.eml").write_bytes(data)
        for name, text in (("s", script), ("empty", "keep;\n")):
            (self._place / f"{name}.sieve").write_text(text)
            self._call("sievec", "-c", f"{self._place}/dovecot.conf", f"{self._place}/{name}.sieve")
        return lambda: self._cost("s") - self._cost("empty")

    def _cost(self, name: str) -> float:
        place, before = self._place, _spent_by_programs()
        self._call("sieve-test", "-c", f"{place}/dovecot.conf", f"{place}/{name}.sieve", f"{place}/m.eml")
        return (_spent_by_programs() - before) * 1000

    def _call(self, *command: str) -> None:
        environment = {"HOME": str(self._place), "PATH": os.environ["PATH"]}
        subprocess.run([*self._drop, *command], check=True, capture_output=True, cwd=self._place, env=environment)

    def close(self) -> None:
        shutil.rmtree(self._place, ignore_errors=True)


def durable(messages: int) -> float:
    """Milliseconds for one message through the real server, on the disk when the answer comes."""
    with tempfile.TemporaryDirectory(prefix="bench") as where:
        site = Site(Path(where) / "d", ("duplicatesuppression=no",))
        site.user("bench")
        site.start()
        try:
            with Client(site.socket) as client:
                client.hello()
                figures = [_delivered(client, number) for number in range(messages)]
        finally:
            site.stop()
    return statistics.median(figures)


def _delivered(client: Client, number: int) -> float:
    text = message(f"<{number}@bench>", extra="X-Filler: " + "x" * 3800 + "\r\n")
    started = time.perf_counter()
    (answer,) = client.transaction(["bench"], text)
    assert answer.startswith("250"), answer
    return (time.perf_counter() - started) * 1000


def _spent_by_programs() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _in_turn(rounds: int, works: Sequence[Work], between: Work = lambda: None) -> list[float]:
    """The median of each in milliseconds, of which the quickest of five in a row counts.

    What is done `between` the rounds empties the caches of the processor, which is no fault of what comes next.
    """
    figures: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, each in zip(works, figures, strict=True):
            each.append(min(_timed(work) for _ in range(5)))
        between()
    return [statistics.median(each) for each in figures]


def _timed(work: Work) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def table(rounds: int) -> None:
    compile_script("keep;", LOOKED_UP)  # loads the grammar
    compiling(rounds)
    running(rounds)
    journal(rounds)
