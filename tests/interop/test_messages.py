"""Messages: what one side says of them with flags, keywords, dates, sizes and numbers, the other side reads."""

from __future__ import annotations

import imaplib
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.interop.dovecot import Dovecot, Imap
from tests.interop.site import Site, message

imaplib.Commands.update(dict.fromkeys(("IDLE", "DONE"), ("SELECTED",)))


def deliver(site: Site, recipient: str, content: bytes = b"") -> None:
    assert [code for code, _ in site.lmtp(content or message(), recipient)] == [250]


def keyworded(site: Site, person: str, *keywords: str) -> None:
    """Deliver a message to which a script gives these keywords."""
    flags = ", ".join(f'"{keyword}"' for keyword in keywords)
    site.sieve(person, f'require "imap4flags";\nkeep :flags [{flags}];\n' if keywords else "keep;\n")
    deliver(site, f"{person}@example.org")


# -- keywords --------------------------------------------------------------------------------------------------------


def test_a_keyword_has_one_letter_whoever_was_first_with_it(site: Site, dovecot: Dovecot, person: str) -> None:
    deliver(site, f"{person}@example.org")
    with dovecot.login(person) as imap:
        imap.choose()
        imap.store("1", "+FLAGS", "(First $Work)")
        imap.unselect()
        keyworded(site, person, "Own", "$WORK")
        assert imap.flags() == [{"First", "$Work"}, {"Own", "$Work"}]
        imap.store("1", "+FLAGS", "(Own Third)")
        imap.unselect()
    assert Path(site.folder(person), "dovecot-keywords").read_text() == "0 First\n1 $Work\n2 Own\n3 Third\n"


def test_a_folder_has_room_for_26_keywords_of_both_together(site: Site, dovecot: Dovecot, person: str) -> None:
    names = [f"over-imap-{number}" for number in range(13)]
    deliver(site, f"{person}@example.org")
    with dovecot.login(person) as imap:
        imap.choose()
        imap.store("1", "+FLAGS", f"({' '.join(names)})")
        imap.unselect()
        ours = [f"sieve-{number}" for number in range(14)]
        keyworded(site, person, *ours)
        first, second = imap.flags()
    assert first == set(names)
    assert second == set(ours[:13])  # one has no letter; the message is there all the same


def test_a_keyword_from_a_session_that_was_open_all_the_time_does_not_take_a_letter_of_ours(
    site: Site, dovecot: Dovecot, person: str
) -> None:
    deliver(site, f"{person}@example.org")
    with dovecot.login(person) as imap:
        imap.choose()
        keyworded(site, person, "Ours")
        imap.store("1", "+FLAGS", "(Theirs)")
        imap.unselect()
        keyworded(site, person, "Ours", "Theirs")
        assert imap.flags() == [{"Theirs"}, {"Ours"}, {"Ours", "Theirs"}]


def test_keywords_that_are_new_on_all_sides_at_once_do_not_mix(site: Site, dovecot: Dovecot, person: str) -> None:
    for _ in range(2):
        deliver(site, f"{person}@example.org")
    site.sieve(
        person,
        'require ["imap4flags", "variables"];\nif header :matches "subject" "*" { keep :flags "${1}"; }\n',
    )

    def use(number: int) -> None:
        with dovecot.login(person) as imap:
            imap.choose()
            for count in range(6):
                assert imap.store(str(number), "+FLAGS", f"client{number}-{count}")[0] == "OK"

    with ThreadPoolExecutor(2) as pool:
        clients = [pool.submit(use, number) for number in (1, 2)]
        for count in range(12):
            deliver(site, f"{person}@example.org", message(Subject=f"script{count}"))
        for client in clients:
            client.result()
    with dovecot.login(person) as imap:
        flags = imap.flags()
    assert flags[:2] == [{f"client{number}-{count}" for count in range(6)} for number in (1, 2)]
    assert flags[2:] == [{f"script{count}"} for count in range(12)]


def test_a_lock_that_a_crashed_program_left_delays_no_keyword(site: Site, dovecot: Dovecot, person: str) -> None:
    """Dovecot writes its process and host into a lock file."""
    deliver(site, f"{person}@example.org")
    gone = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(gone, 0)
    for name in ("dovecot-uidlist.lock", "dovecot-keywords.lock"):
        Path(site.folder(person), name).write_text(f"{gone}:{os.uname().nodename}")
    keyworded(site, person, "Ours")
    with dovecot.login(person) as imap:
        assert imap.flags() == [set(), {"Ours"}]


