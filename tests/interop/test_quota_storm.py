"""Deliveries, an IMAP client that appends, moves and expunges, and `quota fix`, all at once: the usage is right after it.

IMAP servers keep `maildirsize` without a lock, so that a line of theirs may come when its message has been counted
already. What is asked for here is that nobody is told of it: whoever asks sievemda for the usage afterwards gets it to
the octet, and the file is right from then on, for Dovecot as well.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from tests.interop.dovecot import Dovecot, Imap
from tests.interop.site import Site, message

DELIVERIES = 50
AT_ONCE = 10
FOLDERS = ("INBOX", "Lists")


def truth(site: Site, person: str) -> tuple[int, int]:
    """Octets and number of the messages that are there."""
    files = [file for folder in ("", "Lists") for file in site.files(person, folder)]
    return sum(file.stat().st_size for file in files), len(files)


def written(site: Site, person: str) -> tuple[int, int]:
    """What `maildirsize` adds up to."""
    lines = (site.folder(person) / "maildirsize").read_text().splitlines()[1:]
    return sum(int(line.split()[0]) for line in lines), sum(int(line.split()[1]) for line in lines)


def letter(chance: random.Random, person: str) -> bytes:
    return message("x" * chance.choice((10, 900, 20_000)), to=f"{person}@example.org")


def use(imap: Imap, chance: random.Random, person: str) -> None:
    """One thing that a client does."""
    here, there = chance.sample(FOLDERS, 2)
    there_are = imap.choose(here)
    what = chance.choice(("append", "expunge", "copy", "move")) if there_are else "append"
    if what == "append":
        assert imap.append(here, "", "", letter(chance, person))[0] == "OK"
        return
    numbers = ",".join(str(number) for number in sorted(chance.sample(range(1, there_are + 1), min(there_are, 3))))
    if what == "expunge":
        imap.store(numbers, "+FLAGS.SILENT", "\\Deleted")
        imap.expunge()
    else:
        imap.xatom(what.upper(), numbers, there)  # refused when the other client has just expunged one


@contextmanager
def meanwhile(work: list[Callable[[], object]]) -> Iterator[None]:
    """Each of these functions again and again, in a thread of its own, until the block is through."""
    done = threading.Event()

    def repeat(function: Callable[[], object]) -> None:
        while not done.is_set():
            function()

    with ThreadPoolExecutor(len(work)) as pool:
        ends = [pool.submit(repeat, function) for function in work]
        try:
            yield
        finally:
            done.set()
    for end in ends:
        end.result()


@pytest.mark.parametrize("seed", range(3))
def test_the_usage_is_right_to_the_octet_after_everybody_has_worked_at_once(
    site: Site, dovecot: Dovecot, new_name, seed: int
) -> None:
    chance, person = random.Random(seed), new_name("storm")
    site.make(f"user/{person}", f"user/{person}/Lists")
    site.grant(f"user/{person}/Lists", "anyone", "p")
    site.cli("quota", "set", f"user/{person}", "STORAGE", "100000", "MESSAGE", "10000")
    letters = [(letter(chance, person), chance.choice(("", "+Lists"))) for _ in range(DELIVERIES)]
    with ExitStack() as stack:
        imaps = [stack.enter_context(dovecot.login(person)) for _ in range(2)]
        clients = [partial(use, imap, random.Random(f"{seed}/{number}"), person) for number, imap in enumerate(imaps)]
        with (
            meanwhile([*clients, lambda: site.cli("quota", "fix", "-q", "-u", person)]),
            ThreadPoolExecutor(AT_ONCE) as pool,
        ):
            replies = pool.map(lambda each: site.lmtp(each[0], f"{person}{each[1]}@example.org"), letters)
            assert [code for ((code, _),) in replies] == [250] * DELIVERIES
        octets, count = truth(site, person)
        found = json.loads(site.cli("quota", "report", "-J", "-u", person))[f"user/{person}"]
        assert (found["STORAGE"]["used"], found["MESSAGE"]["used"]) == (octets, count)
        assert written(site, person) == (octets, count)
        told = imaps[0].ask("GETQUOTAROOT", "INBOX", answer="QUOTA")[0].decode()
        assert f"STORAGE {-(-octets // 1024)} 100000" in told
        assert f"MESSAGE {count} 10000" in told
