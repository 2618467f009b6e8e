"""A backup while an IMAP server is at work in the mailbox; what is restored, the server shows as it was."""

from __future__ import annotations

import imaplib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from tests.interop.dovecot import Dovecot, Imap
from tests.interop.site import Site, message

FLAGS = ["(\\Seen)", "(\\Flagged $Work)", "()", "(\\Answered \\Seen Later)"]
MANY = 60


def fill(imap: Imap, folder: str) -> None:
    for number in range(MANY):
        date = f'"{number % 28 + 1:2}-Mar-2020 10:{number:02}:00 +0000"'
        assert imap.append(folder, FLAGS[number % 4], date, message(str(number), subject=f"n{number}"))[0] == "OK"


def shown(imap: Imap, folder: str) -> list[tuple[str, frozenset[str], str, bytes]]:
    """Subjects, flags, dates and contents in the order in which the server has them."""
    imap.choose(folder)
    _, answers = imap.fetch("1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")
    found = []
    for head, body in [answer for answer in answers if isinstance(answer, tuple)]:
        flags = frozenset(flag.decode() for flag in imaplib.ParseFlags(head)) - {"\\Recent"}
        date = head.decode().partition('INTERNALDATE "')[2][:26]
        found.append((body.decode().partition("ubject: ")[2].split()[0], flags, date, body))
    return found


def test_what_a_server_shows_comes_back_though_it_was_at_work_meanwhile(
    site: Site, dovecot: Dovecot, person: str, make_directory: Callable[[], Path]
) -> None:
    other, directory, stop = f"{person}-again", make_directory(), Event()
    site.make(f"user/{person}/Work")
    with dovecot.login(person) as imap:
        for folder in ("INBOX", "Work"):
            fill(imap, folder)

    def work() -> None:
        with dovecot.login(person) as imap:
            imap.choose("Work")
            while not stop.is_set():
                imap.store("1:*", "+FLAGS", "(\\Draft)")
                imap.store("1:*", "-FLAGS", "(\\Draft)")

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        site.cli("backup", "--user", person, f"{directory}/", "--json")
        stop.set()
        working.result()
    with dovecot.login(person) as imap:
        imap.choose("INBOX")
        imap.store("1:5", "+FLAGS", "(\\Deleted)")
        imap.expunge()
        fill(imap, "INBOX")
        expected = {folder: shown(imap, folder) for folder in ("INBOX", "Work")}
    site.cli("backup", "--incremental", "--user", person, str(directory))
    site.cli("restore", str(directory), "--map", f"user/{person}=user/{other}")
    with dovecot.login(other) as imap:
        assert {folder: shown(imap, folder) for folder in expected} == expected