# -- flags, dates, sizes, numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", ["\\Seen", "\\Flagged", "\\Answered", "\\Draft", "\\Deleted", "\\Seen \\Flagged"])
def test_system_flags_of_a_script_are_flags(site: Site, dovecot: Dovecot, person: str, flags: str) -> None:
    keyworded(site, person, *(flag.replace("\\", "\\\\") for flag in flags.split()))
    with dovecot.login(person) as imap:
        assert imap.flags() == [set(flags.split())]


def test_a_message_without_flags_is_recent_and_unseen(site: Site, dovecot: Dovecot, person: str) -> None:
    deliver(site, f"{person}@example.org")
    with dovecot.login(person) as imap:
        assert imap.status("INBOX", "(MESSAGES RECENT UNSEEN)")[1] == [b"INBOX (MESSAGES 1 RECENT 1 UNSEEN 1)"]


def test_the_internal_date_is_that_of_the_delivery(site: Site, dovecot: Dovecot, person: str) -> None:
    deliver(site, f"{person}@example.org")
    [file] = site.files(person)
    with dovecot.login(person) as imap:
        imap.choose()
        date = imaplib.Internaldate2tuple(imap.fetch("1", "(INTERNALDATE)")[1][0])
    assert date is not None
    assert abs(int(time.mktime(date)) - int(file.name.partition(".")[0])) <= 1


@pytest.mark.parametrize("body", ["", "one line", "a\n" * 3000, "ä€😀\n.\n..\n"])
def test_the_size_over_imap_is_that_of_the_text(site: Site, dovecot: Dovecot, person: str, body: str) -> None:
    deliver(site, f"{person}@example.org", message(body))
    [file] = site.files(person)
    with dovecot.login(person) as imap:
        text, crlf = imap.body(), b"\r\n"
        [size] = imap.fetch("1", "(RFC822.SIZE)")[1]
    assert re.findall(rb"RFC822.SIZE (\d+)", size) == [b"%d" % len(text)]
    assert f",S={len(text) - text.count(crlf)},W={len(text)}" in file.name


def test_numbers_only_grow_while_messages_come_and_go(site: Site, dovecot: Dovecot, person: str) -> None:
    seen: list[int] = []
    with dovecot.login(person) as imap:
        imap.choose()
        validity = imap.response("UIDVALIDITY")[1]
        for flags in ((), ("Ours",), ("\\\\Seen",), ()):
            keyworded(site, person, *flags)
            imap.choose()
            assert imap.response("UIDVALIDITY")[1] == validity
            uids = [int(uid) for uid in imap.uid("SEARCH", "ALL")[1][0].split()]
            assert uids[:-1] == seen[-len(uids) + 1 :] or len(uids) == 1
            assert uids[-1] > max(seen, default=0)
            seen.append(uids[-1])
            if len(seen) == 2:
                imap.store("1:*", "+FLAGS", "\\Deleted")
                imap.expunge()
    assert len(set(seen)) == 4


def test_an_idle_client_hears_of_a_delivery(site: Site, dovecot: Dovecot, person: str) -> None:
    with dovecot.login(person) as imap:
        imap.choose()
        imap.send(b"X IDLE\r\n")
        assert imap.readline().startswith(b"+")
        deliver(site, f"{person}@example.org")
        assert heard(imap, b"* 1 EXISTS")
        imap.send(b"DONE\r\n")
        assert heard(imap, b"X OK")


def heard(imap: Imap, start: bytes) -> bool:
    """Read until a line begins so; the socket's time-out ends it otherwise."""
    while not imap.readline().startswith(start):
        pass
    return True


def test_a_message_moved_over_imap_keeps_its_keywords_and_file(site: Site, dovecot: Dovecot, person: str) -> None:
    keyworded(site, person, "One", "Two")
    site.make(f"user/{person}/Old")
    with dovecot.login(person) as imap:
        imap.choose()
        imap.ask("MOVE", "1", "Old")
        assert imap.flags("Old") == [{"One", "Two"}]
    [file] = site.files(person, "Old")
    store = site.mailbox(f"user/{person}/Old").store
    with site.store():
        assert set(store.keywords.names(file.parent.parent, file.name.rpartition(",")[2])) == {"One", "Two"}
