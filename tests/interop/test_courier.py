"""Courier and sievemda over the same Maildirs; what cannot agree is told in conf/courier/README.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.courier import Courier
from tests.interop.imap import Answers, quoted
from tests.interop.site import Site, message

MAIL = b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 300


@pytest.fixture(scope="module")
def courier(directory: Path, logs: dict[str, Path]) -> Courier:
    courier = Courier(directory)
    logs["courier"] = courier.log
    return courier


@pytest.fixture
def imap(site: Site, courier: Courier, person: str) -> Iterator[Answers]:
    with courier.login(person, site.folder(person).parent) as session:
        yield session


def deliver(site: Site, recipient: str, content: bytes = b"") -> None:
    assert [code for code, _ in site.lmtp(content or message(), recipient)] == [250]


def test_a_delivered_message_is_read_as_it_was_sent(site: Site, person: str, imap: Answers) -> None:
    content = message("First line\n\n.dot\nÄ last line")
    deliver(site, f"{person}@example.org", content)
    read = imap.body()
    [size] = imap.fetch("1", "(RFC822.SIZE)")[1]
    assert read.endswith(content.partition(b"\r\n\r\n")[2])
    assert f"RFC822.SIZE {len(read)})".encode() in size


def test_flags_of_a_script_and_of_a_client_are_the_same(site: Site, person: str, imap: Answers) -> None:
    site.sieve(person, 'require "imap4flags";\nkeep :flags ["\\\\Seen", "\\\\Flagged"];\n')
    deliver(site, f"{person}@example.org")
    assert imap.flags() == [{"\\Seen", "\\Flagged"}]
    imap.store("1", "-FLAGS", "\\Seen")
    imap.store("1", "+FLAGS", "\\Answered")
    assert [file.name.rpartition(":2,")[2] for file in site.files(person)] == ["FR"]


def test_a_delivery_disturbs_no_number(site: Site, person: str, imap: Answers) -> None:
    uids = []
    for _ in range(3):
        deliver(site, f"{person}@example.org")
        imap.choose()
        uids.append((imap.response("UIDVALIDITY")[1], imap.uid("SEARCH", "ALL")[1][0].split()[-1]))
    assert [number for _, number in uids] == [b"1", b"2", b"3"]
    assert len({str(validity) for validity, _ in uids}) == 1


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("Lists", "Lists"),
        ("Lists/Sub", "Lists.Sub"),
        ("two words", "two words"),
        ("R&D", "R&-D"),
        ("Büro & Co/Übersicht", "B&APw-ro &- Co.&ANw-bersicht"),
        ("日本", "&ZeVnLA-"),
    ],
)
def test_a_folder_made_there_is_found_here(site: Site, person: str, imap: Answers, name: str, wire: str) -> None:
    assert imap.create(quoted(f"INBOX.{wire}"))[0] == "OK"
    site.sieve(person, f'require "fileinto";\nfileinto "{name}";\n')
    deliver(site, f"{person}@example.org")
    assert imap.choose(f"INBOX.{wire}") == 1
    assert f"user/{person}/{name}" in site.names(f"user/{person}/*")


@pytest.mark.parametrize(("name", "wire"), [("Lists", "Lists"), ("a/b", "a.b"), ("two words", "two words")])
def test_a_folder_made_here_is_listed_there(site: Site, person: str, imap: Answers, name: str, wire: str) -> None:
    site.make(f"user/{person}/{name}")
    assert f"INBOX.{wire}" in imap.folders()
    assert imap.choose(f"INBOX.{wire}") == 0


def test_a_folder_renamed_and_deleted_there_is_so_here(site: Site, person: str, imap: Answers) -> None:
    site.make(f"user/{person}/a", f"user/{person}/a/b", f"user/{person}/c")
    imap.rename("INBOX.a", "INBOX.x")
    imap.delete("INBOX.c")
    assert site.names(f"user/{person}/*") == [f"user/{person}/x", f"user/{person}/x/b"]


def test_limits_and_usage_are_the_same(site: Site, person: str, imap: Answers) -> None:
    site.make(f"user/{person}/Old")
    site.cli("quota", "set", f"user/{person}", "STORAGE", "20", "MESSAGE", "6")
    for _ in range(2):
        imap.append("INBOX", "", None, MAIL)
        deliver(site, f"{person}@example.org", message("y" * 3000))
        assert agreed(site, person, imap)
    imap.choose()
    imap.copy("1", "INBOX.Old")
    assert agreed(site, person, imap)
    imap.store("1:2", "+FLAGS", "\\Deleted")
    imap.expunge()
    assert agreed(site, person, imap)
    assert [imap.append("INBOX", "", None, MAIL)[0] for _ in range(4)].count("OK") == 3
    assert agreed(site, person, imap)


def agreed(site: Site, person: str, imap: Answers) -> bool:
    """Whether all three say the same: Courier, sievemda, and the files."""
    told = b" ".join(filter(None, imap.ask("GETQUOTAROOT", "INBOX", answer="QUOTA")))
    files = [file for file in site.folder(person).rglob("*") if file.parent.name in ("cur", "new")]
    size, count = sum(file.stat().st_size for file in files), len(files)
    with site.store():
        root = site.mailbox(f"user/{person}").quota_root()
        usage = root and root.usage()
    assert usage is not None
    assert (usage.storage, usage.messages) == (size, count)
    numbers = [int(number) for number in re.findall(rb"\d+", told)]
    return numbers == [-(-size // 1024), 20, count, 6]


def test_a_message_moved_there_is_still_known_as_a_duplicate(site: Site, person: str, imap: Answers) -> None:
    content = message()
    deliver(site, f"{person}@example.org", content)
    imap.create("INBOX.Old")
    imap.choose()
    imap.copy("1", "INBOX.Old")
    imap.store("1", "+FLAGS", "\\Deleted")
    imap.expunge()
    deliver(site, f"{person}@example.org", content)
    assert imap.choose() == 0
    assert imap.choose("INBOX.Old") == 1
